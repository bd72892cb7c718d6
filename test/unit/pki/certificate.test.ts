import test from "ava";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { createAuthority, issue, keyMatches, LEAF_LIFETIME_MS, readCertificate, readSubject, signLeaf } from "../../../lib/pki/certificate.ts";
import { CertificateRequestError, createRequest, parseRequest } from "../../../lib/pki/certificate-request.ts";
import { generateKey, parsePrivateKey, privateKeyPem, publicKeyPem } from "../../../lib/pki/keys.ts";
import { canonicalAddress } from "../../../lib/pki/subject-alt-name.ts";

const now = new Date();

test("issue() makes certificates a TLS server and client of Node accept, with the subject the server reads back", async (t) => {
  const ca = createAuthority({ commonName: "kubernetes", now });
  const server = issue(ca, { subject: { commonName: "kube-apiserver" }, usages: ["server"], names: ["kubernetes.default", "127.0.0.1", "::1"], now });
  const client = issue(ca, { subject: { commonName: "jane", organizations: ["dev", "system:masters"] }, usages: ["client"], now });
  const seen: unknown[] = [];
  const listener = tls.createServer({ cert: server.certificatePem, key: privateKeyPem(server.key), ca: ca.certificatePem, requestCert: true }, (socket) => {
    seen.push(socket.authorized, readSubject(socket.getPeerCertificate().raw));
    socket.end();
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const socket = tls.connect({ port: (listener.address() as AddressInfo).port, host: "127.0.0.1", ca: ca.certificatePem, cert: client.certificatePem, key: privateKeyPem(client.key) });
  socket.resume();
  await once(socket, "close");
  listener.close();
  t.true(socket.authorized);
  t.deepEqual(seen, [true, { commonName: "jane", organizations: ["dev", "system:masters"] }]);
});

test("readCertificate() gives back names, usages and times", (t) => {
  const ca = createAuthority({ commonName: "kubernetes", now });
  const leaf = issue(ca, { subject: { commonName: "x=1,O=system:masters" }, usages: ["server", "client"], names: ["a.b", "10.96.0.1", "FE80:0::1"], now });
  const facts = readCertificate(leaf.certificatePem);
  t.deepEqual(facts.subject, { commonName: "x=1,O=system:masters", organizations: [] }); // A printed form would have forged a group.
  t.deepEqual([facts.dnsNames, facts.ipAddresses, facts.usages], [["a.b"], ["10.96.0.1", "fe80::1"], ["server", "client"]]);
  t.true(Math.abs(facts.notAfter.getTime() - now.getTime() - LEAF_LIFETIME_MS) < 1_000);
  t.true(readCertificate(ca.certificatePem).isAuthority);
  t.true(leaf.certificate.checkIssued(ca.certificate) && leaf.certificate.verify(ca.certificate.publicKey));
});

test("signLeaf() never lets a leaf outlive its CA", (t) => {
  const ca = createAuthority({ commonName: "short", now, lifetimeMs: 60_000 });
  const leaf = issue(ca, { subject: { commonName: "x" }, usages: ["client"], now });
  t.is(leaf.certificate.validTo, ca.certificate.validTo);
});

test("createAuthority() with the old key verifies what the old certificate signed", (t) => {
  const old = createAuthority({ commonName: "kubernetes", now });
  const leaf = issue(old, { subject: { commonName: "x" }, usages: ["client"], now });
  const renewed = createAuthority({ commonName: "kubernetes", now: new Date(now.getTime() + 1_000), key: old.key });
  t.true(leaf.certificate.checkIssued(renewed.certificate) && leaf.certificate.verify(renewed.certificate.publicKey));
});

test("createRequest() and parseRequest() carry subject, names and key; a forged signature is refused", (t) => {
  for (const kind of ["ecdsa", "rsa"] as const) {
    const key = generateKey(kind), pem = createRequest(key, { subject: { commonName: "system:node:n1", organizations: ["system:nodes"] }, names: ["n1", "10.89.0.2"] });
    const request = parseRequest(pem);
    t.deepEqual(request.subject, { commonName: "system:node:n1", organizations: ["system:nodes"] });
    t.deepEqual(request.names, { dnsNames: ["n1"], ipAddresses: ["10.89.0.2"], otherNames: 0 });
    t.is(publicKeyPem(request.publicKey), publicKeyPem(key));
    const signed = signLeaf(createAuthority({ commonName: "ca", now }), request.publicKey, { subject: request.subject, usages: ["client"], now });
    t.deepEqual(readCertificate(signed).subject, request.subject);
    const bytes = Buffer.from(pem.split("\n").slice(1, -2).join(""), "base64");
    bytes[bytes.indexOf("system:node:n1") + 13] = 0x32; // n1 becomes n2 under n1's signature.
    t.throws(() => parseRequest(`-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString("base64")}\n-----END CERTIFICATE REQUEST-----`), { instanceOf: CertificateRequestError, message: /signature/ });
  }
  t.throws(() => parseRequest("nothing"), { instanceOf: CertificateRequestError });
});

test("privateKeyPem() round-trips ECDSA and RSA keys", (t) => {
  for (const kind of ["ecdsa", "rsa"] as const) {
    const key = generateKey(kind), ca = createAuthority({ commonName: "x", now, key });
    t.true(keyMatches(ca.certificate, parsePrivateKey(privateKeyPem(key))));
  }
});

test("canonicalAddress() writes addresses in their canonical form", (t) => {
  for (const [given, wanted] of [["::", "::"], ["1::", "1::"], ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"], ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"], ["9.8.7.6", "9.8.7.6"]] as const) t.is(canonicalAddress(given), wanted);
});

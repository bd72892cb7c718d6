import test from "ava";
import { createAuthority, issue, LEAF_LIFETIME_MS, readCertificate } from "../../../lib/pki/certificate.ts";
import { generateKey, privateKeyPem } from "../../../lib/pki/keys.ts";
import { lastThirdMs, renewalReason, renewLike, signerOf } from "../../../lib/pki/renew.ts";

const DAY_MS = 86_400_000, start = new Date("2026-01-01T00:00:00Z"), later = (days: number): Date => new Date(start.getTime() + days * DAY_MS);
const authority = createAuthority({ commonName: "kubernetes", now: start }), other = createAuthority({ commonName: "other", now: start });
const old = issue(authority, { subject: { commonName: "kube-apiserver", organizations: ["o"] }, usages: ["server", "client"], names: ["localhost", "192.0.2.1", "2001:db8::1"], now: start });
const reason = (now: Date, names: string[] = [], key = privateKeyPem(old.key)): string | undefined => renewalReason(old.certificatePem, key, { now, names });

test("renewalReason() is silent for two thirds of the life, then speaks, and at once when the key or a name is wrong", (t) => {
  t.is(reason(later(240)), undefined);
  t.regex(reason(later(245)) ?? "", /a third/);
  t.is(Math.round((lastThirdMs(readCertificate(old.certificatePem)) - start.getTime()) / DAY_MS), 243);
  t.regex(reason(start, [], privateKeyPem(generateKey())) ?? "", /key/);
  t.regex(reason(start, [], "nonsense") ?? "", /key/);
  t.regex(renewalReason(old.certificatePem, undefined, { now: start }) ?? "", /key/);
  t.is(reason(start, ["192.0.2.1", "localhost"]), undefined);
  t.regex(reason(start, ["192.0.2.9"]) ?? "", /192\.0\.2\.9 is missing/);
});
test("renewLike() keeps subject, names, uses and length of life, and takes a new key", (t) => {
  const fresh = renewLike(authority, old.certificatePem, { now: later(250), names: ["192.0.2.9", "localhost"] }), before = readCertificate(old.certificatePem), after = readCertificate(fresh.certificatePem);
  t.deepEqual([after.subject, after.usages, after.dnsNames], [before.subject, before.usages, before.dnsNames]);
  t.deepEqual(after.ipAddresses, [...before.ipAddresses, "192.0.2.9"]);
  t.is(after.notAfter.getTime(), later(250).getTime() + LEAF_LIFETIME_MS);
  t.not(privateKeyPem(fresh.key), privateKeyPem(old.key));
  t.true(fresh.certificate.verify(authority.certificate.publicKey));
  t.is(renewLike(authority, issue(authority, { subject: { commonName: "rsa" }, usages: ["client"], now: start, keyKind: "rsa" }).certificatePem, { now: start }).key.asymmetricKeyType, "rsa");
});
test("signerOf() finds the authority whose signature it is, or none", (t) => {
  t.is(signerOf(old.certificatePem, [other, authority]), authority);
  t.is(signerOf(old.certificatePem, [other]), undefined);
});

import test from "ava";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { CertificateKeeper, renewAtMs } from "../../../lib/runtime/certificate-keeper.ts";
import { createAuthority, issue, readCertificate, signLeaf } from "../../../lib/pki/certificate.ts";
import { parseRequest } from "../../../lib/pki/certificate-request.ts";
import { privateKeyPem } from "../../../lib/pki/keys.ts";
import type { CertificateSigningRequest } from "../../../lib/api/schema/generated/models.ts";
import type { Client } from "../../../lib/client/client.ts";
import { ManualClock } from "../../../lib/util/clock.ts";
import { silentLogger } from "../../../lib/util/logger.ts";

const DAY_MS = 86_400_000, start = new Date("2026-01-01T00:00:00Z"), authority = createAuthority({ commonName: "ca", now: start });
const leaf = (now: Date) => issue(authority, { subject: { commonName: "system:node:n1" }, usages: ["client"], now, lifetimeMs: 100 * DAY_MS });

test("renewAtMs() lies after 70 to 90 % of the lifetime, and is now for what is missing, unreadable or signed by itself", (t) => {
  const days = (share: number): number => (renewAtMs(leaf(start).certificatePem, share) - start.getTime()) / DAY_MS;
  t.is(Math.round(days(0)), 70);
  t.is(Math.round(days(1)), 90);
  t.deepEqual([undefined, "nonsense", authority.certificatePem].map((pem) => renewAtMs(pem, 0.5)), [0, 0, 0]);
});

test("renewAtMs() is now for a certificate that lacks a name or an address it should be good for", (t) => {
  const pem = issue(authority, { subject: { commonName: "n" }, usages: ["server"], names: ["n1", "192.0.2.7", "2001:db8::7"], now: start }).certificatePem;
  t.true(renewAtMs(pem, 0, ["n1", "192.0.2.7", "2001:db8::7"]) > start.getTime());
  t.deepEqual([["n2"], ["192.0.2.8"], ["2001:db8::8"]].map((names) => renewAtMs(pem, 0, names)), [0, 0, 0]);
});

test("CertificateKeeper leaves a young certificate alone, and replaces it when its time has come, pair and all", async (t) => {
  const clock = new ManualClock(start), file = path.join(mkdtempSync(path.join(tmpdir(), "kaji-keeper-")), "pair.pem"), first = leaf(start), stop = new AbortController();
  writeFileSync(file, first.certificatePem + privateKeyPem(first.key));
  let asked = 0, answered: () => void = () => {};
  const done = new Promise<void>((resolve) => { answered = resolve; });
  const client = {
    create: async (_: unknown, object: CertificateSigningRequest) => { asked++; made = object; return object; },
    async *watch() {
      const request = parseRequest(Buffer.from(made!.spec.request, "base64").toString());
      const certificate = Buffer.from(signLeaf(authority, request.publicKey, { subject: request.subject, usages: ["client"], now: clock.now() })).toString("base64");
      yield { type: "MODIFIED", object: { ...made!, status: { certificate } } };
    },
  };
  let made: CertificateSigningRequest | undefined;
  const log = { ...silentLogger, info: () => answered() };
  const keeper = new CertificateKeeper({ client: client as unknown as Client, clock, log, random: () => 0 }, file, () => ({ signerName: "s", subject: { commonName: "system:node:n1" }, usage: "client auth", prefix: "csr-" }));
  const running = keeper.run(stop.signal);
  await clock.advance(69 * DAY_MS);
  t.is(asked, 0);
  await clock.advance(2 * DAY_MS);
  await done;
  t.is(asked, 1);
  const text = readFileSync(file, "utf8");
  t.true(readCertificate(text).notAfter > readCertificate(first.certificatePem).notAfter);
  t.regex(text, /PRIVATE KEY/);
  stop.abort();
  await running;
});

import test from "ava";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TLSSocket } from "node:tls";
import { Credentials, CREDENTIAL_CHECK_INTERVAL_MS } from "../../../lib/client/credentials.ts";
import { createClient } from "../../../lib/client/http-client.ts";
import { createAuthority, issue } from "../../../lib/pki/certificate.ts";
import { privateKeyPem } from "../../../lib/pki/keys.ts";
import { ManualClock } from "../../../lib/util/clock.ts";

const now = new Date(), authority = createAuthority({ commonName: "ca", now });
const pair = (commonName: string) => { const made = issue(authority, { subject: { commonName }, usages: ["client", "server"], names: ["127.0.0.1"], now }); return { certificate: made.certificatePem, key: privateKeyPem(made.key) }; };

function files(t: { teardown(f: () => void): void }): { readonly write: (name: string, text: string) => string } {
  const folder = mkdtempSync(path.join(tmpdir(), "credentials-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return { write: (name, text) => { const file = path.join(folder, name); writeFileSync(file, text); return file; } };
}

test("Credentials re-reads a token file after the interval, and keeps the last good one while it is empty", (t) => {
  const { write } = files(t);
  let nowMs = 0;
  const credentials = new Credentials({ server: "https://x", tokenFile: write("token", "one\n") }, () => nowMs);
  t.is(credentials.authorization(), "Bearer one");
  write("token", "two");
  t.is(credentials.authorization(), "Bearer one");
  nowMs += CREDENTIAL_CHECK_INTERVAL_MS;
  t.is(credentials.authorization(), "Bearer two");
  write("token", "");
  nowMs += CREDENTIAL_CHECK_INTERVAL_MS;
  t.is(credentials.authorization(), "Bearer two");
});

test("Credentials keeps the old pair while a rotation is half written", (t) => {
  const { write } = files(t), old = pair("old"), fresh = pair("new");
  let nowMs = 0;
  const credentials = new Credentials({ server: "https://x", certificateFile: write("c", old.certificate), keyFile: write("k", old.key) }, () => nowMs);
  const version = credentials.version;
  write("c", fresh.certificate);
  nowMs += CREDENTIAL_CHECK_INTERVAL_MS;
  t.is(credentials.version, version);
  t.is(credentials.tls().cert, old.certificate);
  write("k", fresh.key);
  nowMs += CREDENTIAL_CHECK_INTERVAL_MS;
  t.is(credentials.version, version + 1);
  t.is(credentials.tls().cert, fresh.certificate);
});

test("Credentials throws naming the server when there never was anything to read", (t) => {
  t.throws(() => new Credentials({ server: "https://x", certificateFile: "/nonexistent/c" }, () => 0).tls(), { message: /Cannot read credentials for https:\/\/x/ });
});

test("Client connects anew with a rotated certificate, without a failed request", async (t) => {
  const { write } = files(t), serving = pair("server"), first = pair("first"), second = pair("second"), clock = new ManualClock(), sessions = new Set<http2.ServerHttp2Session>();
  const server = http2.createSecureServer({ cert: serving.certificate, key: serving.key, ca: authority.certificatePem, requestCert: true, rejectUnauthorized: true });
  server.on("session", (session) => { sessions.add(session); session.on("close", () => sessions.delete(session)); });
  server.on("stream", (raw) => {
    const stream = raw as http2.ServerHttp2Stream;
    stream.respond({ ":status": 200 });
    stream.end((stream.session!.socket as TLSSocket).getPeerX509Certificate()!.subject);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = createClient({ server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, caData: authority.certificatePem, certificateFile: write("c", first.certificate), keyFile: write("k", first.key) }, { clock });
  t.teardown(() => { client.close(); for (const s of sessions) s.destroy(); server.close(); });
  t.is((await client.raw("GET", "/")).body, "CN=first");
  write("c", second.certificate);
  write("k", second.key);
  await clock.advance(CREDENTIAL_CHECK_INTERVAL_MS);
  t.is((await client.raw("GET", "/")).body, "CN=second");
});

import test, { type ExecutionContext } from "ava";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { ensureClusterPki } from "../../../lib/pki/cluster-pki.ts";

const FILES = ["apiserver-kubelet-client.crt", "apiserver-kubelet-client.key", "apiserver.crt", "apiserver.key", "ca.crt", "ca.key", "front-proxy-ca.crt", "front-proxy-ca.key", "front-proxy-client.crt", "front-proxy-client.key", "sa.key", "sa.pub"];
const MONTH_MS = 30 * 86_400_000;

function setUp(t: ExecutionContext) {
  const dir = mkdtempSync(path.join(tmpdir(), "pki-"));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const clock = { ms: Date.parse("2026-01-01T00:00:00Z"), now() { return new Date(this.ms); } };
  const ensure = (serviceNames = ["kubernetes"]) => ensureClusterPki({ dir, advertiseAddresses: ["10.89.0.1", "10.96.0.1"], serviceNames, clock });
  return { dir, clock, ensure };
}

test("ensureClusterPki() writes every file, keys readable by their owner alone", (t) => {
  const { dir, ensure } = setUp(t);
  t.deepEqual([...ensure().written].sort(), FILES);
  t.deepEqual(readdirSync(dir).sort(), FILES);
  for (const file of FILES) t.is(statSync(path.join(dir, file)).mode & 0o777, file.endsWith(".key") ? 0o600 : 0o644, file);
});

test("ensureClusterPki() keeps what is fresh and renews leafs, not keys of trust, after eleven months", (t) => {
  const { dir, clock, ensure } = setUp(t);
  ensure();
  const ca = readFileSync(path.join(dir, "ca.crt"), "utf8");
  t.deepEqual(ensure().written, []);
  clock.ms += 11 * MONTH_MS;
  const pki = ensure();
  t.deepEqual([...pki.written].sort(), FILES.filter((file) => file.startsWith("apiserver") || file.startsWith("front-proxy-client")));
  t.is(readFileSync(path.join(dir, "ca.crt"), "utf8"), ca);
  t.true(pki.apiServer.certificate.validToDate.getTime() > clock.ms + 11 * MONTH_MS);
});

test("ensureClusterPki() renews an old CA under its own key", (t) => {
  const { clock, ensure } = setUp(t);
  const before = ensure();
  clock.ms += 115 * MONTH_MS;
  const after = ensure();
  t.true(after.written.includes("ca.crt") && !after.written.includes("ca.key"));
  t.true(before.apiServer.certificate.verify(after.ca.certificate.publicKey));
});

test("ensureClusterPki() makes a new server certificate when a name is asked that it lacks", (t) => {
  const { ensure } = setUp(t);
  ensure();
  const pki = ensure(["kubernetes", "api.example"]);
  t.deepEqual([...pki.written], ["apiserver.key", "apiserver.crt"]);
  t.is(pki.apiServer.certificate.checkHost("api.example"), "api.example");
  t.is(pki.apiServer.certificate.checkIP("10.96.0.1"), "10.96.0.1");
});

test("ensureClusterPki() refuses a CA whose key is gone instead of replacing it", (t) => {
  const { dir, ensure } = setUp(t);
  ensure();
  rmSync(path.join(dir, "ca.key"));
  t.throws(() => ensure(), { message: /ca\.key is missing/ });
});

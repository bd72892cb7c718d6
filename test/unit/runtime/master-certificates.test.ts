import test from "ava";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Credentials, CREDENTIAL_CHECK_INTERVAL_MS } from "../../../lib/client/credentials.ts";
import { loadKubeconfig, makeKubeconfig, writeKubeconfig } from "../../../lib/client/kubeconfig.ts";
import { createAuthority, issue, keyMatches, readCertificate } from "../../../lib/pki/certificate.ts";
import { ensureClusterPki } from "../../../lib/pki/cluster-pki.ts";
import { generateKey, parsePrivateKey, privateKeyPem } from "../../../lib/pki/keys.ts";
import { MasterCertificates } from "../../../lib/runtime/master-certificates.ts";
import { ManualClock } from "../../../lib/util/clock.ts";
import { silentLogger } from "../../../lib/util/logger.ts";
import { X509Certificate } from "node:crypto";

const DAY_MS = 86_400_000;
function master(t: { teardown(f: () => void): void }, addresses?: () => readonly string[]) {
  const directory = mkdtempSync(path.join(tmpdir(), "kaji-master-")), clock = new ManualClock(new Date("2026-01-01T00:00:00Z")), pki = path.join(directory, "pki"), file = (name: string): string => path.join(pki, name), conf = path.join(directory, "scheduler.conf");
  t.teardown(() => rmSync(directory, { recursive: true }));
  const { ca } = ensureClusterPki({ dir: pki, advertiseAddresses: ["192.0.2.1"], serviceNames: ["kubernetes"], clock });
  const pair = issue(ca, { subject: { commonName: "system:kube-scheduler" }, usages: ["client"], now: clock.now() });
  writeKubeconfig(conf, makeKubeconfig({ cluster: "kaji", server: "https://192.0.2.1:6443", user: "system:kube-scheduler", ca: ca.certificatePem, certificate: pair.certificatePem, key: privateKeyPem(pair.key) }));
  return { directory, clock, file, conf, ca, keeper: new MasterCertificates({ clock, log: silentLogger, addresses }, { directory, lookPeriodMs: 50 * DAY_MS }), read: (name: string): string => readFileSync(file(name), "utf8") };
}
const LEAFS = ["apiserver-kubelet-client.crt", "apiserver.crt", "front-proxy-client.crt", "scheduler.conf"];

test("MasterCertificates renews each certificate of pki/ and of the kubeconfigs when a third of its life is left, and only then", async (t) => {
  const { clock, keeper, file, conf, read } = master(t), authorities = ["ca.crt", "ca.key", "front-proxy-ca.crt", "sa.key"].map(read);
  await clock.advance(240 * DAY_MS);
  t.deepEqual(keeper.renewDue(), []);
  await clock.advance(5 * DAY_MS);
  t.deepEqual(keeper.renewDue().map((name) => path.basename(name)).toSorted((a, b) => a.localeCompare(b)), LEAFS);
  t.deepEqual(keeper.renewDue(), [], "once");
  t.deepEqual(["ca.crt", "ca.key", "front-proxy-ca.crt", "sa.key"].map(read), authorities, "authorities stay");
  t.deepEqual([file("apiserver.key"), conf].map((name) => statSync(name).mode & 0o777), [0o600, 0o600]);
  for (const name of ["apiserver", "front-proxy-client"]) t.true(keyMatches(new X509Certificate(read(`${name}.crt`)), parsePrivateKey(read(`${name}.key`))));
});
test("MasterCertificates.run() looks again and again until it is stopped, and goes on after a failure", async (t) => {
  const { clock, keeper, file, read } = master(t), stop = new AbortController(), first = read("apiserver.crt");
  writeFileSync(file("odd.crt"), "nonsense");
  const running = keeper.run(stop.signal);
  await clock.advance(250 * DAY_MS);
  t.not(read("apiserver.crt"), first);
  stop.abort();
  await t.notThrowsAsync(running);
});
test("MasterCertificates heals what a crash left: a key without its certificate", (t) => {
  const { keeper, file, read } = master(t), names = readCertificate(read("apiserver.crt")).dnsNames;
  writeFileSync(file("apiserver.key"), privateKeyPem(generateKey()));
  t.deepEqual(keeper.renewDue(), [file("apiserver.crt")]);
  t.true(keyMatches(new X509Certificate(read("apiserver.crt")), parsePrivateKey(read("apiserver.key"))));
  t.deepEqual(readCertificate(read("apiserver.crt")).dnsNames, names);
});
test("MasterCertificates gives the API server's certificate the addresses the host has now, and keeps those it had", (t) => {
  const { keeper, file, read } = master(t, () => ["192.0.2.77"]);
  t.deepEqual(keeper.renewDue(), [file("apiserver.crt")]);
  const { ipAddresses } = readCertificate(read("apiserver.crt"));
  t.true(["192.0.2.1", "192.0.2.77", "127.0.0.1"].every((address) => ipAddresses.includes(address)), ipAddresses.join(" "));
  t.deepEqual(keeper.renewDue(), []);
});
test("MasterCertificates leaves alone what another authority signed, and everything when the authority's key is elsewhere", async (t) => {
  const { clock, keeper, file, read, directory } = master(t), stranger = createAuthority({ commonName: "company", now: clock.now() }), pair = issue(stranger, { subject: { commonName: "api.example" }, usages: ["server"], now: clock.now() });
  writeFileSync(file("apiserver.crt"), pair.certificatePem);
  writeFileSync(file("apiserver.key"), privateKeyPem(pair.key));
  rmSync(file("front-proxy-ca.key"));
  writeKubeconfig(path.join(directory, "kubelet.conf"), makeKubeconfig({ cluster: "c", server: "https://x", user: "u", certificateFile: "/x.pem", keyFile: "/x.pem" }));
  await clock.advance(300 * DAY_MS);
  t.deepEqual(keeper.renewDue().map((name) => path.basename(name)), ["apiserver-kubelet-client.crt", "scheduler.conf"]);
  t.is(read("apiserver.crt"), pair.certificatePem);
});
test("Credentials take up the pair a kubeconfig was given, and keep the old one while the file is damaged", async (t) => {
  const { clock, keeper, conf } = master(t), credentials = new Credentials(loadKubeconfig(conf), () => clock.monotonicMs()), first = credentials.tls().cert, { version } = credentials;
  chmodSync(conf, 0o600);
  const whole = readFileSync(conf, "utf8");
  writeFileSync(conf, "users: [");
  await clock.advance(CREDENTIAL_CHECK_INTERVAL_MS);
  t.is(credentials.tls().cert, first);
  writeFileSync(conf, whole);
  await clock.advance(250 * DAY_MS);
  keeper.renewDue();
  await clock.advance(CREDENTIAL_CHECK_INTERVAL_MS);
  t.true(credentials.version > version);
  t.not(credentials.tls().cert, first);
  t.true(new X509Certificate(credentials.tls().cert!).validToDate.getTime() > clock.now().getTime() + 300 * DAY_MS);
});

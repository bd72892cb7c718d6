/** Pace, health, addresses and configuration of the proxy. */
import test from "ava";
import { readFileSync } from "node:fs";
import { CONFIG_DEFAULTS, readProxyConfiguration } from "../../../lib/proxy/config.ts";
import { ConfigError, parseConfig } from "../../../lib/util/config-file.ts";
import { ProxyHealth, isNodeEligible } from "../../../lib/proxy/health-server.ts";
import { parseListenAddress, serveHttp } from "../../../lib/proxy/http-server.ts";
import { conntrackSysctls } from "../../../lib/proxy/kernel-settings.ts";
import { nodePortAddresses } from "../../../lib/proxy/node-addresses.ts";
import { ServiceHealthServers } from "../../../lib/proxy/service-health.ts";
import { ServiceHealthWishes } from "../../../lib/proxy/service-health-wishes.ts";
import { SyncPace } from "../../../lib/proxy/sync-pace.ts";
import { ManualClock, systemClock } from "../../../lib/util/clock.ts";
import { silentLogger } from "../../../lib/util/logger.ts";
import { makeService, makeSlice } from "./objects.ts";

async function msUntil(clock: ManualClock, work: Promise<void>): Promise<number> {
  let done = false;
  void work.then(() => { done = true; });
  const startMs = clock.monotonicMs();
  for (let i = 0; i < 10_000 && !done; i++) await clock.advance(1);
  return clock.monotonicMs() - startMs;
}

test("SyncPace waits a moment when idle, and half as long as the last sync took when busy", async (t) => {
  const clock = new ManualClock(), pace = new SyncPace(clock, { minPeriodMs: 0 }), { signal } = new AbortController();
  t.is(await msUntil(clock, pace.wait(signal)), 5);
  pace.took(200);
  t.is(await msUntil(clock, pace.wait(signal)), 100);
  pace.took(60_000);
  t.is(await msUntil(clock, pace.wait(signal)), 1_000, "at most a second");
});

test("SyncPace with a least period lets two syncs through and then one a period", async (t) => {
  const clock = new ManualClock(), pace = new SyncPace(clock, { minPeriodMs: 1_000 }), { signal } = new AbortController();
  t.is(await msUntil(clock, pace.wait(signal)), 5);
  t.is(await msUntil(clock, pace.wait(signal)), 5);
  t.true(await msUntil(clock, pace.wait(signal)) > 900);
});

test("ProxyHealth is unwell when a sync has been due for two periods, and well again after it", async (t) => {
  const clock = new ManualClock(), health = new ProxyHealth(clock, 30_000);
  t.is(health.healthz().code, 200);
  health.queued("IPv4");
  await clock.advance(59_000);
  health.queued("IPv4"); // A later wish does not hide that the first is late.
  t.true(health.healthy);
  await clock.advance(1_000);
  t.is(health.healthz().code, 503);
  t.is(health.livez().code, 503);
  health.synced("IPv4");
  t.is(health.healthz().body, '{"lastUpdated": "2026-01-01 00:01:00 +0000 UTC","currentTime": "2026-01-01 00:01:00 +0000 UTC", "nodeEligible": true}');
});

test("ProxyHealth tells load balancers, but not supervisors, that the node is leaving", (t) => {
  const health = new ProxyHealth(new ManualClock(), 30_000);
  health.nodeEligible = isNodeEligible({ metadata: { name: "n" }, spec: { taints: [{ key: "ToBeDeletedByClusterAutoscaler", effect: "NoSchedule" }] } });
  t.is(health.healthz().code, 503);
  t.regex(health.healthz().body, /"nodeEligible": false/);
  t.is(health.livez().code, 200);
  t.false(isNodeEligible({ metadata: { name: "n", deletionTimestamp: "2026-01-01T00:00:00Z" }, spec: {} }));
  t.true(isNodeEligible(undefined));
});

test("parseListenAddress() reads hosts, brackets and nothing", (t) => {
  t.deepEqual(parseListenAddress("0.0.0.0:10256"), { host: "0.0.0.0", port: 10256 });
  t.deepEqual(parseListenAddress("[::1]:80"), { host: "::1", port: 80 });
  t.deepEqual(parseListenAddress(":80"), { host: "::", port: 80 });
  t.throws(() => parseListenAddress("host"), { instanceOf: RangeError });
});

test("nodePortAddresses() resolves ranges and the word primary", (t) => {
  const local = ["10.0.0.5", "127.0.0.1", "192.168.0.2"];
  t.is(nodePortAddresses([], 4, local, undefined), "all");
  t.is(nodePortAddresses(["0.0.0.0/0"], 4, local, undefined), "all");
  t.deepEqual(nodePortAddresses(["192.168.0.0/16", "127.0.0.0/8"], 4, local, undefined), ["127.0.0.1", "192.168.0.2"]);
  t.deepEqual(nodePortAddresses(["primary"], 4, local, "10.0.0.5"), ["10.0.0.5"]);
  t.is(nodePortAddresses(["192.168.0.0/16"], 6, [], undefined), "all", "ranges of the other family say nothing");
});

test("ServiceHealthWishes counts ready endpoints on this node, each address once", (t) => {
  const slices = [makeSlice("web", [{ ip: "10.244.1.1", node: "node-a" }, { ip: "10.244.1.2", node: "node-a", ready: false }, { ip: "10.244.2.1", node: "node-b" }]), makeSlice("web", [{ ip: "10.244.1.1", node: "node-a" }], { name: "other" }, "web-2")];
  let service: ReturnType<typeof makeService> | undefined = makeService("web", { type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: 31_000 });
  const wishes = new ServiceHealthWishes({ service: () => service, slices: () => slices }, "node-a");
  t.true(wishes.update("ns/web"));
  t.false(wishes.update("ns/web"));
  t.deepEqual(wishes.all(), [{ service: "ns/web", port: 31_000, localEndpoints: 1 }]);
  service = undefined;
  t.true(wishes.update("ns/web"));
  t.deepEqual(wishes.all(), []);
});

test("ServiceHealthServers answers with upstream's body, and 503 without local endpoints", async (t) => {
  const probe = new AbortController();
  const port = await new Promise<number>((resolve) => void serveHttp({ host: "127.0.0.1", port: 0 }, () => ({ code: 200, body: "" }), probe.signal, resolve));
  probe.abort();
  await systemClock.sleep(20);
  const servers = new ServiceHealthServers(silentLogger, { host: "127.0.0.1", proxyHealthy: () => true });
  await servers.sync([{ service: "ns/web", port, localEndpoints: 2 }]);
  await systemClock.sleep(50);
  const good = await fetch(`http://127.0.0.1:${port}/`);
  t.is(good.status, 200);
  t.is(good.headers.get("x-load-balancing-endpoint-weight"), "2");
  t.is(await good.text(), '{\n\t"service": {\n\t\t"namespace": "ns",\n\t\t"name": "web"\n\t},\n\t"localEndpoints": 2,\n\t"serviceProxyHealthy": true\n}');
  await servers.sync([{ service: "ns/web", port, localEndpoints: 0 }]);
  t.is((await fetch(`http://127.0.0.1:${port}/`)).status, 503);
  await servers.close();
  await t.throwsAsync(fetch(`http://127.0.0.1:${port}/`));
});

test("conntrackSysctls() leaves alone what is zero and scales with cores", (t) => {
  const zero = { maxPerCore: 0, min: 0, tcpEstablishedTimeoutMs: 0, tcpCloseWaitTimeoutMs: 0, tcpBeLiberal: false, udpTimeoutMs: 0, udpStreamTimeoutMs: 0 };
  t.deepEqual(conntrackSysctls(zero, 8), []);
  t.deepEqual(conntrackSysctls({ ...CONFIG_DEFAULTS.conntrack, tcpBeLiberal: true }, 8), [
    ["net.netfilter.nf_conntrack_max", "262144"], ["net.netfilter.nf_conntrack_tcp_timeout_established", "86400"],
    ["net.netfilter.nf_conntrack_tcp_timeout_close_wait", "3600"], ["net.netfilter.nf_conntrack_tcp_be_liberal", "1"],
  ]);
});

test("readProxyConfiguration() reads kubeadm's file, tells what does nothing here, and names line and field of what it refuses", (t) => {
  const kubeadm = readFileSync(new URL("../../golden/proxy-kubeadm-config.yaml", import.meta.url), "utf8").trimEnd(), last = kubeadm.split("\n").length + 1;
  const read = (text: string) => readProxyConfiguration(parseConfig(text, "p.yaml")[0]!);
  const { config, unused } = read(kubeadm);
  t.deepEqual(config, { ...CONFIG_DEFAULTS, kubeconfig: "/var/lib/kube-proxy/kubeconfig.conf", clusterCidrs: ["10.244.0.0/16"] });
  t.deepEqual(unused, []);
  t.deepEqual(read(kubeadm.replace(/^featureGates:.*\n?/m, "").concat("\nfeatureGates: {X: true}\n")).unused, ["featureGates"]);
  t.throws(() => read(`${kubeadm}\nclusterCidr: x\n`), { instanceOf: ConfigError, message: `Cannot use p.yaml, line ${last}: unknown field "clusterCidr"; did you mean "clusterCIDR"?` });
  t.throws(() => read(kubeadm.replace(/^mode:.*$/m, "mode: ipvs")), { message: /p\.yaml, line \d+: mode "ipvs" is not supported: this kube-proxy knows only iptables/ });
  t.throws(() => read("apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\niptables:\n  syncPeriod: soon\n"), { message: 'Cannot use p.yaml, line 4: field "iptables.syncPeriod" must be a duration such as 1m30s, found "soon"' });
  t.throws(() => read("kind: Pod\n"), { message: /KubeProxyConfiguration/ });
});

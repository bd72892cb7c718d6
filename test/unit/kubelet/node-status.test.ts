import test from "ava";
import { readKubeletConfiguration } from "../../../lib/kubelet/kubelet-configuration.ts";
import { parseConfig } from "../../../lib/util/config-file.ts";
import { nodeStatus, nodeStatusDiffers, type NodeFacts } from "../../../lib/kubelet/node-status.ts";
import { NOW_MS } from "./builders.ts";

const MIB = 2 ** 20;
const makeFacts = (over: Partial<NodeFacts> = {}): NodeFacts => ({
  machine: { cpus: 4, memoryBytes: 1_024 * MIB, swapBytes: 0, machineId: "m", systemUuid: "s", bootId: "b", kernelVersion: "6.1", osImage: "Debian", architecture: "amd64" }, hostname: "n1", addresses: ["10.0.0.1"], kubeletPort: 10_250,
  runtimeVersion: "containerd://1.6", capacity: { cpuMilli: 4_000, memoryBytes: 1_024 * MIB, ephemeralStorageBytes: 1_000 * 1_024, pods: 110 }, reserved: { cpuMilli: 500, memoryBytes: 24 * MIB, ephemeralStorageBytes: 0, pods: 0 },
  evictionMemoryBytes: 100 * MIB, images: [], pressure: { memory: false, disk: false, pids: false }, notReady: [], ...over,
});

test("nodeStatus() takes what is reserved and what eviction needs from what pods may have", (t) => {
  const status = nodeStatus(makeFacts(), undefined, NOW_MS);
  t.like(status.capacity, { cpu: "4", memory: "1048576Ki", "ephemeral-storage": "1000Ki", pods: "110" });
  t.like(status.allocatable, { cpu: "3500m", memory: "921600Ki", "ephemeral-storage": "921600", pods: "110" });
  t.deepEqual(status.addresses, [{ type: "InternalIP", address: "10.0.0.1" }, { type: "Hostname", address: "n1" }]);
  t.like(status.nodeInfo, { kubeletVersion: "v1.36.0", containerRuntimeVersion: "containerd://1.6", osImage: "Debian", kernelVersion: "6.1", operatingSystem: "linux" });
});
test("nodeStatus() tells pressure and why it is not ready, and keeps the time of what did not change", (t) => {
  const before = nodeStatus(makeFacts(), undefined, NOW_MS - 60_000);
  const now = nodeStatus(makeFacts({ pressure: { memory: false, disk: true, pids: false }, notReady: ["container runtime is down", "x"] }), before, NOW_MS);
  const brief = Object.fromEntries(now.conditions!.map((c) => [c.type, [c.status, c.reason, c.lastTransitionTime]]));
  t.deepEqual(brief, {
    MemoryPressure: ["False", "KubeletHasSufficientMemory", "2025-12-31T23:59:00Z"], DiskPressure: ["True", "KubeletHasDiskPressure", "2026-01-01T00:00:00Z"],
    PIDPressure: ["False", "KubeletHasSufficientPID", "2025-12-31T23:59:00Z"], Ready: ["False", "KubeletNotReady", "2026-01-01T00:00:00Z"],
  });
  t.is(now.conditions!.at(-1)!.message, "[container runtime is down, x]");
});
test("nodeStatusDiffers() does not count heartbeats, nor conditions of others", (t) => {
  const before = nodeStatus(makeFacts(), undefined, NOW_MS), later = nodeStatus(makeFacts(), before, NOW_MS + 9_000);
  t.false(nodeStatusDiffers({ ...before, conditions: [...before.conditions!, { type: "NetworkUnavailable", status: "False" }] }, later));
  t.true(nodeStatusDiffers(before, nodeStatus(makeFacts({ notReady: ["x"] }), before, NOW_MS)));
  t.true(nodeStatusDiffers(undefined, later));
});

test("readKubeletConfiguration() reads what it knows, names what it does not use and refuses the rest by line", (t) => {
  const head = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n", read = (text: string) => readKubeletConfiguration(parseConfig(text, "k.yaml")[0]!);
  const { configuration, warnings } = read(`${head}clusterDNS: [10.96.0.10]\nmaxPods: 5\nnodeStatusReportFrequency: 1m\nauthentication:\n  x509: {clientCAFile: /ca}\n  anonymous: {enabled: false}\n  webhook: {enabled: true, cacheTTL: 0s}\nauthorization: {mode: AlwaysAllow}\ntopologyManagerPolicy: none\n`);
  t.deepEqual(configuration, { clusterDNS: ["10.96.0.10"], maxPods: 5, nodeStatusReportFrequencyMs: 60_000, clientCAFile: "/ca", anonymousAuth: false, authorizationMode: "AlwaysAllow" });
  t.deepEqual(warnings, ["authentication.webhook.enabled is not used by this release", "topologyManagerPolicy is not used by this release"]);
  t.throws(() => read(`${head}maxPod: 1\n`), { message: 'Cannot use k.yaml, line 3: unknown field "maxPod"; did you mean "maxPods"?' });
  t.throws(() => read(`${head}authentication:\n  x509:\n    clientCaFile: /ca\n`), { message: 'Cannot use k.yaml, line 5: unknown field "authentication.x509.clientCaFile"; did you mean "clientCAFile"?' });
  t.throws(() => read(`${head}maxPods: many\n`), { message: 'Cannot use k.yaml, line 3: field "maxPods" must be a whole number, found "many"' });
  t.throws(() => read(`${head}cgroupDriver: openrc\n`), { message: /line 3: field "cgroupDriver" must be cgroupfs or systemd, found "openrc"/ });
  t.throws(() => read("kind: Pod\n"), { message: 'Cannot use k.yaml, line 1: field "kind" must be KubeletConfiguration, found "Pod"' });
});

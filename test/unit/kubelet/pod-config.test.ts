import test from "ava";
import { containerConfig, volumeMount } from "../../../lib/kubelet/container-config.ts";
import { linuxResources, milliCpuToQuota, milliCpuToShares, oomScoreAdjust, podCgroup, podCgroupResources } from "../../../lib/kubelet/container-resources.ts";
import { parseResolvConf, podDnsConfig, type DnsSettings } from "../../../lib/kubelet/dns-config.ts";
import { hostNetworkHosts, podHosts } from "../../../lib/kubelet/hosts-file.ts";
import { podHostname, sandboxConfig } from "../../../lib/kubelet/sandbox-config.ts";
import { checkRunAsNonRoot, containerSecurityContext, sandboxSecurityContext } from "../../../lib/kubelet/security-context.ts";
import { makeContainer, makePod } from "./builders.ts";

const GIB = 2 ** 30;
const dns: DnsSettings = { clusterDns: ["10.96.0.10"], clusterDomain: "cluster.local", host: { servers: ["9.9.9.9"], searches: ["corp"], options: ["edns0"] } };

test("podDnsConfig() follows the policy, and a pod on the host's network has the host's unless it asks", (t) => {
  t.deepEqual(podDnsConfig(makePod(), dns), { servers: ["10.96.0.10"], searches: ["default.svc.cluster.local", "svc.cluster.local", "cluster.local", "corp"], options: ["ndots:5"] });
  for (const spec of [{ dnsPolicy: "Default" }, { hostNetwork: true }]) t.deepEqual(podDnsConfig(makePod({ spec }), dns), { servers: ["9.9.9.9"], searches: ["corp"], options: ["edns0"] });
  t.deepEqual(podDnsConfig(makePod({ spec: { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet" } }), dns).servers, ["10.96.0.10"]);
  t.deepEqual(podDnsConfig(makePod({ spec: { dnsPolicy: "None", dnsConfig: { nameservers: ["1.1.1.1"], searches: ["x"], options: [{ name: "ndots", value: "2" }, { name: "rotate" }] } } }), dns), { servers: ["1.1.1.1"], searches: ["x"], options: ["ndots:2", "rotate"] });
  t.deepEqual(podDnsConfig(makePod({ spec: { dnsConfig: { options: [{ name: "ndots", value: "1" }] } } }), dns).options, ["ndots:1"]);
});
test("parseResolvConf() takes the last search line and leaves comments out", (t) => {
  t.deepEqual(parseResolvConf("# x\nsearch a\nnameserver 1.1.1.1 # y\nsearch b. c\noptions ndots:1 rotate\n"), { servers: ["1.1.1.1"], searches: ["b", "c"], options: ["ndots:1", "rotate"] });
});

test("podHostname() truncates, and gives a full name to a pod with a subdomain", (t) => {
  t.is(podHostname(makePod({ metadata: { name: `${"a".repeat(62)}.b` } }), "cluster.local").hostname, "a".repeat(62));
  t.deepEqual(podHostname(makePod({ spec: { hostname: "h", subdomain: "s" } }), "cluster.local"), { hostname: "h", fqdn: "h.s.default.svc.cluster.local" });
  t.is(podHostname(makePod({ spec: { hostname: "h", subdomain: "s", setHostnameAsFQDN: true } }), "cluster.local").hostname, "h.s.default.svc.cluster.local");
});
test("podHosts() is upstream's file", (t) => {
  t.is(podHosts(["10.0.0.2"], "web", undefined, [{ ip: "1.2.3.4", hostnames: ["a", "b"] }]),
    "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n10.0.0.2\tweb\n\n# Entries added by HostAliases.\n1.2.3.4\ta\tb\n");
  t.is(hostNetworkHosts("127.0.0.1 x\n", []), "# Kubernetes-managed hosts file (host network).\n127.0.0.1 x\n");
});

test("sandboxConfig() carries names, labels, ports with a host port and sysctls", (t) => {
  const pod = makePod({ metadata: { labels: { app: "x" } }, spec: { containers: [makeContainer("a", { ports: [{ containerPort: 80 }, { containerPort: 81, hostPort: 8081, protocol: "UDP", hostIP: "127.0.0.1" }] })], securityContext: { sysctls: [{ name: "net.core.somaxconn", value: "9" }] } } });
  const config = sandboxConfig(pod, 2, { nodeName: "n1", dns, logRoot: "/var/log/pods", cgroupParent: "/k/podu1" });
  t.deepEqual(config.metadata, { name: "web", uid: "u1", namespace: "default", attempt: 2 });
  t.is(config.logDirectory, "/var/log/pods/default_web_u1");
  t.deepEqual(config.portMappings, [{ protocol: "UDP", containerPort: 81, hostPort: 8081, hostIp: "127.0.0.1" }]);
  t.like(config.labels, { app: "x", "io.kubernetes.pod.uid": "u1", "io.kajitori.node": "n1" });
  t.deepEqual(config.linux?.sysctls, { "net.core.somaxconn": "9" });
  t.is(sandboxConfig(makePod({ spec: { hostNetwork: true } }), 0, { nodeName: "n1", dns, logRoot: "/l", cgroupParent: "" }).hostname, "");
});

test("cpu amounts become shares and quota within the kernel's bounds", (t) => {
  t.deepEqual([0, 1, 100, 1_000, 10_000_000].map(milliCpuToShares), [2, 2, 102, 1_024, 262_144]);
  t.deepEqual([0, 1, 100, 2_500].map(milliCpuToQuota), [-1, 1_000, 10_000, 250_000]);
});
test("oomScoreAdjust() is upstream's ladder", (t) => {
  const score = (resources: object, spec = {}): number => { const container = makeContainer("main", { resources }); return oomScoreAdjust(makePod({ spec: { containers: [container], ...spec } }), container, 4 * GIB); };
  t.is(score({ requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "1", memory: "1Gi" } }), -997);
  t.is(score({}), 1_000);
  t.is(score({ requests: { memory: "1Gi" } }), 750);
  t.is(score({ requests: { memory: "1" } }), 999);
  t.is(score({ requests: { memory: "4Gi" } }), 3);
  t.is(score({}, { priorityClassName: "system-node-critical" }), -997);
  const main = makeContainer("main", { resources: { requests: { memory: "1Gi" } } }), big = makeContainer("big", { resources: { requests: { memory: "2Gi" } } }), sidecar = makeContainer("sidecar", { restartPolicy: "Always", resources: { requests: { memory: "1Mi" } } });
  t.is(oomScoreAdjust(makePod({ spec: { containers: [main, big], initContainers: [sidecar] } }), sidecar, 4 * GIB), 750, "a sidecar is no more willing to go than the smallest container it is there for");
});
test("linuxResources() takes the limit for a request that is not set", (t) => {
  const container = makeContainer("main", { resources: { limits: { cpu: "500m", memory: "64Mi" } } });
  t.like(linuxResources(makePod({ spec: { containers: [container] } }), container, GIB), { cpuShares: 512, cpuQuota: 50_000, cpuPeriod: 100_000, memoryLimitInBytes: 67_108_864 });
});
test("podCgroupResources() limits the pod only where every container is limited, and counts sidecars with init containers", (t) => {
  const one = makeContainer("a", { resources: { requests: { cpu: "100m" }, limits: { cpu: "1", memory: "1Gi" } } });
  t.deepEqual(podCgroupResources(makePod({ spec: { containers: [one, { ...one, name: "b" }] } })), { cpuShares: 204, cpuQuotaUs: 200_000, cpuPeriodUs: 100_000, memoryMaxBytes: 2 * GIB });
  t.deepEqual(podCgroupResources(makePod({ spec: { containers: [one, makeContainer("b")] } })), { cpuShares: 102 });
  t.is(podCgroupResources(makePod({ spec: { containers: [one], initContainers: [makeContainer("side", { restartPolicy: "Always", resources: { requests: { cpu: "50m" } } }), makeContainer("init", { resources: { requests: { cpu: "400m" } } })] } })).cpuShares, milliCpuToShares(450));
});
test("podCgroup() lies under its quality of service", (t) => {
  const guaranteed = makeContainer("main", { resources: { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "1", memory: "1Gi" } } });
  t.deepEqual(podCgroup(["root"], makePod()), ["root", "kubepods", "besteffort", "podu1"]);
  t.deepEqual(podCgroup([], makePod({ spec: { containers: [guaranteed] } })), ["kubepods", "podu1"]);
});

test("containerSecurityContext() lets the container override the pod, and unmasks a privileged one", (t) => {
  const pod = makePod({ spec: { securityContext: { runAsUser: 1, runAsGroup: 2, fsGroup: 7, supplementalGroups: [7, 8], seccompProfile: { type: "RuntimeDefault" } } } });
  const context = containerSecurityContext(pod, makeContainer("main", { securityContext: { runAsUser: 5, allowPrivilegeEscalation: false, capabilities: { add: ["NET_ADMIN"], drop: ["ALL"] } } }), "/seccomp", undefined);
  t.like(context, { runAsUser: { value: 5 }, runAsGroup: { value: 2 }, noNewPrivs: true, seccomp: { profileType: "RuntimeDefault" }, capabilities: { addCapabilities: ["NET_ADMIN"], dropCapabilities: ["ALL"] } });
  t.deepEqual(context.supplementalGroups, [7, 8]);
  t.true(context.maskedPaths!.includes("/proc/kcore"));
  const privileged = containerSecurityContext(pod, makeContainer("main", { securityContext: { privileged: true } }), "/seccomp", undefined);
  t.like(privileged, { privileged: true, maskedPaths: [], readonlyPaths: [], seccomp: { profileType: "Unconfined" } });
  t.is(containerSecurityContext(pod, makeContainer("main", { securityContext: { seccompProfile: { type: "Localhost", localhostProfile: "p.json" } } }), "/seccomp", undefined).seccomp!.localhostRef, "/seccomp/p.json");
  t.like(containerSecurityContext(pod, makeContainer("debug"), "/s", "abc").namespaceOptions, { pid: "TARGET", targetId: "abc" });
});
test("sandboxSecurityContext() shares the namespaces the pod asks for", (t) => {
  t.deepEqual(sandboxSecurityContext(makePod({ spec: { hostPID: true, hostIPC: true, hostNetwork: true } })).namespaceOptions, { network: "NODE", pid: "NODE", ipc: "NODE" });
  t.deepEqual(sandboxSecurityContext(makePod({ spec: { shareProcessNamespace: true } })).namespaceOptions, { network: "POD", pid: "POD", ipc: "POD" });
});
test("checkRunAsNonRoot() refuses what would run as root or cannot be told", (t) => {
  const pod = makePod({ spec: { securityContext: { runAsNonRoot: true } } }), check = (over: object, image = {}): (() => void) => () => checkRunAsNonRoot(pod, makeContainer("main", { securityContext: over }), image);
  t.throws(check({}), { message: 'container has runAsNonRoot and image will run as root (pod: "web_default(u1)", container: main)' });
  t.throws(check({ runAsUser: 0 }), { message: /^container's runAsUser breaks non-root policy/ });
  t.throws(check({}, { username: "nobody" }), { message: /^container has runAsNonRoot and image has non-numeric user \(nobody\), cannot verify/ });
  t.notThrows(check({ runAsUser: 1 }));
  t.notThrows(check({}, { uid: 65_532 }));
  t.notThrows(check({ runAsNonRoot: false }));
});

test("containerConfig() expands command and arguments and counts the run", (t) => {
  const container = makeContainer("main", { command: ["run", "$(A)"], args: ["$(B)", "$$(A)"], lifecycle: { stopSignal: "SIGRTMIN+3" } });
  const config = containerConfig({ pod: makePod({ spec: { containers: [container] } }), container, attempt: 3, imageRef: "sha256:1", environment: new Map([["A", "1"]]), mounts: [], nodeName: "n1", memoryCapacityBytes: GIB, seccompRoot: "/s" });
  t.deepEqual([config.command, config.args, config.logPath, config.metadata, config.stopSignal], [["run", "1"], ["$(B)", "$(A)"], "main/3.log", { name: "main", attempt: 3 }, "SIGNAL_SIGRTMINPLUS3"]);
  t.is(config.annotations!["io.kubernetes.container.restartCount"], "3");
});
test("volumeMount() is read-only where the volume is, whatever the mount says", (t) => t.deepEqual([true, false].map((isReadOnly) => volumeMount({ name: "v", mountPath: "/data" }, "/h", isReadOnly).readonly), [true, false]));

test("volumeMount() maps propagation", (t) => t.like(volumeMount({ name: "v", mountPath: "data", readOnly: true, mountPropagation: "Bidirectional" }, "/h", false), { containerPath: "/data", hostPath: "/h", readonly: true, propagation: "PROPAGATION_BIDIRECTIONAL" }));

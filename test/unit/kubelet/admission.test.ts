import test from "ava";
import { dottedSysctl } from "../../../lib/kubelet/sysctl-name.ts";
import type { Node, PodSpec } from "../../../lib/api/schema/generated/models.ts";
import { admitPod } from "../../../lib/kubelet/admit-pod.ts";
import { referencesOf } from "../../../lib/kubelet/object-cache.ts";
import { planResize } from "../../../lib/kubelet/resize.ts";
import { exited, makeContainer, makePod, makeRun, makeRuntime } from "./builders.ts";

const node: Node = { metadata: { name: "n1", labels: { disk: "ssd" } }, spec: { taints: [{ key: "soft", effect: "NoSchedule" }, { key: "hard", effect: "NoExecute" }] }, status: { allocatable: { cpu: "2", memory: "1Gi", pods: "2" } } };
const tolerations = [{ key: "hard", operator: "Exists" }], asks = (cpu: string): PodSpec["containers"] => [makeContainer("main", { resources: { requests: { cpu } } })];
const verdict = (spec: Partial<PodSpec>, others: Partial<PodSpec>[] = [], unsafe: string[] = []): string => {
  const rejection = admitPod(makePod({ spec: { tolerations, ...spec } }), node, others.map((other, i) => makePod({ metadata: { uid: `o${i}` }, spec: other })), { allowedUnsafeSysctls: unsafe, abilities: { appArmor: false, seLinux: false } });
  return rejection === undefined ? "yes" : `${rejection.reason}: ${rejection.message}`;
};

test("admitPod() takes what fits, and names what is lacking", (t) => {
  t.is(verdict({ containers: asks("1") }, [{ containers: asks("1") }]), "yes");
  t.is(verdict({ containers: asks("1500m") }, [{ containers: asks("1") }]), "OutOfcpu: Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000");
  t.is(verdict({}, [{}, {}]), "OutOfpods: Node didn't have enough resource: pods, requested: 1, used: 2, capacity: 2");
});
test("admitPod() does not count the pod itself, nor pods that have ended", (t) => {
  const pod = makePod({ spec: { containers: asks("2"), tolerations } });
  t.is(admitPod(pod, node, [pod, makePod({ metadata: { uid: "done" }, spec: { containers: asks("2") }, status: { phase: "Succeeded" } })], { allowedUnsafeSysctls: [], abilities: { appArmor: false, seLinux: false } }), undefined);
});
test("admitPod() refuses by selector, host port and taint", (t) => {
  t.regex(verdict({ nodeSelector: { disk: "hdd" } }), /^NodeAffinity: Predicate NodeAffinity failed/);
  const port = (hostPort: number): Partial<PodSpec> => ({ containers: [makeContainer("main", { ports: [{ containerPort: 1, hostPort }] })] });
  t.regex(verdict(port(80), [port(80)]), /^NodePorts: /);
  t.is(verdict(port(80), [port(81)]), "yes");
  t.regex(verdict({ tolerations: [] }), /^TaintToleration: /);
});
test("admitPod() lets through safe sysctls and those the node allows", (t) => {
  const sysctl = (name: string, spec: Partial<PodSpec> = {}): Partial<PodSpec> => ({ securityContext: { sysctls: [{ name, value: "1" }] }, ...spec });
  t.is(verdict(sysctl("net.ipv4.tcp_syncookies")), "yes");
  t.is(verdict(sysctl("kernel.msgmax")), 'SysctlForbidden: forbidden sysctl: "kernel.msgmax" not allowlisted');
  t.is(verdict(sysctl("kernel.msgmax"), [], ["kernel.msg*"]), "yes");
  t.regex(verdict(sysctl("net.ipv4.tcp_syncookies", { hostNetwork: true })), /not allowed with host net enabled$/);
});

test("admitPod() refuses by name what this release cannot do", (t) => {
  const container = (over: object): Partial<PodSpec> => ({ containers: [makeContainer("main", over)] });
  t.is(verdict({ hostUsers: false }), "Unsupported: spec.hostUsers: user namespaces are not supported by this release");
  t.is(verdict(container({ volumeDevices: [{ name: "v", devicePath: "/d" }] })), 'Unsupported: container "main": volumeDevices: block volumes are not supported by this release');
  t.regex(verdict(container({ securityContext: { appArmorProfile: { type: "RuntimeDefault" } } })), /AppArmor is not enabled on the host$/);
  t.is(verdict(container({ securityContext: { appArmorProfile: { type: "Unconfined" } } })), "yes");
  t.regex(verdict(container({ securityContext: { seLinuxOptions: { level: "s0" } } })), /SELinux is not enabled/);
  t.regex(verdict({ resourceClaims: [{ name: "gpu" }] }), /dynamic resource allocation/);
});

test("planResize() finds running containers whose resources changed, and whether they must run anew", (t) => {
  const limits = (cpu: string, memory: string): { limits: Record<string, string> } => ({ limits: { cpu, memory } });
  const pod = makePod({ spec: { containers: [makeContainer("main", { resources: limits("2", "1Gi"), resizePolicy: [{ resourceName: "memory", restartPolicy: "RestartContainer" }] })] } });
  const plan = (given: object, run = makeRun()): boolean[] => planResize(pod, makeRuntime([run]), new Map([["main-0", given]])).map(({ restart }) => restart);
  t.deepEqual(plan(limits("2", "1Gi")), []);
  t.deepEqual(plan(limits("1", "1Gi")), [false]);
  t.deepEqual(plan(limits("2", "2Gi")), [true]);
  t.deepEqual(plan(limits("1", "1Gi"), exited("main", 0)), []);
});

test("referencesOf() finds every configMap and secret a pod names", (t) => {
  const pod = makePod({ spec: {
    imagePullSecrets: [{ name: "pull" }], initContainers: [makeContainer("i", { envFrom: [{ configMapRef: { name: "c1" } }, { secretRef: { name: "s1" } }] })],
    containers: [makeContainer("main", { env: [{ name: "a", valueFrom: { configMapKeyRef: { name: "c2", key: "k" } } }, { name: "b", valueFrom: { secretKeyRef: { name: "s2", key: "k" } } }] })],
    volumes: [{ name: "v1", configMap: { name: "c3" } }, { name: "v2", secret: { secretName: "s3" } }, { name: "v3", projected: { sources: [{ configMap: { name: "c4" } }, { secret: { name: "s4" } }] } }, { name: "v4", emptyDir: {} }],
  } });
  const found = referencesOf(pod);
  t.deepEqual([[...found.configMaps].sort(), [...found.secrets].sort()], [["c1", "c2", "c3", "c4"], ["pull", "s1", "s2", "s3", "s4"]]);
});

test("dottedSysctl() changes dots and slashes in a name that begins with a slash's part", (t) => {
  t.deepEqual(["kernel.shm_rmid_forced", "kernel/shm_rmid_forced", "net/ipv4/conf/eth0.1/forwarding", "net.ipv4.conf.eth0/1.forwarding"].map(dottedSysctl), ["kernel.shm_rmid_forced", "kernel.shm_rmid_forced", "net.ipv4.conf.eth0/1.forwarding", "net.ipv4.conf.eth0/1.forwarding"]);
});

import test from "ava";
import { buildClusterConfig, CLUSTER_DEFAULTS } from "../../../lib/install/cluster-config.ts";
import { apiServerNames, daemonSpecs } from "../../../lib/install/daemons.ts";

const config = buildClusterConfig({ ...CLUSTER_DEFAULTS, workers: 2 }, "id");

test("daemonSpecs() names three masters, and containerd, kubelet and proxy for every host", (t) => {
  t.deepEqual(daemonSpecs(config).map((spec) => spec.name), [
    "kube-apiserver", "kube-controller-manager", "kube-scheduler", "containerd@worker-1", "kubelet@worker-1", "kube-proxy@worker-1", "containerd@worker-2", "kubelet@worker-2", "kube-proxy@worker-2",
  ]);
});

test("daemonSpecs() puts a host's daemons into its namespaces and masters into none", (t) => {
  for (const spec of daemonSpecs(config)) t.is(spec.command[0] === "nsenter", spec.host !== undefined, spec.name);
  t.true(daemonSpecs(config).find((s) => s.name === "kubelet@worker-2")!.command.includes("--net=/run/kaji/ns/worker-2/net"));
});

test("daemonSpecs() stops kubelets before the API server and containerd last", (t) => {
  const order = (name: string): number => daemonSpecs(config).find((s) => s.name === name)!.stopOrder;
  t.true(order("kubelet@worker-1") < order("kube-apiserver"));
  t.true(order("kube-apiserver") < order("containerd@worker-1"));
});

test("daemonSpecs() gives the profile to each daemon whose failure defaults follow it", (t) => {
  const commands = new Map(daemonSpecs({ ...config, profile: "upstream" }).map((spec) => [spec.name, spec.command]));
  t.true(commands.get("kube-apiserver")!.includes("--default-unreachable-toleration-seconds=300"));
  for (const name of ["kube-controller-manager", "kubelet@worker-1", "kubelet@worker-2"]) t.true(commands.get(name)!.includes("--profile=upstream"), name);
});

test("apiServerNames() covers this machine, the hosts' network and the Service", (t) => {
  t.deepEqual(apiServerNames(config).addresses, ["127.0.0.1", "10.89.0.1", "10.96.0.1"]);
});

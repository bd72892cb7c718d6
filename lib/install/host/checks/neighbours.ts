/** What else lives on the host: container engines (harmless), another cluster's agent (not), what such leave behind. */
import { findingsOf, type HostFinding } from "./finding.ts";
import type { Check, HostFacts } from "./host-facts.ts";

const cluster = findingsOf("other-cluster"), engine = findingsOf("container-engine"), cni = findingsOf("cni"), resolver = findingsOf("resolver");

export const ENGINE_UNITS: Readonly<Record<string, string>> = { "docker.service": "Docker", "containerd.service": "containerd", "crio.service": "CRI-O", "podman.socket": "Podman" };
interface OtherCluster { readonly name: string; readonly units: readonly string[]; readonly programs: readonly string[]; readonly files: readonly string[]; readonly leave: string }
export const OTHER_CLUSTERS: readonly OtherCluster[] = [
  { name: "k3s", units: ["k3s.service", "k3s-agent.service"], programs: ["k3s", "k3s-server", "k3s-agent"], files: ["/etc/rancher/k3s"], leave: "k3s-uninstall.sh or k3s-agent-uninstall.sh" },
  { name: "RKE2", units: ["rke2-server.service", "rke2-agent.service"], programs: ["rke2"], files: ["/etc/rancher/rke2"], leave: "rke2-uninstall.sh" },
  { name: "MicroK8s", units: ["snap.microk8s.daemon-kubelite.service"], programs: ["kubelite"], files: ["/var/snap/microk8s"], leave: "snap remove --purge microk8s" },
  { name: "k0s", units: ["k0scontroller.service", "k0sworker.service"], programs: ["k0s"], files: ["/var/lib/k0s"], leave: "k0s reset" },
  { name: "kubeadm", units: ["kubelet.service"], programs: ["kubelet", "kube-apiserver"], files: ["/etc/kubernetes/kubelet.conf", "/etc/kubernetes/admin.conf", "/etc/kubernetes/manifests/kube-apiserver.yaml"], leave: "kubeadm reset" },
];
/** Of `kaji up`, whose hosts are namespaces of one machine. */
export const UP_CLUSTER_FILE = "/var/lib/kaji/cluster.json";

function checkClusters({ activeUnits, programs, foreignFiles }: HostFacts): HostFinding[] {
  const up = foreignFiles.includes(UP_CLUSTER_FILE) ? [cluster.error('a cluster of "kaji up" is on this machine', 'end it first: "kaji down"')] : [];
  return [...up, ...OTHER_CLUSTERS.flatMap(({ name, units, programs: names, files, leave }) => {
    const unit = units.find((each) => activeUnits.includes(each)), program = names.find((each) => programs.includes(each)), file = files.find((each) => foreignFiles.includes(each));
    if (unit !== undefined || program !== undefined) return [cluster.error(`another cluster's agent runs on this host (${name}: ${unit ?? program})`, `take this host out of it first: "${leave}"`)];
    return file === undefined ? [] : [cluster.warning(`${name} left ${file}`, `take the rest of it away: "${leave}"`)];
  })];
}

/** Written by lib/network; the runtime reads these and nothing else. */
const OUR_CNI_FILE = "10-kaji.conflist";
const LOOPBACK = /^(127\.|::1$)/;

function checkResolver({ role, resolver: { nameservers, podResolvConf } }: HostFacts): HostFinding[] {
  if (role === "master" || nameservers.some((each) => !LOOPBACK.test(each))) return [];
  if (podResolvConf !== "") return [resolver.note(`/etc/resolv.conf names ${nameservers.join(", ")}, which is another host inside a pod`, `harmless: pods are given ${podResolvConf}`)];
  return [resolver.warning(nameservers.length === 0 ? "/etc/resolv.conf names no server" : `/etc/resolv.conf names only ${nameservers.join(", ")}, which is another host inside a pod`, "pods can resolve only names of the cluster; name a server that others can reach, too")];
}

export const checkNeighbours: Check = (facts) => {
  const engines = Object.entries(ENGINE_UNITS).filter(([unit]) => facts.activeUnits.includes(unit)).map(([, name]) => name);
  const foreignCni = facts.role === "worker" ? facts.cniFiles.filter((file) => file !== OUR_CNI_FILE) : [], first = foreignCni.filter((file) => file < OUR_CNI_FILE);
  return [
    ...checkClusters(facts), ...checkResolver(facts),
    ...(engines.length === 0 ? [] : [engine.note(`${engines.join(" and ")} ${engines.length === 1 ? "runs" : "run"} on this host`, "harmless: our containerd has sockets and data of its own")]),
    ...(first.length > 0 ? [cni.error(`/etc/cni/net.d holds ${first.join(", ")}, which come before ours by name, so pods would get that network`, "move them away, or rename them when another runtime needs them")]
      : foreignCni.length > 0 ? [cni.note(`/etc/cni/net.d holds ${foreignCni.join(", ")}`, "harmless: the runtime takes the first file by name, which is ours")] : []),
  ];
};

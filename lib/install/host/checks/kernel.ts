/** The kernel: its age, and what containers, the pod network and Services need of it. */
import { findingsOf, type HostFinding } from "./finding.ts";
import type { Check, HostFacts } from "./host-facts.ts";

const { error, warning, note } = findingsOf("kernel");
const OLDEST = [4, 19] as const;

export interface KernelFeature { readonly why: string; /** Modules that bring it: any one is enough. */ readonly modules: readonly string[]; /** Names in the kernel's configuration. */ readonly options: readonly string[] }
/** By the name people know. `nat` is a module of its own for each backend of iptables. */
export const KERNEL_FEATURES: Readonly<Record<string, KernelFeature>> = {
  overlay: { why: "the file systems of containers", modules: ["overlay"], options: ["OVERLAY_FS"] },
  br_netfilter: { why: "Services between pods of one node", modules: ["br_netfilter"], options: ["BRIDGE_NETFILTER"] },
  vxlan: { why: "pods' traffic to nodes in other subnets", modules: ["vxlan"], options: ["VXLAN"] },
  nf_conntrack: { why: "Services", modules: ["nf_conntrack"], options: ["NF_CONNTRACK"] },
  nat: { why: "Services", modules: ["nft_chain_nat", "iptable_nat"], options: ["NFT_NAT", "IP_NF_NAT"] },
};
/** Loaded before the daemons that need them, by `--fix` and at each boot; the rest the kernel loads by itself when first used. */
export const MODULES_TO_LOAD = ["overlay", "br_netfilter"] as const;
/** Settings the pod network turns on by itself: told here only where something else turned them off. */
export const SYSCTLS: Readonly<Record<string, string>> = { "net.ipv4.ip_forward": "1", "net.bridge.bridge-nf-call-iptables": "1" };

function checkFeature(name: string, feature: KernelFeature, { kernel }: HostFacts): HostFinding[] {
  const state = kernel.features[name] ?? "unknown", toLoad = MODULES_TO_LOAD.find((module) => module === name);
  if (state === "active") return [];
  if (state === "loadable") return toLoad === undefined ? [] : [note(`kernel module "${name}" is not loaded yet`, "it is loaded when this host joins", { kind: "load-module", module: name })];
  if (state === "unknown") return [warning(`cannot tell whether the kernel has "${name}", for ${feature.why}: there is no /lib/modules/${kernel.release}`, "install the modules of the running kernel, or reboot into the installed one")];
  const package_ = `linux-modules-extra-${kernel.release}`;
  return [(name === "vxlan" ? warning : error)(`the kernel has no "${name}", for ${feature.why}`, `install the kernel's modules (on Ubuntu "apt-get install ${package_}"), or boot a distribution's full kernel`)];
}

function checkSysctl(name: string, wanted: string, { kernel }: HostFacts): HostFinding[] {
  const found = kernel.sysctls[name];
  return found === undefined || found === wanted ? [] : [note(`${name} is ${found}`, `it is set to ${wanted} when this host joins`, { kind: "sysctl", name, value: wanted })];
}

export const checkKernel: Check = (facts) => {
  const [major = 0, minor = 0] = facts.kernel.release.split(/[.-]/).map(Number), old = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  const age = old ? [error(`the kernel is ${facts.kernel.release}, wanted ${OLDEST.join(".")} or newer`, "upgrade the distribution")] : [];
  if (facts.role === "master") return age;
  return [...age, ...Object.entries(KERNEL_FEATURES).flatMap(([name, feature]) => checkFeature(name, feature, facts)), ...Object.entries(SYSCTLS).flatMap(([name, wanted]) => checkSysctl(name, wanted, facts))];
};

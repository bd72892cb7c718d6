/** A host with nothing to find; a test changes what it is about. */
import type { HostFacts } from "../../../../../lib/install/host/checks/host-facts.ts";

export function makeFacts(changed: Partial<HostFacts> = {}): HostFacts {
  return {
    role: "worker", uid: 0, hasSudo: true, hasSystemd: true, architecture: "x64", nodeName: undefined,
    kernel: { release: "6.1.0-18-amd64", features: { overlay: "active", br_netfilter: "active", vxlan: "loadable", nf_conntrack: "active", nat: "active" }, sysctls: { "net.ipv4.ip_forward": "1" } },
    cgroups: { version: 2, controllers: ["cpuset", "cpu", "io", "memory", "pids"] }, ports: [], memoryMib: 2_048, swap: [], failSwapOn: false,
    disks: [{ path: "/var/lib", freeBytes: 20 * 1024 ** 3, inodesFree: 1_000_000, type: "ext4", readOnly: false, noExec: false }],
    clock: { synchronised: true, canSync: false, masterAheadMs: undefined },
    names: { hostname: "n1", resolvesTo: ["192.0.2.2"], hostsEntries: [] }, identity: { machineId: "0123456789abcdef0123456789abcdef", productUuid: "7c1a2f90-0b52-4a57-9d7e-0b6cbb1f2a11" },
    iptables: { own: { backend: "nft", version: [1, 8, 9] }, other: undefined, filter: "" }, firewall: { ufw: false, ufwStatus: "", firewalld: false, firewalldPorts: [] },
    activeUnits: [], programs: [], foreignFiles: [], cniFiles: [], resolver: { nameservers: ["192.0.2.53"], podResolvConf: "/etc/resolv.conf" }, ...changed,
  };
}

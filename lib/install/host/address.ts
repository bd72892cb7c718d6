/**
 * Which of a host's addresses the cluster uses: pure.
 *
 * A Vagrant or cloud machine often has a first interface behind NAT, with the same address on every machine. So, in this order: the one that
 * was asked for; the one the kernel would send from towards the master; else the one of the default route, unless the host has
 * exactly one other and the default one is a known NAT of a hypervisor.
 */
export interface HostAddress { readonly interface: string; readonly address: string }

/** VirtualBox's and QEMU's user networks give every machine this very address. */
const SAME_EVERYWHERE = ["10.0.2.15"];
const VIRTUAL = /^(lo|docker|br-|veth|cni|kaji|flannel|cali|virbr|lxc|tailscale|wg)/;

type Interfaces = Readonly<Record<string, readonly { readonly address: string; readonly family: string; readonly internal: boolean }[] | undefined>>;
/** IPv4 addresses at which others may reach this host, of what `os.networkInterfaces()` gives: no bridges or links of containers. */
export const realAddresses = (interfaces: Interfaces): string[] =>
  Object.entries(interfaces).filter(([name]) => !VIRTUAL.test(name)).flatMap(([, list]) => (list ?? []).filter((each) => !each.internal && each.family === "IPv4" && !each.address.startsWith("169.254.")).map((each) => each.address)).toSorted((a, b) => a.localeCompare(b));

export interface AddressQuestion {
  readonly addresses: readonly HostAddress[];
  /** `--advertise-address` or `--node-ip`. */
  readonly wanted?: string | undefined;
  /** Source address of the route to the master, on a joining host. */
  readonly towardsMaster?: string | undefined;
  readonly defaultInterface?: string | undefined;
}

/** Throws with what there is to choose from. */
export function chooseAddress({ addresses, wanted, towardsMaster, defaultInterface }: AddressQuestion): string {
  const list = addresses.map((each) => `${each.address} (${each.interface})`).join(", ") || "none";
  if (wanted !== undefined) {
    if (addresses.some((each) => each.address === wanted)) return wanted;
    throw new Error(`Cannot use ${wanted}: it is no address of this host; there are ${list}`);
  }
  if (towardsMaster !== undefined && addresses.some((each) => each.address === towardsMaster)) return towardsMaster;
  const real = addresses.filter((each) => !VIRTUAL.test(each.interface)), unique = real.filter((each) => !SAME_EVERYWHERE.includes(each.address));
  if (unique.length === 0) throw new Error(`Cannot choose an address that other hosts can reach: there are ${list}; name one with --advertise-address or --node-ip`);
  const preferred = unique.find((each) => each.interface === defaultInterface);
  if (preferred !== undefined) return preferred.address;
  const candidates = new Set(unique.map((each) => each.address));
  if (candidates.size === 1) return unique[0]!.address;
  throw new Error(`Cannot choose between ${list}: name one with --advertise-address or --node-ip`);
}

/**
 * What a cluster on this machine looks like: decided once by the first `kaji up`, kept in `cluster.json`,
 * read by everything after. Later runs may add workers; addresses never change under a running cluster.
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { formatCidr, formatIp, parseCidr } from "../util/ip.ts";
import { CLUSTER_FILE } from "./paths.ts";

export interface HostConfig { readonly name: string; readonly address: string }
export interface ClusterConfig {
  readonly version: 1;
  /** Names the cluster's incarnation; processes of another one are not ours. */
  readonly id: string;
  readonly workers: readonly HostConfig[];
  /** Whether hosts and pods may reach addresses outside this machine. */
  readonly egress: boolean;
  readonly hostCidr: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly apiPort: number;
  readonly profile: "small" | "upstream";
}

export interface ClusterOptions { workers: number; egress: boolean; hostCidr: string; podCidr: string; serviceCidr: string; apiPort: number; profile: string }
export const WORKERS_MAX = 50;
export const CLUSTER_DEFAULTS: ClusterOptions = { workers: 3, egress: true, hostCidr: "10.89.0.0/24", podCidr: "10.244.0.0/16", serviceCidr: "10.96.0.0/16", apiPort: 6443, profile: "small" };

export interface Ipv4Range { readonly first: number; readonly last: number; readonly bits: number }
/** Parses `a.b.c.d/n` with no host bits set. Throws RangeError naming `what`. */
export function parseRange(text: string, what: string): Ipv4Range {
  const cidr = parseCidr(text);
  if (cidr === undefined || cidr.ip.family !== 4 || cidr.ip.mapped || cidr.ip.leadingZeros) throw new RangeError(`Cannot use ${JSON.stringify(text)} as ${what}: expected an IPv4 range such as 10.89.0.0/24`);
  const first = Number(cidr.ip.value);
  if (formatCidr(cidr) !== `${formatIp(cidr.ip)}/${cidr.prefix}`) throw new RangeError(`Cannot use ${JSON.stringify(text)} as ${what}: host bits are set, expected ${formatCidr(cidr)}`);
  return { first, last: first + 2 ** (32 - cidr.prefix) - 1, bits: cidr.prefix };
}
export const rangesOverlap = (a: Ipv4Range, b: Ipv4Range): boolean => a.first <= b.last && b.first <= a.last;

/** The n-th address of a range: 1 is the first after the network's own. */
export const addressAt = (cidr: string, n: number): string => formatIp({ family: 4, value: BigInt(parseRange(cidr, "address range").first + n) });
/** This machine's address on the hosts' network, where the API server is reached. */
export const masterAddress = (config: Pick<ClusterConfig, "hostCidr">): string => addressAt(config.hostCidr, 1);
/** The `kubernetes` Service's address. */
export const apiServiceAddress = (config: Pick<ClusterConfig, "serviceCidr">): string => addressAt(config.serviceCidr, 1);
export const dnsAddress = (config: Pick<ClusterConfig, "serviceCidr">): string => addressAt(config.serviceCidr, 10);
export const apiUrl = (config: Pick<ClusterConfig, "hostCidr" | "apiPort">): string => `https://${masterAddress(config)}:${config.apiPort}`;

const FIRST_WORKER_ADDRESS = 10;
export const workerHost = (hostCidr: string, n: number): HostConfig => ({ name: `worker-${n}`, address: addressAt(hostCidr, FIRST_WORKER_ADDRESS + n) });

/** Checks options and what they mean together. Throws RangeError that names the flag. */
export function buildClusterConfig(options: ClusterOptions, id: string): ClusterConfig {
  const { workers, egress, hostCidr, podCidr, serviceCidr, apiPort, profile } = options;
  if (!Number.isInteger(workers) || workers < 1 || workers > WORKERS_MAX) throw new RangeError(`Cannot use --workers=${workers}: expected 1 to ${WORKERS_MAX}`);
  if (!Number.isInteger(apiPort) || apiPort < 1 || apiPort > 65_535) throw new RangeError(`Cannot use --api-port=${apiPort}: expected 1 to 65535`);
  if (profile !== "small" && profile !== "upstream") throw new RangeError(`Cannot use --profile=${profile}: expected small or upstream`);
  const ranges = [["--host-cidr", hostCidr], ["--pod-cidr", podCidr], ["--service-cidr", serviceCidr]].map(([flag, text]) => ({ flag: flag!, text: text!, range: parseRange(text!, flag!) }));
  for (const [i, a] of ranges.entries()) for (const b of ranges.slice(i + 1)) {
    if (rangesOverlap(a.range, b.range)) throw new RangeError(`Cannot use ${a.flag}=${a.text} with ${b.flag}=${b.text}: the ranges overlap`);
  }
  if (ranges[0]!.range.bits > 25) throw new RangeError(`Cannot use --host-cidr=${hostCidr}: expected at least a /25, so that every host gets an address`);
  if (ranges[1]!.range.bits > 20) throw new RangeError(`Cannot use --pod-cidr=${podCidr}: expected at least a /20, a /24 for each node`);
  if (ranges[2]!.range.bits > 24) throw new RangeError(`Cannot use --service-cidr=${serviceCidr}: expected at least a /24`);
  return { version: 1, id, workers: Array.from({ length: workers }, (_, i) => workerHost(hostCidr, i + 1)), egress, hostCidr, podCidr, serviceCidr, apiPort, profile };
}

/** The kept configuration, or undefined when there is no cluster. Throws when the file is damaged. */
export async function loadClusterConfig(file: string = CLUSTER_FILE): Promise<ClusterConfig | undefined> {
  let text: string;
  try { text = await readFile(file, "utf8"); }
  catch (error) { if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined; throw error; }
  try {
    const config = JSON.parse(text) as ClusterConfig;
    if (config.version !== 1 || !Array.isArray(config.workers)) throw new Error(`version is ${JSON.stringify(config.version)}, expected 1`);
    return config;
  } catch (error) {
    throw new Error(`Cannot read ${file}: ${(error as Error).message}; run "kaji down" to remove the cluster`, { cause: error });
  }
}

export async function saveClusterConfig(config: ClusterConfig, file: string = CLUSTER_FILE): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(`${file}.new`, `${JSON.stringify(config, null, 2)}\n`);
  await rename(`${file}.new`, file);
}

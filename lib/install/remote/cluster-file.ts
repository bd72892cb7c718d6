/**
 * `cluster.yaml`: which hosts a cluster is made of and how to reach them; what `kaji config new` writes and `plan`, `apply`, `exec` and `delete` read. Pure.
 *
 * Nothing secret stands in it. Where a field is left out, the default of `kaji init` or `kaji join` holds. Counterpart: k0sctl's and kubespray's inventories.
 */
import { homedir } from "node:os";
import path from "node:path";
import { parseDurationMs } from "../../util/flags.ts";
import { parseIp } from "../../util/ip.ts";
import { parseRange, rangesOverlap } from "../cluster-config.ts";
import { flag, integer, listOf, mapping, oneOf, optional, readYaml, required, text, textMap, turned, withDefault, type Read } from "./yaml-fields.ts";

export const FILE_API_VERSION = "kaji.local/v1", FILE_KIND = "Cluster";
export type HostRole = "master" | "worker";
export interface Taint { readonly key: string; readonly value: string; readonly effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute" }

/** How to reach a host, as the operator wrote it; what is missing is filled in when the connection is made. */
export interface Reach { readonly address: string; readonly port: number; readonly user: string; readonly identityFile?: string | undefined; readonly jump?: Reach | undefined }

export interface HostSpec {
  /** As messages call the host. */
  readonly name: string;
  /** The node's name; the host's own when it was not said. */
  readonly nodeName?: string | undefined;
  readonly role: HostRole;
  /** The master runs pods too. */
  readonly asNode?: boolean | undefined;
  readonly reach: Reach;
  readonly nodeIp?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
}

/** As flags of `kaji init`; undefined where nothing was said: its default, or what the cluster has. */
export interface ClusterFlags {
  readonly podCIDR?: string | undefined; readonly serviceCIDR?: string | undefined; readonly domain?: string | undefined; readonly port?: number | undefined;
  readonly profile?: "small" | "upstream" | undefined; readonly apiServerNames: readonly string[];
}

export interface ClusterSpec {
  /** Of the kubeconfig's context. */
  readonly name: string;
  readonly hosts: readonly HostSpec[];
  readonly cluster: ClusterFlags;
  /** Folder with `packages` and `images` for hosts without internet. */
  readonly bundle?: string | undefined;
  readonly drainTimeoutMs: number;
  /** Whether hosts that are not named here are to leave. Without a file they stay. */
  readonly complete: boolean;
}

export const DRAIN_TIMEOUT_MS = 5 * 60_000;
const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, NODE_NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, USER = /^[a-z_][a-z0-9_.-]*\$?$/i, HOST = /^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$/;
const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/, LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const isAddress = (value: string): boolean => parseIp(value) !== undefined || (HOST.test(value) && !/^[\d.]+$/.test(value));

/** Reads `[user@]address[:port]`; IPv6 with a port in brackets. Undefined when it is nothing of the kind. */
export function parseReach(value: string, defaults: { user: string; port: number }): Reach | undefined {
  const match = /^(?:([^@\s]+)@)?(?:\[([^\]\s]+)\]|([^@\s]+?))(?::(\d{1,5}))?$/.exec(value);
  if (match === null) return undefined;
  const [, user = defaults.user, bracketed, bare] = match, port = Number(match[4] ?? defaults.port), whole = match[4] !== undefined && bare?.includes(":") === true ? `${bare}:${match[4]}` : undefined;
  const address = bracketed ?? (whole !== undefined && parseIp(whole) !== undefined ? whole : bare!);
  if (!USER.test(user) || !isAddress(address) || port < 1 || port > 65_535) return undefined;
  return { user, address, port: address === whole ? defaults.port : port };
}

/** Reads `key=value:Effect` or `key:Effect`. */
export function parseTaint(value: string): Taint | undefined {
  const match = /^([^=:\s]+)(?:=([^:\s]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$/.exec(value);
  if (match === null || !LABEL_KEY.test(match[1]!) || !LABEL_VALUE.test(match[2] ?? "")) return undefined;
  return { key: match[1]!, value: match[2] ?? "", effect: match[3] as Taint["effect"] };
}

const range: Read<string> = text("an IPv4 range such as 10.244.0.0/16", (value) => { try { parseRange(value, ""); return true; } catch { return false; } });
const port = integer(1, 65_535), address = text("an address or a host name", isAddress), user = text("a user name", (value) => USER.test(value));
const duration: Read<number> = turned(text("a duration such as 5m"), "a duration such as 5m", (value) => { try { return parseDurationMs(value); } catch { return undefined; } });

const HOST_FIELDS = {
  name: required(text("a name of small letters, digits, - and .", (value) => NODE_NAME.test(value) && value.length <= 253 && value !== "localhost"), "a name for the host, which its node gets"),
  address: required(address, "an address or a host name"), port: optional(port), user: optional(user), identityFile: optional(text("a file name")), jump: optional(text("a jump host such as user@address:port")),
  role: required(oneOf("master", "worker"), "master or worker"), asNode: optional(flag), nodeIP: optional(text("an IPv4 address", (value) => parseIp(value)?.family === 4)),
  labels: withDefault(textMap((key) => LABEL_KEY.test(key), "a label's name such as example.com/disk", text("a label's value: at most 63 letters, digits, -, _ and ., as a text", (value) => LABEL_VALUE.test(value))), {}),
  taints: withDefault(listOf(turned(text("a taint such as key=value:NoSchedule"), "a taint such as key=value:NoSchedule", parseTaint), "a list of taints such as key=value:NoSchedule"), []),
};
const FILE = mapping({
  apiVersion: required(oneOf(FILE_API_VERSION), FILE_API_VERSION), kind: required(oneOf(FILE_KIND), FILE_KIND),
  name: withDefault(text("a name of small letters, digits and -", (value) => NAME.test(value)), "kaji"),
  ssh: withDefault(mapping({ user: optional(user), port: optional(port), identityFile: optional(text("a file name")), jump: optional(text("a jump host such as user@address:port")) }), undefined),
  cluster: withDefault(mapping({
    podCIDR: optional(range), serviceCIDR: optional(range), domain: optional(text("a domain", (value) => NODE_NAME.test(value))), port: optional(port), profile: optional(oneOf("small", "upstream")),
    apiServerNames: withDefault(listOf(address, "a list of names and addresses"), []),
  }), undefined),
  hosts: required(listOf(mapping(HOST_FIELDS), "a list of hosts"), "a list of hosts"),
  bundle: optional(text("a folder")),
  options: withDefault(mapping({ drainTimeout: optional(duration) }), undefined),
});
type RawHost = { readonly [K in keyof typeof HOST_FIELDS]: (typeof HOST_FIELDS)[K] extends { fallback: infer T } ? (K extends "name" | "address" | "role" | "labels" | "taints" ? Exclude<T, undefined> : T) : never };

/** `~` is the home of whoever runs this; other names count from the file's folder. */
const fileName = (name: string, folder: string): string => (name === "~" || name.startsWith("~/") ? path.join(homedir(), name.slice(1)) : path.resolve(folder, name));

/** Reads the text of a cluster.yaml that lies in `folder`. Throws FileError with every mistake and its place. */
export function parseClusterFile(source: string, fileNameShown: string, folder: string): ClusterSpec {
  let hosts: HostSpec[] = [];
  const file = readYaml(source, fileNameShown, FILE, (value, at, mistakes) => {
    const raw = value.hosts as readonly RawHost[], { ssh } = value, defaults = { user: ssh?.user ?? "root", port: ssh?.port ?? 22 };
    const jumpOf = (name: string, place: readonly (string | number)[]): Reach | undefined => {
      const other = raw.find((host) => host.name === name);
      const found = other !== undefined ? { address: other.address, port: other.port ?? defaults.port, user: other.user ?? defaults.user, identityFile: identity(other.identityFile) } : parseReach(name, defaults);
      if (found === undefined) mistakes.add(at(...place), place.map((part, i) => (typeof part === "number" ? `[${part}]` : i === 0 ? part : `.${part}`)).join(""), JSON.stringify(name), "a jump host such as user@address:port, or the name of a host here");
      return found === undefined ? undefined : { identityFile: identity(undefined), ...found };
    };
    const identity = (name: string | undefined): string | undefined => { const chosen = name ?? ssh?.identityFile; return chosen === undefined ? undefined : fileName(chosen, folder); };
    const common = ssh?.jump === undefined ? undefined : jumpOf(ssh.jump, ["ssh", "jump"]);
    hosts = raw.map((host, i): HostSpec => {
      const jump = host.jump === undefined ? common : jumpOf(host.jump, ["hosts", i, "jump"]), reach = { address: host.address, port: host.port ?? defaults.port, user: host.user ?? defaults.user, identityFile: identity(host.identityFile) };
      const through = jump !== undefined && jump.address === reach.address && jump.port === reach.port ? undefined : jump; // A host here that is itself the way to the others.
      return { name: host.name, nodeName: host.name, role: host.role, asNode: host.asNode, reach: { ...reach, ...(through === undefined ? {} : { jump: through }) }, nodeIp: host.nodeIP, labels: host.labels, taints: host.taints };
    });
    checkTogether(raw, hosts, at, mistakes);
    const { podCIDR, serviceCIDR } = value.cluster ?? {};
    if (podCIDR !== undefined && serviceCIDR !== undefined && rangesOverlap(parseRange(podCIDR, ""), parseRange(serviceCIDR, ""))) mistakes.add(at("cluster", "serviceCIDR"), "cluster.serviceCIDR", serviceCIDR, `a range outside of podCIDR ${podCIDR}`);
  });
  return {
    name: file.name, hosts, cluster: file.cluster ?? { apiServerNames: [] }, bundle: file.bundle === undefined ? undefined : fileName(file.bundle, folder),
    drainTimeoutMs: file.options?.drainTimeout ?? DRAIN_TIMEOUT_MS, complete: true,
  };
}

function checkTogether(raw: readonly RawHost[], hosts: readonly HostSpec[], at: (...path: (string | number)[]) => import("yaml").Node | undefined, mistakes: import("./yaml-fields.ts").Mistakes): void {
  if (raw.length === 0) mistakes.add(at("hosts"), "hosts", "an empty list", "at least a master");
  for (const [i, host] of raw.entries()) {
    const where = `${hosts[i]!.reach.address}:${hosts[i]!.reach.port}`;
    const same = raw.slice(0, i).findIndex((other) => other.name === host.name), near = hosts.slice(0, i).find((other) => `${other.reach.address}:${other.reach.port}` === where);
    if (same >= 0) mistakes.add(at("hosts", i, "name"), `hosts[${i}].name`, `${JSON.stringify(host.name)}, which hosts[${same}] has too`, "a name of its own");
    else if (near !== undefined) mistakes.add(at("hosts", i, "address"), `hosts[${i}].address`, `${where}, which is host ${JSON.stringify(near.name)} too`, "an address of its own");
    if (host.role === "worker" && host.asNode !== undefined) mistakes.add(at("hosts", i, "asNode"), `hosts[${i}].asNode`, "it on a worker", "it on the master only: a worker is always a node");
    if (host.role === "master" && host.asNode !== true && host.taints.length + Object.keys(host.labels).length > 0) mistakes.add(at("hosts", i, host.taints.length > 0 ? "taints" : "labels"), `hosts[${i}].${host.taints.length > 0 ? "taints" : "labels"}`, "some on a master", "none, or asNode: true: else the master is no node");
  }
  const masters = raw.flatMap((host, i) => (host.role === "master" ? [i] : []));
  if (raw.length > 0 && masters.length === 0) mistakes.add(at("hosts"), "hosts", "no master", "one host with role: master");
  for (const i of masters.slice(1)) mistakes.add(at("hosts", i, "role"), `hosts[${i}].role`, "a second master", "worker: several masters are not supported yet");
}

/** The cluster that `--master` and `--worker` name. Throws Error that names the flag. */
export function clusterFromFlags(masters: readonly string[], workers: readonly string[], options: { name: string; user: string; identityFile?: string | undefined; jump?: string | undefined; bundle?: string | undefined; drainTimeoutMs: number }): ClusterSpec {
  const defaults = { user: options.user, port: 22 };
  const read = (value: string, flag: string): Reach => {
    const reach = parseReach(value, defaults);
    if (reach === undefined) throw new Error(`Cannot use ${flag} ${JSON.stringify(value)}: expected user@address or user@address:port`);
    return { ...reach, identityFile: options.identityFile };
  };
  if (masters.length !== 1) throw new Error(`Cannot use ${masters.length} times --master: expected one; several masters are not supported yet`);
  const jump = options.jump === undefined ? undefined : read(options.jump, "--jump");
  const host = (role: HostRole) => (value: string): HostSpec => {
    const reach = read(value, `--${role}`);
    return { name: reach.port === 22 ? reach.address : `${reach.address}:${reach.port}`, role, reach: { ...reach, jump }, labels: {}, taints: [] };
  };
  const hosts = [...masters.map(host("master")), ...workers.map(host("worker"))], twice = hosts.find((each, i) => hosts.findIndex((other) => other.name === each.name) < i);
  if (twice !== undefined) throw new Error(`Cannot use ${twice.name} twice: every host is named once by --master or --worker`);
  return { name: options.name, hosts, cluster: { apiServerNames: [] }, bundle: options.bundle, drainTimeoutMs: options.drainTimeoutMs, complete: false };
}

/**
 * Names of the cluster, answered from Services and EndpointSlices. Pure given a view.
 *
 *   <service>.<namespace>.svc.<zone>                     A, AAAA, SRV; CNAME for ExternalName
 *   _<port>._<protocol>.<service>.<namespace>.svc.<zone> SRV
 *   <endpoint>.<service>.<namespace>.svc.<zone>          A, AAAA of one endpoint of a headless Service
 *   1-2-3-4.<namespace>.pod.<zone>                       A, AAAA
 *   dns-version.<zone>                                   TXT
 *   reverse names                                        PTR
 *
 * A name that exists without records of the type asked for is an empty answer, any other is "no such name"; both carry the SOA.
 * Source: Kubernetes DNS-Based Service Discovery 1.1.0. Counterpart: CoreDNS `plugin/kubernetes`.
 */
import type { Endpoint, EndpointSlice, Service } from "../api/schema/generated/models.ts";
import { formatIp, parseIp } from "../util/ip.ts";
import { SERVICE_NAME_LABEL, type ClusterView } from "./cluster-view.ts";
import { RCODE, TYPE, type Answer, type ResourceRecord } from "./record.ts";

export interface ZoneOptions { /** e.g. `cluster.local`, without dots around. */ readonly domain: string; /** Cluster DNS address. */ readonly address: string; /** Seconds. */ readonly ttl?: number }

export type ZoneResult = { readonly kind: "answer"; readonly answer: Answer } | { readonly kind: "alias"; readonly record: ResourceRecord; readonly target: string } | { readonly kind: "elsewhere" };

const SCHEMA_VERSION = "1.1.0", TTL_SECONDS = 5, SRV_WEIGHT_TOTAL = 100;
interface Wish { readonly name: string; readonly type: number }
interface HeadlessEndpoint { readonly label: string; readonly address: string; readonly slice: EndpointSlice }

export class ClusterZone {
  readonly #view: ClusterView;
  readonly #domain: string;
  readonly #address: string;
  readonly #ttl: number;
  #turn = 0;

  constructor(view: ClusterView, { domain, address, ttl = TTL_SECONDS }: ZoneOptions) {
    this.#view = view;
    this.#domain = domain.toLowerCase().replace(/^\.|\.$/g, "");
    this.#address = address;
    this.#ttl = ttl;
  }

  /** Answers `name` (lower case, no last dot); "elsewhere" when it is no name of the cluster. */
  resolve(wish: Wish): ZoneResult {
    const { name } = wish;
    if (name.endsWith(".in-addr.arpa") || name.endsWith(".ip6.arpa")) return this.#reverse(wish);
    if (name !== this.#domain && !name.endsWith(`.${this.#domain}`)) return { kind: "elsewhere" };
    if (!this.#view.ready) return { kind: "answer", answer: { rcode: RCODE.serverFailure, authoritative: false, answers: [] } };
    const labels = name === this.#domain ? [] : name.slice(0, -this.#domain.length - 1).split(".");
    const last = labels.at(-1);
    if (last === "svc") return this.#serviceName(wish, labels.slice(0, -1));
    if (last === "pod") return this.#podName(wish, labels.slice(0, -1));
    return this.#zoneName(wish, labels.join("."));
  }

  #zoneName(wish: Wish, relative: string): ZoneResult {
    if (relative === "") {
      if (wish.type === TYPE.SOA) return this.#found([this.#soa()]);
      return wish.type === TYPE.NS ? this.#found([{ name: this.#domain, type: "NS", ttl: this.#ttl, target: `ns.dns.${this.#domain}` }]) : this.#empty();
    }
    if (relative === "dns-version") return wish.type === TYPE.TXT ? this.#found([{ name: wish.name, type: "TXT", ttl: this.#ttl, text: SCHEMA_VERSION }]) : this.#empty();
    if (relative === "ns.dns") return this.#addresses(wish, [this.#address]);
    return relative === "dns" ? this.#empty() : this.#missing();
  }

  #podName(wish: Wish, labels: readonly string[]): ZoneResult {
    if (labels.length === 0) return this.#empty();
    if (labels.length === 1) return this.#view.hasNamespace(labels[0]!) ? this.#empty() : this.#missing();
    if (labels.length > 2) return this.#missing();
    // The pod is not looked up, as in CoreDNS' default: the name says its own address.
    const ip = parseIp(labels[0]!.replaceAll("-", ".")) ?? parseIp(labels[0]!.replaceAll("-", ":"));
    return ip === undefined ? this.#missing() : this.#addresses(wish, [formatIp(ip)]);
  }

  #serviceName(wish: Wish, labels: readonly string[]): ZoneResult {
    if (labels.length === 0) return this.#empty();
    const namespace = labels.at(-1)!;
    if (labels.length === 1) return this.#view.hasNamespace(namespace) ? this.#empty() : this.#missing();
    const service = this.#view.service(namespace, labels.at(-2)!), rest = labels.slice(0, -2);
    if (service === undefined) return this.#missing();
    if (service.spec.type === "ExternalName") return rest.length === 0 ? this.#alias(wish, service) : this.#missing();
    if (rest.length === 0) return wish.type === TYPE.SRV ? this.#ports(wish, service) : this.#addresses(wish, this.#serviceAddresses(service));
    if (rest.length === 2 && rest[0]!.startsWith("_") && rest[1]!.startsWith("_")) return this.#ports(wish, service, rest[0]!.slice(1), rest[1]!.slice(1));
    if (rest.length !== 1) return this.#missing();
    const endpoints = this.#endpoints(service).filter((endpoint) => endpoint.label === rest[0]);
    return endpoints.length === 0 ? this.#missing() : this.#addresses(wish, endpoints.map((endpoint) => endpoint.address));
  }

  #alias(wish: Wish, service: Service): ZoneResult {
    const target = (service.spec.externalName ?? "").toLowerCase().replace(/\.$/, "");
    if (target === "") return this.#empty();
    return { kind: "alias", record: { name: wish.name, type: "CNAME", ttl: this.#ttl, target }, target };
  }

  #serviceAddresses(service: Service): string[] {
    return isHeadless(service) ? [...new Set(this.#endpoints(service).map((endpoint) => endpoint.address))] : (service.spec.clusterIPs ?? [service.spec.clusterIP!]);
  }

  /** Ready endpoints of a headless Service; those of Services with publishNotReadyAddresses are marked ready in their slices. */
  #endpoints(service: Service): HeadlessEndpoint[] {
    if (!isHeadless(service)) return [];
    const found: HeadlessEndpoint[] = [];
    for (const slice of this.#view.slices(service.metadata.namespace!, service.metadata.name!)) {
      for (const endpoint of slice.endpoints ?? []) {
        if (endpoint.conditions?.ready === false || slice.addressType === "FQDN") continue;
        for (const address of endpoint.addresses) found.push({ label: labelOf(endpoint, address), address, slice });
      }
    }
    return found;
  }

  #ports(wish: Wish, service: Service, portName?: string, protocol?: string): ZoneResult {
    const { namespace, name } = service.metadata, base = `${name}.${namespace}.svc.${this.#domain}`;
    const matches = (port: { name?: string | undefined; protocol?: string | undefined }): boolean =>
      portName === undefined ? true : port.name === portName && (port.protocol ?? "TCP").toLowerCase() === protocol;
    const answers: ResourceRecord[] = [], additionals: ResourceRecord[] = [];
    const add = (target: string, port: number, addresses: readonly string[]): void => {
      answers.push({ name: wish.name, type: "SRV", ttl: this.#ttl, priority: 0, weight: SRV_WEIGHT_TOTAL, port, target });
      for (const record of addresses) if (!additionals.some((known) => known.name === target && "address" in known && known.address === record)) additionals.push(this.#addressRecord(target, record));
    };
    if (isHeadless(service)) {
      for (const { label, address, slice } of this.#endpoints(service)) for (const port of slice.ports ?? []) if (port.port !== undefined && matches(port)) add(`${label}.${base}`, port.port, [address]);
    } else for (const port of service.spec.ports ?? []) if (matches(port)) add(base, port.port, service.spec.clusterIPs ?? [service.spec.clusterIP!]);
    if (answers.length === 0) return portName === undefined || (service.spec.ports ?? []).some(matches) ? this.#empty() : this.#missing();
    if (wish.type !== TYPE.SRV && wish.type !== TYPE.ANY) return this.#empty();
    const weight = Math.max(1, Math.floor(SRV_WEIGHT_TOTAL / answers.length));
    return { kind: "answer", answer: { rcode: RCODE.noError, authoritative: true, answers: answers.map((record) => ({ ...record, weight }) as ResourceRecord), additionals } };
  }

  #addresses(wish: Wish, addresses: readonly string[]): ZoneResult {
    const records = addresses.map((address) => this.#addressRecord(wish.name, address)).filter((record) => wish.type === TYPE.ANY || TYPE[record.type] === wish.type);
    if (records.length === 0) return this.#empty();
    const first = this.#turn++ % records.length; // Clients take the first: each gets its turn.
    return this.#found([...records.slice(first), ...records.slice(0, first)]);
  }

  #addressRecord(name: string, address: string): ResourceRecord { return { name, type: address.includes(":") ? "AAAA" : "A", ttl: this.#ttl, address }; }

  #reverse(wish: Wish): ZoneResult {
    const address = reverseAddress(wish.name);
    if (address === undefined || !this.#view.ready) return { kind: "elsewhere" };
    const targets: string[] = [], service = this.#view.serviceAt(address);
    if (service !== undefined) targets.push(`${service.metadata.name}.${service.metadata.namespace}.svc.${this.#domain}`);
    for (const slice of service === undefined ? this.#view.slicesAt(address) : []) {
      const { namespace } = slice.metadata, name = slice.metadata.labels?.[SERVICE_NAME_LABEL], owner = name === undefined ? undefined : this.#view.service(namespace!, name);
      if (owner === undefined || !isHeadless(owner)) continue;
      for (const endpoint of slice.endpoints ?? []) if (endpoint.addresses.includes(address)) targets.push(`${labelOf(endpoint, address)}.${name}.${namespace}.svc.${this.#domain}`);
    }
    if (targets.length === 0) return { kind: "elsewhere" };
    if (wish.type !== TYPE.PTR && wish.type !== TYPE.ANY) return this.#empty();
    return this.#found([...new Set(targets)].map((target): ResourceRecord => ({ name: wish.name, type: "PTR", ttl: this.#ttl, target })));
  }

  #found(answers: readonly ResourceRecord[]): ZoneResult { return { kind: "answer", answer: { rcode: RCODE.noError, authoritative: true, answers } }; }
  #empty(): ZoneResult { return { kind: "answer", answer: { rcode: RCODE.noError, authoritative: true, answers: [], authorities: [this.#soa()] } }; }
  #missing(): ZoneResult { return { kind: "answer", answer: { rcode: RCODE.nameError, authoritative: true, answers: [], authorities: [this.#soa()] } }; }

  #soa(): ResourceRecord {
    return { name: this.#domain, type: "SOA", ttl: this.#ttl, mname: `ns.dns.${this.#domain}`, rname: `hostmaster.${this.#domain}`, serial: 1, refresh: 7_200, retry: 1_800, expire: 86_400, minimum: this.#ttl };
  }
}

const isHeadless = (service: Service): boolean => service.spec.clusterIP === "None" || service.spec.clusterIP === undefined || service.spec.clusterIP === "";
const labelOf = (endpoint: Endpoint, address: string): string => endpoint.hostname ?? address.replaceAll(/[.:]/g, "-");

/** The address a reverse name stands for; undefined when it is not whole. */
function reverseAddress(name: string): string | undefined {
  if (name.endsWith(".in-addr.arpa")) {
    const ip = parseIp(name.slice(0, -".in-addr.arpa".length).split(".").toReversed().join("."));
    return ip === undefined ? undefined : formatIp(ip);
  }
  const digits = name.slice(0, -".ip6.arpa".length).split(".").toReversed();
  if (digits.length !== 32 || !digits.every((digit) => /^[0-9a-f]$/.test(digit))) return undefined;
  return formatIp({ family: 6, value: BigInt(`0x${digits.join("")}`) });
}

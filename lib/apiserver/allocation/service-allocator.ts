/**
 * Addresses and node ports of Services, given out around their writes.
 *
 * Promises: no two Services hold one address or node port. What is taken is what the Services in the cache hold, plus
 * what writes under way have reserved; so a restart, a lost write or a deletion by whatever way leaves nothing behind.
 * One process writes Services. Counterpart: `pkg/registry/core/service/storage/alloc.go` and the repair loops.
 */
import { invalid, invalidError, type FieldError } from "../../api/field-error.ts";
import type { KubeObject } from "../../api/resource-definition.ts";
import { services } from "../../api/schema/generated/references.ts";
import type { Service, ServicePort, ServiceSpec } from "../../api/schema/generated/models.ts";
import { StatusError } from "../../api/status-error.ts";
import type { CacheReader, WriteHook, WriteTransaction } from "../contracts.ts";
import { heldIps, needsClusterIp } from "./ip-addresses.ts";
import { NodePortPool } from "./node-port-pool.ts";
import { fillFamilies } from "./service-families.ts";
import { ServiceRanges } from "./service-ranges.ts";

export interface ServiceAllocatorOptions {
  /** `--service-cluster-ip-range`: one range, or one of each family with the default family first. */
  readonly clusterIpRanges: readonly string[];
  /** `--service-node-port-range`. */
  readonly nodePortRange: string;
  readonly random?: () => number;
}

interface Reserved { readonly ips: string[]; readonly ports: number[] }

const needsNodePorts = (spec: ServiceSpec): boolean => spec.type === "NodePort" || (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);
const mayHoldNodePorts = (spec: ServiceSpec): boolean => spec.type === "NodePort" || spec.type === "LoadBalancer";
const needsHealthCheckPort = (spec: ServiceSpec): boolean => spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";

/** Node ports a stored Service holds, each once. */
function heldPorts(spec: ServiceSpec | undefined): number[] {
  if (spec === undefined || !mayHoldNodePorts(spec)) return [];
  return [...new Set([...(spec.ports ?? []).map((port) => port.nodePort ?? 0), spec.healthCheckNodePort ?? 0])].filter((port) => port !== 0);
}

export class ServiceAllocator implements WriteHook {
  readonly resource = services;
  readonly #cache: CacheReader;
  readonly #ranges: ServiceRanges;
  readonly #ports: NodePortPool;

  /** Throws Error for ranges that cannot be used. */
  constructor(deps: { cache: CacheReader }, options: ServiceAllocatorOptions) {
    this.#cache = deps.cache;
    this.#ranges = new ServiceRanges(deps.cache, { ranges: options.clusterIpRanges, ...(options.random === undefined ? {} : { random: options.random }) });
    this.#ports = new NodePortPool(options.nodePortRange, options.random);
  }

  /** Reads what Services hold and follows them; the cache must be filled. Returns a function that stops it. */
  start(): () => void {
    for (const service of this.#cache.list(services)) this.#count(service.spec, 1);
    const stopRanges = this.#ranges.start(), stop = this.#cache.onChange(services, (type, service, previous) => {
      if (type === "put") this.#count(service.spec, 1);
      const gone = type === "delete" ? (previous ?? service) : previous;
      if (gone !== undefined) this.#count(gone.spec, -1);
    });
    return () => { stopRanges(); stop(); };
  }

  beginCreate(object: KubeObject, dryRun: boolean): WriteTransaction { return this.#begin(object as Service, undefined, dryRun); }
  beginUpdate(object: KubeObject, old: KubeObject, dryRun: boolean): WriteTransaction { return this.#begin(object as Service, old as Service, dryRun); }

  #begin(service: Service, old: Service | undefined, dryRun: boolean): WriteTransaction {
    const spec = (service.spec ??= {}), reserved: Reserved = { ips: [], ports: [] };
    const giveBack = (): void => {
      for (const ip of reserved.ips) this.#ranges.release(ip);
      for (const port of reserved.ports) this.#ports.release(port);
    };
    try {
      this.#refuse(service, fillFamilies(spec, old?.spec, this.#ranges.families));
      this.#allocateIps(service, spec, old?.spec, reserved);
      this.#allocatePorts(service, spec, old?.spec, reserved);
    } catch (error) { giveBack(); throw error; }
    if (dryRun) { giveBack(); return { finish() {} }; }
    // Kept or not, the reservation ends with the write: from then on the cache says what is taken.
    return { finish: giveBack };
  }

  #allocateIps(service: Service, spec: ServiceSpec, old: ServiceSpec | undefined, reserved: Reserved): void {
    if (!needsClusterIp(spec)) return;
    const held = new Set(heldIps(old)), ips = [...(spec.clusterIPs ?? [])];
    if (ips.length === 0 && (spec.clusterIP ?? "") !== "") ips.push(spec.clusterIP!);
    ips.forEach((ip) => {
      if (held.has(ip)) return;
      const problem = this.#ranges.problem(ip);
      if (problem !== undefined) this.#refuse(service, [invalid("spec.clusterIPs", spec.clusterIPs ?? ips, `failed to allocate IP ${ip}: ${problem}`)]);
      this.#ranges.take(ip);
      reserved.ips.push(ip);
    });
    for (const family of (spec.ipFamilies ?? []).slice(ips.length)) {
      const ip = this.#ranges.choose(family);
      if (ip === undefined) throw new StatusError("InternalError", "Internal error occurred: failed to allocate a serviceIP: range is full", { details: { causes: [{ message: "failed to allocate a serviceIP: range is full" }] } });
      this.#ranges.take(ip);
      reserved.ips.push(ip);
      ips.push(ip);
    }
    spec.clusterIPs = ips;
    spec.clusterIP = ips[0];
  }

  #allocatePorts(service: Service, spec: ServiceSpec, old: ServiceSpec | undefined, reserved: Reserved): void {
    const held = new Set(heldPorts(old)), mine = new Set<number>();
    const claim = (port: number, field: string): void => {
      if (mine.has(port)) return;
      mine.add(port);
      if (held.has(port)) return;
      const problem = this.#ports.problem(port);
      if (problem !== undefined) this.#refuse(service, [invalid(field, port, problem)]);
      this.#ports.take(port);
      reserved.ports.push(port);
    };
    if (mayHoldNodePorts(spec)) {
      const ports = spec.ports ?? [];
      // What people asked for first, so that no chosen number takes it away from a later port.
      ports.forEach((port, i) => { if ((port.nodePort ?? 0) !== 0) claim(port.nodePort!, `spec.ports[${i}].nodePort`); });
      if (needsNodePorts(spec)) for (const port of ports) if ((port.nodePort ?? 0) === 0) port.nodePort = siblingPort(ports, port) ?? this.#choosePort(mine, reserved);
    }
    if (!needsHealthCheckPort(spec)) return;
    if ((spec.healthCheckNodePort ?? 0) === 0) spec.healthCheckNodePort = this.#choosePort(mine, reserved);
    else claim(spec.healthCheckNodePort!, "spec.healthCheckNodePort");
  }

  #choosePort(mine: Set<number>, reserved: Reserved): number {
    const port = this.#ports.choose();
    if (port === undefined) throw new StatusError("InternalError", "Internal error occurred: failed to allocate a nodePort: range is full", { details: { causes: [{ message: "failed to allocate a nodePort: range is full" }] } });
    this.#ports.take(port);
    reserved.ports.push(port);
    mine.add(port);
    return port;
  }

  #count(spec: ServiceSpec | undefined, by: 1 | -1): void {
    for (const ip of heldIps(spec)) { if (by > 0) this.#ranges.take(ip); else this.#ranges.release(ip); }
    for (const port of heldPorts(spec)) { if (by > 0) this.#ports.take(port); else this.#ports.release(port); }
  }

  #refuse(service: Service, errors: readonly FieldError[]): void {
    if (errors.length > 0) throw invalidError("", "Service", service.metadata.name ?? "", errors);
  }
}

/** A port with the same number under another protocol shares its node port. */
const siblingPort = (ports: readonly ServicePort[], port: ServicePort): number | undefined =>
  ports.find((each) => each !== port && each.port === port.port && each.protocol !== port.protocol && (each.nodePort ?? 0) !== 0)?.nodePort;

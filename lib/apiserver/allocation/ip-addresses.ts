/**
 * IPAddress objects of what Services hold: each address shown with its Service as parent.
 *
 * They follow the Services, which are what counts: an object that somebody deletes comes back, one whose Service went is removed, also after
 * a crash between the two. One that somebody else made is left alone, and its address given to nobody (`service-ranges.ts`).
 * Counterpart: `pkg/registry/core/service/ipallocator` and its repair loop. Differs: upstream writes the object before the Service.
 */
import { ALLOCATOR, FAMILY_LABEL, MANAGED_BY_LABEL } from "../../api/helpers/ip-address-labels.ts";
import type { IPAddress, Service, ServiceSpec } from "../../api/schema/generated/models.ts";
import { ipaddresses, services } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import type { Clock } from "../../util/clock.ts";
import { formatIp, parseIp } from "../../util/ip.ts";
import type { Logger } from "../../util/logger.ts";
import type { CacheReader, InternalWriter } from "../contracts.ts";
import { isHeadless } from "./service-families.ts";

const RETRY_MS = 1_000;

/** Whether it shows a Service's address, and is not somebody's own. */
export const isManaged = ({ metadata }: IPAddress): boolean => metadata.labels?.[MANAGED_BY_LABEL] === ALLOCATOR;

export const needsClusterIp = (spec: ServiceSpec): boolean => spec.type !== "ExternalName" && !isHeadless(spec);
/** Addresses a stored Service holds. */
export const heldIps = (spec: ServiceSpec | undefined): string[] =>
  (spec === undefined || !needsClusterIp(spec) ? [] : (spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP])).filter((ip) => ip !== "" && ip !== "None"));

interface Owner { readonly namespace: string; readonly name: string }
const ownerOf = ({ metadata }: Service): Owner => ({ namespace: metadata.namespace ?? "", name: metadata.name });
const sameOwner = (a: Owner, b: { namespace?: string | undefined; name: string }): boolean => a.name === b.name && a.namespace === (b.namespace ?? "");
/** The names of the objects of what a Service holds. */
function namesOf({ spec }: Service): string[] {
  return heldIps(spec).flatMap((text) => { const ip = parseIp(text); return ip === undefined ? [] : [formatIp(ip)]; });
}

export interface IpAddressesDeps { readonly cache: CacheReader; readonly writer: InternalWriter; readonly clock: Clock; readonly log: Logger }

export class IpAddresses {
  readonly #deps: IpAddressesDeps;
  readonly #owners = new Map<string, Owner>();
  readonly #waiting = new Set<string>();
  #isWorking = false;
  #isStopped = false;
  constructor(deps: IpAddressesDeps) { this.#deps = deps; }

  /** Brings the objects in step with the Services and keeps them so; the cache must be filled. Returns a function that stops it. */
  start(): () => void {
    const { cache } = this.#deps;
    for (const service of cache.list(services)) this.#hold(service);
    for (const address of cache.list(ipaddresses)) this.#look(address.metadata.name);
    const stops = [
      cache.onChange(services, (type, service, previous) => {
        const gone = type === "delete" ? (previous ?? service) : previous;
        if (gone !== undefined) this.#letGo(gone);
        if (type === "put") this.#hold(service);
      }),
      cache.onChange(ipaddresses, (_type, address) => this.#look(address.metadata.name)),
    ];
    return () => { this.#isStopped = true; for (const stop of stops) stop(); };
  }

  #hold(service: Service): void { for (const name of namesOf(service)) { this.#owners.set(name, ownerOf(service)); this.#look(name); } }
  #letGo(service: Service): void {
    for (const name of namesOf(service)) {
      const owner = this.#owners.get(name);
      if (owner !== undefined && sameOwner(owner, service.metadata)) this.#owners.delete(name);
      this.#look(name);
    }
  }

  #look(name: string): void {
    this.#waiting.add(name);
    if (!this.#isWorking) void this.#work();
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    await Promise.resolve(); // The change that woke us is told to everybody first.
    for (const name of this.#waiting) {
      if (this.#isStopped) break;
      this.#waiting.delete(name);
      try { await this.#reconcile(name); }
      catch (error) {
        this.#deps.log.warn({ address: name, error }, "cannot show a Service's address, will retry");
        this.#deps.clock.after(RETRY_MS, () => { if (!this.#isStopped) this.#look(name); });
      }
    }
    this.#isWorking = false;
  }

  async #reconcile(name: string): Promise<void> {
    const { cache, writer } = this.#deps, owner = this.#owners.get(name), found = cache.get(ipaddresses, "", name);
    if (found !== undefined) {
      if (!isManaged(found) || owner !== undefined && sameOwner(owner, found.spec.parentRef)) return;
      try { await writer.remove(ipaddresses, { name }); }
      catch (error) { if (!hasReason(error, "NotFound")) throw error; }
    }
    if (owner === undefined) return;
    const labels = { [FAMILY_LABEL]: name.includes(":") ? "IPv6" : "IPv4", [MANAGED_BY_LABEL]: ALLOCATOR };
    try { await writer.create(ipaddresses, { apiVersion: "networking.k8s.io/v1", kind: "IPAddress", metadata: { name, labels }, spec: { parentRef: { group: "", resource: "services", ...owner } } }); }
    catch (error) { if (!hasReason(error, "AlreadyExists")) throw error; }
  }
}

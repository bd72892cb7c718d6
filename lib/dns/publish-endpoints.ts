/**
 * Lists this node in the Service kube-system/kube-dns while it answers, in an EndpointSlice of its own: no leader, nothing
 * shared. Promises: what is right already is not written; without the right to write it says so once and tries again later.
 */
import { DNS_NAMESPACE, DNS_SERVICE, dnsService, dnsSlice } from "../api/helpers/cluster-dns.ts";
import type { EndpointSlice, Node } from "../api/schema/generated/models.ts";
import { endpointslices, services } from "../api/schema/generated/references.ts";
import { hasReason } from "../api/status-error.ts";
import type { Client } from "../client/client.ts";
import { aborted, isAbort } from "../util/abort.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import type { Runnable } from "../util/runnable.ts";

export interface PublishDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  /** This node and its address, when both are known. */
  readonly self: () => { node: Node; address: string } | undefined;
  /** Resolves when the server answers on the node's address. */
  readonly answering: Promise<void>;
}

const CHECK_MS = 60_000, RETRY_MS = 5_000, WAIT_MS = 500, FAREWELL_MS = 2_000;
/** By then every proxy, our own included, has taken the node out of its rules. */
const SPREAD_MS = 300;

export class PublishEndpoints implements Runnable {
  readonly name = "dns endpoints";
  readonly #deps: PublishDeps;
  readonly #address: string;
  #toldForbidden = false;
  #published = false;

  /** `address` is the cluster DNS address. */
  constructor(deps: PublishDeps, address: string) {
    this.#deps = deps;
    this.#address = address;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, answering } = this.#deps;
    try {
      await Promise.race([answering, aborted(signal)]);
      signal.throwIfAborted();
      for (;;) await clock.sleep(await this.#publish(signal), signal);
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    }
  }

  /** To be called before this node stops answering: nobody is to send it questions any more. Never rejects; bounded in time. */
  async farewell(): Promise<void> {
    if (!this.#published) return;
    this.#published = false;
    await this.#write(false, AbortSignal.timeout(FAREWELL_MS)).catch(() => {});
    await this.#deps.clock.sleep(SPREAD_MS);
  }

  /** Returns how long to wait before the next look. */
  async #publish(signal: AbortSignal): Promise<number> {
    if (this.#deps.self() === undefined) return WAIT_MS;
    try {
      await this.#ensureService(signal);
      await this.#write(true, signal);
      this.#published = true;
      return CHECK_MS;
    } catch (error) {
      signal.throwIfAborted();
      if (!hasReason(error, "Forbidden")) this.#deps.log.warn({ error }, "cannot list this node in the DNS Service, will retry");
      else if (!this.#toldForbidden) {
        this.#toldForbidden = true;
        this.#deps.log.warn({ error: (error as Error).message }, "may not list this node in the DNS Service; lookups on this node work all the same");
      }
      return hasReason(error, "Forbidden") ? CHECK_MS : RETRY_MS;
    }
  }

  async #ensureService(signal: AbortSignal): Promise<void> {
    const { client } = this.#deps;
    try { await client.get(services, { namespace: DNS_NAMESPACE, name: DNS_SERVICE }, signal); }
    catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
      await client.create(services, dnsService(this.#address), {}, signal).catch((failure: unknown) => { if (!hasReason(failure, "AlreadyExists")) throw failure; });
    }
  }

  async #write(ready: boolean, signal: AbortSignal): Promise<void> {
    const { client, self } = this.#deps, { node, address } = self()!, wanted = dnsSlice(node, address, ready);
    let present: EndpointSlice;
    try { present = await client.get(endpointslices, { namespace: DNS_NAMESPACE, name: wanted.metadata.name! }, signal); }
    catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
      await client.create(endpointslices, wanted, {}, signal);
      return;
    }
    const facts = (slice: EndpointSlice): string => JSON.stringify([slice.endpoints?.map((e) => [e.addresses, e.nodeName, e.conditions?.ready]), slice.metadata.ownerReferences?.[0]?.uid]);
    if (facts(present) === facts(wanted)) return;
    await client.update(endpointslices, { ...wanted, metadata: { ...wanted.metadata, resourceVersion: present.metadata.resourceVersion } }, {}, signal);
  }
}

/**
 * Everything the proxy wants in the kernel, as text for `iptables-restore --noflush`. Pure: the same objects give the same text.
 * The daemon itself sends only differences (`rule-tables.ts`); this is what they add up to. Counterpart: kube-proxy `syncProxyRules`.
 */
import type { EndpointSlice, Service } from "../api/schema/generated/models.ts";
import { renderTransaction, type ChainChange } from "../node-iptables/index.ts";
import { endpointsByPort, serviceOfSlice } from "./endpoints.ts";
import type { RenderOptions } from "./render-options.ts";
import { renderService } from "./render-service.ts";
import { RuleTables, TABLES } from "./rule-tables.ts";
import { servicePorts } from "./service-port.ts";

/** Chains sorted by name within each table. */
export function renderRules(services: readonly Service[], slices: readonly EndpointSlice[], options: RenderOptions): string {
  const tables = new RuleTables(), byService = new Map<string, EndpointSlice[]>();
  tables.setBase(options);
  for (const slice of slices) {
    const service = serviceOfSlice(slice);
    if (service !== undefined) byService.set(service, [...(byService.get(service) ?? []), slice]);
  }
  for (const service of services) {
    const name = `${service.metadata.namespace}/${service.metadata.name}`, ports = servicePorts(service, options.family);
    if (ports.length > 0) tables.setService(name, renderService(ports, endpointsByPort(byService.get(name) ?? [], options.family, options.nodeName), options));
  }
  return renderTransaction(TABLES.map((table) => ({
    table,
    changes: [...tables.wanted(table)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([chain, rules]): ChainChange => ({ kind: "write", chain, rules })),
  })), { chunkChains: Infinity });
}

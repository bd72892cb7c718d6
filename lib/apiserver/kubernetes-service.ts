/**
 * The Service `kubernetes` in the namespace `default` and where it leads: this server.
 * Checked at start and every RECONCILE_PERIOD_MS, so that what somebody deletes comes back.
 * Counterpart: kubernetes `controlplane/controller/kubernetesservice` and `reconcilers`, for one master.
 */
import { isDeepStrictEqual } from "node:util";
import type { Endpoints, EndpointSlice, Service } from "../api/schema/generated/models.ts";
import { endpoints, endpointslices, services } from "../api/schema/generated/references.ts";
import { aborted } from "../util/abort.ts";
import type { Clock } from "../util/clock.ts";
import { formatIp, maskIp, parseCidr } from "../util/ip.ts";
import type { Logger } from "../util/logger.ts";
import type { CacheReader, InternalWriter } from "./contracts.ts";
import { reconcileDefaultServiceCidr } from "./default-service-cidr.ts";

export const RECONCILE_PERIOD_MS = 10_000;
const NAME = "kubernetes", NAMESPACE = "default", PORT = 443;

export interface KubernetesServiceOptions {
  /** First address of the Service range. */
  readonly clusterIp: string;
  readonly advertiseAddress: string;
  readonly securePort: number;
  /** The Service ranges, the default family's first. */
  readonly serviceCidrs: readonly string[];
}

export interface KubernetesServiceDeps { readonly cache: CacheReader; readonly writer: InternalWriter; readonly clock: Clock; readonly log: Logger }

const labels = { component: "apiserver", provider: "kubernetes" };

function wantedService({ clusterIp, securePort }: KubernetesServiceOptions): Service {
  return {
    apiVersion: "v1", kind: "Service", metadata: { name: NAME, namespace: NAMESPACE, labels },
    spec: { type: "ClusterIP", clusterIP: clusterIp, clusterIPs: [clusterIp], ipFamilies: [familyOf(clusterIp)], ipFamilyPolicy: "SingleStack", sessionAffinity: "None", ports: [{ name: "https", port: PORT, protocol: "TCP", targetPort: securePort }] },
  };
}

const familyOf = (address: string): "IPv4" | "IPv6" => (address.includes(":") ? "IPv6" : "IPv4");

function wantedEndpoints({ advertiseAddress, securePort }: KubernetesServiceOptions): Endpoints {
  return {
    apiVersion: "v1", kind: "Endpoints", metadata: { name: NAME, namespace: NAMESPACE, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
    subsets: [{ addresses: [{ ip: advertiseAddress }], ports: [{ name: "https", port: securePort, protocol: "TCP" }] }],
  };
}

function wantedSlice({ advertiseAddress, securePort }: KubernetesServiceOptions): EndpointSlice {
  return {
    apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata: { name: NAME, namespace: NAMESPACE, labels: { "kubernetes.io/service-name": NAME } },
    addressType: familyOf(advertiseAddress), endpoints: [{ addresses: [advertiseAddress], conditions: { ready: true } }], ports: [{ name: "https", port: securePort, protocol: "TCP" }],
  };
}

/** Creates or mends the three objects. Throws StatusError. */
export async function reconcileKubernetesService({ cache, writer }: KubernetesServiceDeps, options: KubernetesServiceOptions): Promise<void> {
  const service = cache.get(services, NAMESPACE, NAME), wanted = wantedService(options);
  if (service === undefined) await writer.create(services, wanted);
  else if (!isDeepStrictEqual(plainPorts(service), plainPorts(wanted))) await writer.update(services, { ...service, spec: { ...service.spec, ports: wanted.spec.ports } });
  const held = cache.get(endpoints, NAMESPACE, NAME), wantedHeld = wantedEndpoints(options);
  if (held === undefined) await writer.create(endpoints, wantedHeld);
  else if (!isDeepStrictEqual(held.subsets, wantedHeld.subsets)) await writer.update(endpoints, { ...held, subsets: wantedHeld.subsets });
  const slice = cache.get(endpointslices, NAMESPACE, NAME), wantedEndpointSlice = wantedSlice(options);
  if (slice === undefined) await writer.create(endpointslices, wantedEndpointSlice);
  else if (!isDeepStrictEqual([slice.endpoints, slice.ports], [wantedEndpointSlice.endpoints, wantedEndpointSlice.ports])) await writer.update(endpointslices, { ...slice, endpoints: wantedEndpointSlice.endpoints, ports: wantedEndpointSlice.ports });
}

const plainPorts = (service: Service): unknown => service.spec?.ports?.map(({ name, port, protocol, targetPort }) => ({ name, port, protocol, targetPort }));

/** Keeps them, and the range their addresses are from, until `signal` aborts. */
export async function keepKubernetesService(deps: KubernetesServiceDeps, options: KubernetesServiceOptions, signal: AbortSignal): Promise<void> {
  const tick = async (): Promise<void> => {
    try {
      await reconcileDefaultServiceCidr(deps, options.serviceCidrs);
      await reconcileKubernetesService(deps, options);
    } catch (error) { deps.log.warn({ error }, "cannot maintain the kubernetes Service, will retry"); }
  };
  await tick();
  const timer = setInterval(() => { void tick(); }, RECONCILE_PERIOD_MS);
  timer.unref();
  await aborted(signal);
  clearInterval(timer);
}

/** `10.96.0.1` of `10.96.0.0/16`. Throws RangeError for what is no range. */
export function firstAddress(cidr: string): string {
  const range = parseCidr(cidr);
  if (range === undefined) throw new RangeError(`Cannot find the first address of ${JSON.stringify(cidr)}: expected a range such as 10.96.0.0/16`);
  const { family, value } = maskIp(range.ip, range.prefix);
  return formatIp({ family, value: value + 1n });
}

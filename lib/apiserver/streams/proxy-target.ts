/**
 * Where `…/proxy` leads: the name in the path says scheme and port too (`https:web:8443`), the rest is looked up.
 * Counterpart: `ResourceLocation` of `pkg/registry/core/{pod,service,node}`.
 */
import { isIP } from "node:net";
import { endpointslices, pods, services } from "../../api/schema/generated/references.ts";
import type { EndpointSlice } from "../../api/schema/generated/models.ts";
import { badRequest, notFound, StatusError } from "../../api/status-error.ts";
import type { CacheReader } from "../contracts.ts";
import type { KubeletConnection, TlsOptions } from "./kubelet-connection.ts";

export interface ProxyTarget { readonly scheme: "http" | "https"; readonly host: string; readonly port: number; readonly tls: TlsOptions | undefined }
interface NameParts { readonly scheme: "" | "http" | "https"; readonly name: string; readonly port: string }

const unavailable = (message: string): StatusError => new StatusError("ServiceUnavailable", message);
/** Whoever answers https here is not verified, as upstream: the path says where, not who. */
const UNVERIFIED: TlsOptions = { rejectUnauthorized: false };

/** `name`, `name:port`, `scheme:name:port`; undefined when it is none of these. Pure. */
export function splitProxyName(text: string): NameParts | undefined {
  const parts = text.split(":");
  if (parts.length === 1) return parts[0] === "" ? undefined : { scheme: "", name: parts[0]!, port: "" };
  if (parts.length === 2) return parts[0] === "" ? undefined : { scheme: "", name: parts[0]!, port: parts[1]! };
  const [scheme, name, port] = parts;
  if (parts.length !== 3 || (scheme !== "http" && scheme !== "https" && scheme !== "") || name === "") return undefined;
  return { scheme, name: name!, port: port! };
}

/** Addresses that would make the server talk to itself or to the host's link. Pure. */
export function isProxyableAddress(address: string): boolean {
  if (isIP(address) === 4) return !/^(127\.|169\.254\.|0\.0\.0\.0$|2(2[4-9]|3\d)\.)/.test(address);
  return isIP(address) === 6 && !/^(::1?$|fe[89ab][0-9a-f]:|ff|::ffff:(127\.|7f))/i.test(address);
}

function checked(host: string, port: string | number, scheme: string): ProxyTarget {
  if (!isProxyableAddress(host)) throw badRequest("address not allowed");
  const number = port === "" ? (scheme === "https" ? 443 : 80) : Number(port);
  if (!Number.isInteger(number) || number < 1 || number > 65_535) throw badRequest(`invalid port ${JSON.stringify(port)}`);
  return { scheme: scheme === "https" ? "https" : "http", host, port: number, tls: scheme === "https" ? UNVERIFIED : undefined };
}

/** Throws StatusError. */
export function podTarget(cache: CacheReader, namespace: string, text: string): ProxyTarget {
  const parts = splitProxyName(text);
  if (parts === undefined) throw badRequest(`invalid pod request ${JSON.stringify(text)}`);
  const pod = cache.get(pods, namespace, parts.name);
  if (pod === undefined) throw notFound(pods, parts.name);
  // Without a port, the first any container declares.
  const declared = (pod.spec?.containers ?? []).flatMap((container) => container.ports ?? [])[0]?.containerPort;
  return checked(pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? "", parts.port === "" ? (declared ?? "") : parts.port, parts.scheme);
}

/** One of the Service's ready endpoints, at random. Throws StatusError. */
export function serviceTarget(cache: CacheReader, namespace: string, text: string, random: () => number): ProxyTarget {
  const parts = splitProxyName(text);
  if (parts === undefined) throw badRequest(`invalid service request ${JSON.stringify(text)}`);
  const service = cache.get(services, namespace, parts.name);
  if (service === undefined) throw notFound(services, parts.name);
  const ports = service.spec?.ports ?? [];
  let wanted = parts.port;
  if (wanted === "" && ports.length === 1) wanted = ports[0]!.name ?? "";
  else if (/^\d+$/.test(wanted)) {
    const port = ports.find((each) => each.port === Number(wanted));
    if (port === undefined) throw unavailable(`no service port ${wanted} found for service ${JSON.stringify(parts.name)}`);
    wanted = port.name ?? "";
  }
  const choices = cache.list(endpointslices, namespace).filter((slice) => slice.metadata.labels?.["kubernetes.io/service-name"] === parts.name).flatMap((slice) => readyEndpoints(slice, wanted));
  const chosen = choices[Math.floor(random() * choices.length)];
  if (chosen === undefined) throw unavailable(`no endpoints available for service ${JSON.stringify(parts.name)}`);
  return checked(chosen.address, chosen.port, parts.scheme);
}

function readyEndpoints(slice: EndpointSlice, portName: string): { address: string; port: number }[] {
  const port = (slice.ports ?? []).find((each) => (each.name ?? "") === portName)?.port;
  if (port === undefined || slice.addressType === "FQDN") return [];
  return (slice.endpoints ?? []).filter((endpoint) => endpoint.conditions?.ready !== false).flatMap((endpoint) => endpoint.addresses.slice(0, 1).map((address) => ({ address, port })));
}

/** The node's kubelet, or another port of the node. Throws StatusError. */
export function nodeTarget(kubelets: KubeletConnection, text: string): ProxyTarget {
  const parts = splitProxyName(text);
  if (parts === undefined) throw badRequest(`invalid node request ${JSON.stringify(text)}`);
  const { host, port } = kubelets.addressOf(parts.name);
  if (parts.port === "" || parts.port === String(port)) return { scheme: "https", host, port, tls: kubelets.tls() };
  if (isIP(host) !== 0) return checked(host, parts.port, parts.scheme);
  return { scheme: parts.scheme === "https" ? "https" : "http", host, port: Number(parts.port), tls: parts.scheme === "https" ? UNVERIFIED : undefined };
}

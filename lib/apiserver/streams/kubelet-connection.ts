/**
 * How to reach the kubelet of a node: its address by preference, its port, and the certificate we show it.
 * Counterpart: `pkg/kubelet/client` `NodeConnectionInfoGetter`.
 */
import type { RequestOptions } from "node:https";
import { nodes } from "../../api/schema/generated/references.ts";
import { notFound, StatusError } from "../../api/status-error.ts";
import type { CacheReader } from "../contracts.ts";

export const KUBELET_PORT = 10_250;

export interface KubeletClientOptions {
  /** Certificate, key and the authorities of kubelets' serving certificates; asked at each connection, so that renewal needs no restart. Without authorities kubelets are not verified, as upstream. */
  readonly tls: () => { readonly certificatePem?: string | undefined; readonly keyPem?: string | undefined; readonly authorityPem?: string | undefined };
  /** `--kubelet-preferred-address-types`. */
  readonly preferredAddressTypes: readonly string[];
}

export interface KubeletAddress { readonly host: string; readonly port: number }
export type TlsOptions = Pick<RequestOptions, "ca" | "cert" | "key" | "rejectUnauthorized">;

export class KubeletConnection {
  readonly #cache: CacheReader;
  readonly #options: KubeletClientOptions;
  constructor(deps: { cache: CacheReader }, options: KubeletClientOptions) { this.#cache = deps.cache; this.#options = options; }

  /** Throws StatusError when the node is not there or says no address. */
  addressOf(name: string): KubeletAddress {
    const node = this.#cache.get(nodes, "", name), addresses = node?.status?.addresses ?? [];
    if (node === undefined) throw notFound(nodes, name);
    for (const type of this.#options.preferredAddressTypes) {
      const found = addresses.find((address) => address.type === type && address.address !== "");
      if (found !== undefined) return { host: found.address, port: node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? KUBELET_PORT };
    }
    throw new StatusError("InternalError", `Internal error occurred: no preferred addresses found; known addresses: ${JSON.stringify(addresses.map(({ type, address }) => ({ type, address })))}`);
  }

  /** URL of a path of the node's kubelet. */
  url(node: string, path: string, query: URLSearchParams = new URLSearchParams()): URL {
    const { host, port } = this.addressOf(node), search = query.toString();
    return new URL(`https://${host.includes(":") ? `[${host}]` : host}:${port}${path}${search === "" ? "" : `?${search}`}`);
  }

  tls(options: { insecure?: boolean } = {}): TlsOptions {
    const { certificatePem, keyPem, authorityPem } = this.#options.tls();
    return {
      ...(certificatePem === undefined ? {} : { cert: certificatePem }), ...(keyPem === undefined ? {} : { key: keyPem }), ...(authorityPem === undefined ? {} : { ca: authorityPem }),
      rejectUnauthorized: authorityPem !== undefined && options.insecure !== true,
    };
  }
}

/** `/api`, `/apis` and below. Bodies are made when first asked for and kept. */
import { createHash } from "node:crypto";
import type { ResourceDefinition } from "../../api/resource-definition.ts";
import type { ApiRequest, ApiResponse } from "../http/exchange.ts";
import { JSON_TYPE, negotiate, parseAccept } from "../negotiate.ts";
import { valueResponse } from "../rest/encode.ts";
import { aggregatedBody, discover, groupBody, resourceListBody, type DiscoveredGroup } from "./discovery.ts";

interface Aggregated { readonly body: Buffer; readonly etag: string }

/** The aggregated form the client would rather have than the plain one; undefined for the plain one. */
function aggregatedVersion(request: ApiRequest): "v2" | "v2beta1" | undefined {
  const { accept } = request.headers;
  if (accept === undefined || !accept.includes("apidiscovery")) return undefined;
  for (const { type, parameters } of parseAccept(accept)) {
    if (type !== JSON_TYPE) continue;
    if (parameters["as"] === undefined) return undefined;
    const version = parameters["v"];
    if (parameters["as"] === "APIGroupDiscoveryList" && parameters["g"] === "apidiscovery.k8s.io" && (version === "v2" || version === "v2beta1")) return version;
  }
  return undefined;
}

export class Discovery {
  readonly #groups: readonly DiscoveredGroup[];
  readonly #advertised: string;
  readonly #aggregated = new Map<string, Aggregated>();
  /** `advertised` is `address:port` as clients reach the server. */
  constructor(definitions: readonly ResourceDefinition[], advertised: string) {
    this.#groups = discover(definitions);
    this.#advertised = advertised;
  }

  /** Every path answered here, the core group's aside. */
  paths(): string[] {
    const named = this.#groups.filter((group) => group.name !== "");
    return ["/apis", ...named.flatMap((group) => [`/apis/${group.name}`, ...group.versions.map(({ version }) => `/apis/${group.name}/${version}`)])];
  }

  /** undefined: not a discovery path we know. */
  handle(request: ApiRequest): ApiResponse | undefined {
    const parts = request.path.split("/").filter((part) => part !== "");
    if (parts[0] === "api") {
      if (parts.length === 1) return this.#root(request, this.#groups.slice(0, 1), { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: this.#advertised }] });
      return parts.length === 2 ? this.#version(request, "", parts[1]!) : undefined;
    }
    if (parts[0] !== "apis") return undefined;
    const named = this.#groups.filter((group) => group.name !== "");
    if (parts.length === 1) return this.#root(request, named, { kind: "APIGroupList", apiVersion: "v1", groups: named.map(groupBody) });
    if (parts.length === 3) return this.#version(request, parts[1]!, parts[2]!);
    const group = parts.length === 2 ? named.find((each) => each.name === parts[1]) : undefined;
    return group === undefined ? undefined : valueResponse({ kind: "APIGroup", apiVersion: "v1", ...groupBody(group) }, negotiate(request, []));
  }

  #version(request: ApiRequest, name: string, wanted: string): ApiResponse | undefined {
    const group = this.#groups.find((each) => each.name === name), version = group?.versions.find((each) => each.version === wanted);
    return group === undefined || version === undefined ? undefined : valueResponse(resourceListBody(group, version), negotiate(request, []));
  }

  #root(request: ApiRequest, groups: readonly DiscoveredGroup[], plain: object): ApiResponse {
    const version = aggregatedVersion(request);
    if (version === undefined) {
      const answer = valueResponse(plain, negotiate(request, []));
      return { ...answer, headers: { vary: "Accept" } };
    }
    const { body, etag } = this.#aggregate(groups, version);
    const headers = { vary: "Accept", etag, "cache-control": "public" }, contentType = `${JSON_TYPE};g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
    if (request.headers["if-none-match"] === etag) return { status: 304, contentType, headers, body: "" };
    return { status: 200, contentType, headers, body };
  }

  #aggregate(groups: readonly DiscoveredGroup[], version: "v2" | "v2beta1"): Aggregated {
    const key = `${version} ${groups[0]?.name ?? ""}`;
    let known = this.#aggregated.get(key);
    if (known === undefined) {
      const body = Buffer.from(`${JSON.stringify(aggregatedBody(groups, version))}\n`);
      known = { body, etag: `"${createHash("sha512").update(body).digest("hex").toUpperCase()}"` };
      this.#aggregated.set(key, known);
    }
    return known;
  }
}

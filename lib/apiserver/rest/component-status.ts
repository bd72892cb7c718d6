/** componentstatuses: asked for, never stored. Counterpart: kubernetes `registry/core/componentstatus`. */
import https from "node:https";
import type { ComponentStatus } from "../../api/schema/generated/models.ts";
import type { ResourceDefinition } from "../../api/resource-definition.ts";
import { notFound } from "../../api/status-error.ts";
import type { ApiRequest, ApiResponse } from "../http/exchange.ts";
import { negotiate } from "../negotiate.ts";
import type { Api } from "./api.ts";
import { valueResponse } from "./encode.ts";
import { methodNotAllowed } from "./method-not-allowed.ts";
import { valueTable } from "./table.ts";

const PROBE_TIMEOUT_MS = 2_000;

/** Asks a daemon on this machine how it is; its certificate may be one it made for itself. */
function probe(port: number): Promise<{ message: string; error?: string }> {
  return new Promise((resolve) => {
    const request = https.get({ host: "127.0.0.1", port, path: "/healthz", rejectUnauthorized: false, timeout: PROBE_TIMEOUT_MS, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => { text += part; })
        .on("end", () => resolve(response.statusCode === 200 ? { message: text } : { message: "", error: `HTTP probe failed with statuscode: ${response.statusCode}` }));
    });
    request.on("timeout", () => request.destroy(new Error("Timeout exceeded while awaiting headers")));
    request.on("error", (error) => resolve({ message: "", error: `Get "https://127.0.0.1:${port}/healthz": ${error.message}` }));
  });
}

/** Daemons beside this server, by the ports they have unless told otherwise. */
const COMPONENTS: Record<string, (api: Api) => Promise<{ message: string; error?: string }>> = {
  "controller-manager": () => probe(10257),
  "etcd-0": async (api) => (api.cache.lost === undefined ? { message: "ok" } : { message: "", error: "the store's watch ended" }),
  scheduler: () => probe(10259),
};

async function statusOf(api: Api, name: string): Promise<ComponentStatus> {
  const { message, error } = await COMPONENTS[name]!(api);
  return {
    apiVersion: "v1", kind: "ComponentStatus", metadata: { name } as ComponentStatus["metadata"],
    conditions: [{ type: "Healthy", status: error === undefined ? "True" : "False", ...(message === "" ? {} : { message }), ...(error === undefined ? {} : { error }) }],
  };
}

/** GET of one or of all. Throws StatusError. */
export async function handleComponentStatus(api: Api, request: ApiRequest, definition: ResourceDefinition): Promise<ApiResponse> {
  const { verb, name } = request.info, negotiated = negotiate(request, ["Table"]);
  if (verb === "get") {
    if (!Object.hasOwn(COMPONENTS, name)) throw notFound(definition, name);
    const one = await statusOf(api, name);
    return valueResponse(negotiated.as === "Table" ? valueTable(definition, [one], negotiated, new Date()) : one, negotiated);
  }
  if (verb !== "list") throw methodNotAllowed();
  const all = await Promise.all(Object.keys(COMPONENTS).map((each) => statusOf(api, each)));
  if (negotiated.as === "Table") return valueResponse(valueTable(definition, all, negotiated, new Date()), negotiated);
  return valueResponse({ kind: definition.listKind, apiVersion: "v1", metadata: {}, items: all.map(({ metadata, conditions }) => ({ metadata, conditions })) }, negotiated);
}

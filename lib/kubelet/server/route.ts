/**
 * Paths of the kubelet's server: what they mean and what permission they need. Pure.
 * Counterpart: kubelet `server/server.go` and `server/auth.go`.
 */
export type Route =
  | { readonly kind: "healthz" | "pods" | "runningpods" | "statsSummary" | "metrics" | "metricsResource" | "metricsCadvisor" | "metricsProbes" | "configz" }
  | { readonly kind: "logs"; readonly namespace: string; readonly pod: string; readonly container: string }
  | { readonly kind: "exec" | "attach" | "run"; readonly namespace: string; readonly pod: string; readonly uid: string | undefined; readonly container: string }
  | { readonly kind: "portForward"; readonly namespace: string; readonly pod: string; readonly uid: string | undefined };

const PLAIN: Record<string, Route> = {
  "/healthz": { kind: "healthz" }, "/pods": { kind: "pods" }, "/runningpods": { kind: "runningpods" }, "/stats/summary": { kind: "statsSummary" }, "/metrics": { kind: "metrics" },
  "/metrics/resource": { kind: "metricsResource" }, "/metrics/cadvisor": { kind: "metricsCadvisor" }, "/metrics/probes": { kind: "metricsProbes" }, "/configz": { kind: "configz" },
};

/** Undefined: there is no such path (404). */
export function parseRoute(path: string): Route | undefined {
  const clean = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path, plain = PLAIN[clean];
  if (plain !== undefined) return plain;
  let words: string[];
  try { words = clean.split("/").slice(1).map(decodeURIComponent); } catch { return undefined; }
  const [head, namespace = "", pod = "", a = "", b] = words;
  if (namespace === "" || pod === "") return undefined;
  if (head === "containerLogs" && a !== "" && words.length === 4) return { kind: "logs", namespace, pod, container: a };
  if ((head === "exec" || head === "attach" || head === "run") && a !== "" && words.length <= 5) return { kind: head, namespace, pod, ...(b === undefined ? { uid: undefined, container: a } : { uid: a, container: b }) };
  if (head === "portForward" && words.length <= 4) return { kind: "portForward", namespace, pod, uid: a === "" ? undefined : a };
  return undefined;
}

const VERBS: Record<string, string> = { GET: "get", HEAD: "get", POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" };

/** The permission a request needs: a verb on a subresource of this node; any of those listed will do. */
export function requiredAttributes(method: string, path: string, nodeName: string): { verb: string; group: string; version: string; resource: string; subresource: string; name: string } {
  const subresource = path === "/stats" || path.startsWith("/stats/") ? "stats" : path === "/metrics" || path.startsWith("/metrics/") ? "metrics" : path === "/logs" || path.startsWith("/logs/") ? "log" : path.startsWith("/checkpoint") ? "checkpoint" : "proxy";
  return { verb: VERBS[method] ?? "", group: "", version: "v1", resource: "nodes", subresource, name: nodeName };
}

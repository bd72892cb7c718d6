/** The patch that turns what the API server holds into a status. Pure. Counterpart: `pkg/util/pod` PatchPodStatus. */
import type { Pod, PodStatus } from "../api/schema/generated/models.ts";

const LISTS = ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses", "podIPs", "hostIPs"] as const;
const SCALARS = ["phase", "reason", "message", "hostIP", "podIP", "startTime", "qosClass", "observedGeneration"] as const;

const same = (a: unknown, b: unknown): boolean => JSON.stringify(canonical(a)) === JSON.stringify(canonical(b));

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined && !(isEmptyObject(v))).sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, canonical(v)]));
}
const isEmptyObject = (value: unknown): boolean => value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length === 0;

/** A strategic merge patch on the status subresource, or undefined when nothing differs. Conditions of others are left alone. */
export function statusPatch(pod: Pod, held: PodStatus, wanted: PodStatus): Record<string, unknown> | undefined {
  const status: Record<string, unknown> = {};
  for (const field of SCALARS) if (held[field] !== wanted[field]) status[field] = wanted[field] ?? null;
  for (const field of LISTS) {
    if (same(held[field] ?? [], wanted[field] ?? [])) continue;
    // podIPs and hostIPs merge by ip, so what went must be named; the container lists are replaced whole.
    const list = wanted[field] ?? [];
    status[field] = field === "podIPs" || field === "hostIPs" ? [{ $patch: "replace" }, ...list] : list;
  }
  const conditions = (wanted.conditions ?? []).filter((condition) => !same(condition, held.conditions?.find((c) => c.type === condition.type)));
  if (conditions.length > 0) status["conditions"] = conditions.map((condition) => ({ ...condition, reason: condition.reason ?? null, message: condition.message ?? null }));
  return Object.keys(status).length === 0 ? undefined : { metadata: { uid: pod.metadata.uid }, status };
}

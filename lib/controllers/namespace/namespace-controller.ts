/**
 * Namespace controller: a namespace that is being deleted is emptied, then let go.
 *
 *   Active ──deleted──► Terminating ──everything gone──► finalized (the server then removes it)
 *                            └──something remains──► looked at again, soon at first, at most every 5 s
 *
 * Counterpart: kubernetes `pkg/controller/namespace`.
 */
import { namespaces } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import { Controller } from "../../runtime/controller.ts";
import { backoffMs, resolveBackoff } from "../../util/backoff.ts";
import { podInformer } from "../shared/pod-indexes.ts";
import { emptyNamespace } from "./empty-namespace.ts";
import { planConditions } from "./plan-conditions.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { Namespace } from "../../api/schema/generated/models.ts";
import type { Runnable } from "../../util/runnable.ts";

export const NAMESPACE_FINALIZER = "kubernetes";
const RETRY = resolveBackoff({ baseMs: 200, maxMs: 5_000 });

export function createNamespaceController(context: ControllerContext, options: { workers: number }): Runnable {
  const { client, clock } = context, spaces = context.informers.get(namespaces), pods = podInformer(context.informers);
  const attempts = new Map<string, number>();

  const reconcile = async (name: string, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> => {
    const cached = spaces.get(name);
    if (cached?.metadata.deletionTimestamp === undefined) { attempts.delete(name); return {}; }
    let namespace: Namespace;
    try { namespace = await client.get(namespaces, { name }, signal); }
    catch (error) { if (hasReason(error, "NotFound")) return {}; throw error; }
    if (namespace.metadata.uid !== cached.metadata.uid || namespace.metadata.deletionTimestamp === undefined) return {};
    if (namespace.spec.finalizers?.includes(NAMESPACE_FINALIZER) !== true) return {};
    if (namespace.status?.phase !== "Terminating") namespace = await client.update(namespaces, { ...namespace, status: { ...namespace.status, phase: "Terminating" } }, { subresource: "status" }, signal);
    const result = await emptyNamespace(client, name, signal);
    const before = namespace.status?.conditions ?? [], conditions = planConditions(before, result, clock.now());
    if (conditions !== before && !result.isEmpty) namespace = await client.update(namespaces, { ...namespace, status: { ...namespace.status, conditions: [...conditions] } }, { subresource: "status" }, signal);
    if (!result.isEmpty) {
      const attempt = attempts.get(name) ?? 0;
      attempts.set(name, attempt + 1);
      return { requeueAfterMs: backoffMs(RETRY, attempt) };
    }
    const finalizers = namespace.spec.finalizers!.filter((f) => f !== NAMESPACE_FINALIZER);
    try { await client.update(namespaces, { ...namespace, spec: { ...namespace.spec, finalizers } }, { subresource: "finalize" }, signal); }
    catch (error) { if (!hasReason(error, "NotFound")) throw error; }
    attempts.delete(name);
    context.log.info({ namespace: name }, "namespace emptied");
    return {};
  };
  const controller = new Controller(context, { name: "namespace-controller", workers: options.workers, waitFor: [spaces], reconcile });
  spaces.onChange(({ type, object }) => { if (type === "deleted" || object.metadata.deletionTimestamp !== undefined) controller.queue.add(object.metadata.name); });
  pods.onChange(({ type, object }) => {
    const namespace = object.metadata.namespace ?? "";
    if (type === "deleted" && spaces.get(namespace)?.metadata.deletionTimestamp !== undefined) controller.queue.add(namespace); // Pods are what emptying waits for longest.
  });
  return controller;
}

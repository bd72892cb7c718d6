/** Deleting objects. Counterpart: apiserver `registry/generic/registry/store.go` Delete and DeleteCollection. */
import { toTimestamp } from "../../api/helpers/timestamps.ts";
import type { KubeObject } from "../../api/resource-definition.ts";
import type { DeleteOptions, Namespace } from "../../api/schema/generated/models.ts";
import { conflict } from "../../api/status-error.ts";
import { RevisionConflictError } from "../../storage/store.ts";
import type { Entry } from "../cache/entry.ts";
import { checkDeleteOptions, planDelete, type DeletePlan } from "./plan-delete.ts";
import type { Resource, WriteContext } from "./resource.ts";
import { MODIFIED } from "./update.ts";

export interface DeleteResult {
  /** As it is after the request, or as it was when it went. */
  readonly entry: Entry;
  readonly uid: string;
  /** The object is gone. */
  readonly removed: boolean;
}

const TRIES_MAX = 20;

/** A delete owns no fields. */
export type DeleteContext = Omit<WriteContext, "fieldManager">;

/** Deletes one object, or begins to. `dryRun` in the context counts. Throws StatusError. */
export async function deleteObject(resource: Resource, namespace: string, name: string, options: DeleteOptions, context: DeleteContext): Promise<DeleteResult> {
  const { definition, deps } = resource, { admission } = deps;
  checkDeleteOptions(options);
  for (let tries = 1; ; tries++) {
    const stored = resource.find(namespace, name), old = resource.peek(stored);
    const attributes = {
      operation: "DELETE", definition, subresource: "", namespace, name, object: undefined, oldObject: old,
      user: context.user, dryRun: context.dryRun, addWarning: context.addWarning,
    } as const;
    if (admission.handles("DELETE", definition, "")) {
      await admission.admit(attributes);
      await admission.validate(attributes);
    }
    const now = deps.clock.now();
    const plan = definition.group === "" && definition.plural === "namespaces" ? planNamespace(resource, stored, options, now) : planDelete(definition, old, options, now);
    try { return await carryOut(resource, stored, old, plan, context); }
    catch (error) {
      if (!(error instanceof RevisionConflictError)) throw error;
      if (options.preconditions?.resourceVersion !== undefined || tries >= TRIES_MAX) throw conflict(definition, name, MODIFIED);
    }
  }
}

/** A namespace waits for `spec.finalizers` as others wait for `metadata.finalizers`. */
function planNamespace(resource: Resource, stored: Entry, options: DeleteOptions, now: Date): DeletePlan {
  const namespace = resource.peek(stored) as Namespace, plan = planDelete(resource.definition, namespace, options, now);
  if ((namespace.spec?.finalizers ?? []).length === 0 || plan.kind !== "remove") return plan;
  if (namespace.metadata.deletionTimestamp !== undefined) return { kind: "pending" };
  const generation = namespace.metadata.generation;
  return { kind: "mark", metadata: { finalizers: namespace.metadata.finalizers ?? [], deletionTimestamp: toTimestamp(now), deletionGracePeriodSeconds: 0, ...(generation === undefined ? {} : { generation: generation + 1 }) } };
}

async function carryOut(resource: Resource, stored: Entry, old: KubeObject, plan: DeletePlan, context: DeleteContext): Promise<DeleteResult> {
  const uid = old.metadata.uid!;
  switch (plan.kind) {
    case "pending": return { entry: stored, uid, removed: false };
    case "remove": {
      if (context.dryRun) return { entry: stored, uid, removed: true };
      const gone = await resource.remove(stored);
      return { entry: gone ?? stored, uid, removed: true };
    }
    case "mark": {
      const object = resource.decode(stored);
      Object.assign(object.metadata, plan.metadata);
      if (object.metadata.finalizers?.length === 0) delete object.metadata.finalizers;
      if (object.kind === "Namespace") (object as Namespace).status = { ...(object as Namespace).status, phase: "Terminating" };
      const entry = context.dryRun ? resource.preview(resource.storedForm(object), stored.revision) : await resource.put(resource.storedForm(object), stored.revision);
      return { entry, uid, removed: false };
    }
  }
}

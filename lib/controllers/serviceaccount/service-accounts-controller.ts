/**
 * Service accounts: every active namespace has the ServiceAccount `default`, made again when somebody deletes it.
 * Counterpart: kubernetes `pkg/controller/serviceaccount/serviceaccounts_controller.go`.
 */
import { namespaces, serviceaccounts } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import { Controller } from "../../runtime/controller.ts";
import { joinKey } from "../../runtime/object-key.ts";
import { isNamespaceTerminating } from "../shared/pod-control.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { Namespace } from "../../api/schema/generated/models.ts";
import type { Runnable } from "../../util/runnable.ts";

export const DEFAULT_SERVICE_ACCOUNT = "default";

/** Whether things may still be made in it. */
export const isActive = (namespace: Namespace | undefined): namespace is Namespace =>
  namespace !== undefined && namespace.metadata.deletionTimestamp === undefined && namespace.status?.phase !== "Terminating";

export function createServiceAccountsController(context: ControllerContext, options: { workers: number }): Runnable {
  const spaces = context.informers.get(namespaces), accounts = context.informers.get(serviceaccounts);
  const controller = new Controller(context, {
    name: "serviceaccount-controller", workers: options.workers, waitFor: [spaces, accounts],
    async reconcile(namespace, signal) {
      if (!isActive(spaces.get(namespace)) || accounts.get(joinKey(namespace, DEFAULT_SERVICE_ACCOUNT)) !== undefined) return {};
      try { await context.client.create(serviceaccounts, { metadata: { name: DEFAULT_SERVICE_ACCOUNT, namespace } }, {}, signal); }
      catch (error) { if (!hasReason(error, "AlreadyExists", "NotFound") && !isNamespaceTerminating(error)) throw error; }
      return {};
    },
  });
  spaces.onChange(({ type, object }) => { if (type !== "deleted") controller.queue.add(object.metadata.name); });
  accounts.onChange(({ type, object }) => {
    if (type === "deleted" && object.metadata.name === DEFAULT_SERVICE_ACCOUNT) controller.queue.add(object.metadata.namespace ?? "");
  });
  return controller;
}

/**
 * Root CA publisher: every active namespace has the ConfigMap `kube-root-ca.crt`, from which pods' projected tokens take the CA.
 * Counterpart: kubernetes `pkg/controller/certificates/rootcacertpublisher`.
 */
import { configmaps, namespaces } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import { Controller } from "../../runtime/controller.ts";
import { joinKey } from "../../runtime/object-key.ts";
import { isNamespaceTerminating } from "../shared/pod-control.ts";
import { isActive } from "./service-accounts-controller.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { ConfigMap } from "../../api/schema/generated/models.ts";
import type { Runnable } from "../../util/runnable.ts";

export const ROOT_CA_CONFIG_MAP = "kube-root-ca.crt";
const DESCRIPTION_ANNOTATION = "kubernetes.io/description";
const DESCRIPTION = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. "
  + "No other usage is guaranteed across distributions of Kubernetes clusters.";

/** The ConfigMap as it should be; undefined when `current` is so already. */
export function planRootCa(namespace: string, rootCa: string, current: ConfigMap | undefined): ConfigMap | undefined {
  const isRight = current?.metadata.annotations?.[DESCRIPTION_ANNOTATION] !== undefined && Object.keys(current.data ?? {}).length === 1 && current.data?.["ca.crt"] === rootCa;
  if (isRight) return undefined;
  return {
    ...current,
    metadata: { ...(current?.metadata ?? { name: ROOT_CA_CONFIG_MAP, namespace }), annotations: { ...current?.metadata.annotations, [DESCRIPTION_ANNOTATION]: DESCRIPTION } },
    data: { "ca.crt": rootCa },
  };
}

export function createRootCaPublisher(context: ControllerContext, options: { workers: number; rootCa: string }): Runnable {
  const spaces = context.informers.get(namespaces);
  const maps = context.informers.get(configmaps, { fieldSelector: `metadata.name=${ROOT_CA_CONFIG_MAP}` });
  const controller = new Controller(context, {
    name: "root-ca-certificate-publisher-controller", workers: options.workers, waitFor: [spaces, maps],
    async reconcile(namespace, signal) {
      if (!isActive(spaces.get(namespace))) return {};
      const current = maps.get(joinKey(namespace, ROOT_CA_CONFIG_MAP)), wanted = planRootCa(namespace, options.rootCa, current);
      if (wanted === undefined) return {};
      try { await (current === undefined ? context.client.create(configmaps, wanted, {}, signal) : context.client.update(configmaps, wanted, {}, signal)); }
      catch (error) { if (!hasReason(error, "NotFound") && !isNamespaceTerminating(error)) throw error; }
      return {};
    },
  });
  spaces.onChange(({ type, object }) => { if (type !== "deleted") controller.queue.add(object.metadata.name); });
  maps.onChange(({ type, object }) => { if (type !== "added") controller.queue.add(object.metadata.namespace ?? ""); });
  return controller;
}

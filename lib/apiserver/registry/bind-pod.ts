/** pods/binding: gives a pod its node, once. Counterpart: kubernetes `registry/core/pod/storage` BindingREST. */
import { toTimestamp } from "../../api/helpers/timestamps.ts";
import { invalidError, notSupported, required } from "../../api/field-error.ts";
import type { KubeObject } from "../../api/resource-definition.ts";
import type { Binding, Pod } from "../../api/schema/generated/models.ts";
import { badRequest, conflict, type Status } from "../../api/status-error.ts";
import type { CreateHandler } from "../contracts.ts";
import { modifyObject } from "./modify.ts";
import type { Resource } from "./resource.ts";

const BINDING = { group: "", plural: "pods/binding" };

/** The answer of what leaves nothing to show: a Status, whose metadata has no name. */
export function success(code: number): KubeObject {
  const status: Status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code };
  return status as unknown as KubeObject;
}

function check(binding: Binding): void {
  const { kind, name } = binding.target ?? {}, errors = [];
  if (kind !== undefined && kind !== "" && kind !== "Node") errors.push(notSupported("target.kind", kind, ["Node", "<empty>"]));
  if (name === undefined || name === "") errors.push(required("target.name"));
  if (errors.length > 0) throw invalidError("", "Binding", binding.metadata.name ?? "", errors);
}

/** Writes the node's name and the condition into the pod. Throws Conflict when the pod cannot be bound any more. */
function assign(pod: Pod, binding: Binding, now: string): void {
  const { name } = pod.metadata, wanted = binding.metadata;
  if (wanted.uid !== undefined && wanted.uid !== "" && wanted.uid !== pod.metadata.uid) throw conflict(BINDING, name, `Precondition failed: UID in precondition: ${wanted.uid}, UID in object meta: ${pod.metadata.uid}`);
  if (pod.metadata.deletionTimestamp !== undefined) throw conflict(BINDING, name, `pod ${name} is being deleted, cannot be assigned to a host`);
  if ((pod.spec.nodeName ?? "") !== "") throw conflict(BINDING, name, `pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`);
  if ((pod.spec.schedulingGates ?? []).length > 0) throw conflict(BINDING, name, `pod ${name} has non-empty .spec.schedulingGates`);
  pod.spec.nodeName = binding.target.name!;
  if (wanted.annotations !== undefined) pod.metadata.annotations = { ...pod.metadata.annotations, ...wanted.annotations };
  const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== "PodScheduled"), before = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
  const since = before?.status === "True" ? before.lastTransitionTime : now;
  pod.status = { ...pod.status, conditions: [...others, { type: "PodScheduled", status: "True", lastTransitionTime: since, observedGeneration: pod.metadata.generation }] };
}

/** Handles `pods/binding` and the older `bindings`. */
export const bindHandler = (pods: Resource): CreateHandler => async (object, context) => {
  const binding = object as Binding;
  if (binding.metadata.name !== undefined && binding.metadata.name !== "" && binding.metadata.name !== context.name) throw badRequest("name in URL does not match name in Binding object");
  check(binding);
  await modifyObject<Pod>(pods, context.namespace, context.name, (pod) => assign(pod, binding, toTimestamp(pods.deps.clock.now())), context.dryRun);
  return success(201);
};

/**
 * Making and deleting pods for an owner, with the events upstream tells about it.
 * Counterpart: RealPodControl in kubernetes `pkg/controller/controller_utils.go`.
 */
import { hasReason, StatusError } from "../../api/status-error.ts";
import { newControllerRef } from "../../api/helpers/owner-references.ts";
import { pods } from "../../api/schema/generated/references.ts";
import type { ObjectMeta, Pod, PodTemplateSpec } from "../../api/schema/generated/models.ts";
import type { ResourceReference } from "../../api/reference.ts";
import type { Client, HasMeta } from "../../client/client.ts";
import type { EventSink } from "../../runtime/event-recorder.ts";

/** A pod of the template, owned by `owner`; its name is left to the server. */
export function podFromTemplate(template: PodTemplateSpec, owner: HasMeta, ownerResource: ResourceReference): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? { name: "" };
  const metadata = {
    generateName: `${owner.metadata.name}-`, namespace: owner.metadata.namespace,
    ...(labels === undefined ? {} : { labels: { ...labels } }), ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
    ...(finalizers === undefined ? {} : { finalizers: [...finalizers] }), ownerReferences: [newControllerRef(owner, ownerResource)],
  };
  return { metadata: metadata as ObjectMeta, spec: template.spec ?? { containers: [] } };
}

/** The namespace is going away: nothing can be made in it and there is no use in trying again. */
export const isNamespaceTerminating = (error: unknown): boolean =>
  error instanceof StatusError && error.details?.causes?.some((c) => c.reason === "NamespaceTerminating") === true;

export class PodControl {
  readonly #client: Client;
  readonly #recorder: EventSink;

  constructor(deps: { client: Client; recorder: EventSink }) {
    this.#client = deps.client;
    this.#recorder = deps.recorder;
  }

  /** Creates a pod and tells the owner's watchers. Throws after telling. */
  async create(pod: Pod, owner: HasMeta, signal: AbortSignal): Promise<Pod> {
    try {
      const created = await this.#client.create(pods, pod, {}, signal);
      this.#recorder.event(owner, "Normal", "SuccessfulCreate", `Created pod: ${created.metadata.name}`);
      return created;
    } catch (error) {
      // A namespace on its way out refuses everything; telling about each refusal helps nobody.
      if (!isNamespaceTerminating(error)) this.#recorder.event(owner, "Warning", "FailedCreate", `Error creating: ${(error as Error).message}`);
      throw error;
    }
  }

  /** Deletes a pod; one that is gone already counts as deleted. Throws after telling. */
  async delete(pod: Pod, owner: HasMeta, signal: AbortSignal): Promise<void> {
    try {
      await this.#client.delete(pods, pod.metadata, pod.metadata.uid === undefined ? {} : { preconditions: { uid: pod.metadata.uid } }, signal);
      this.#recorder.event(owner, "Normal", "SuccessfulDelete", `Deleted pod: ${pod.metadata.name}`);
    } catch (error) {
      if (hasReason(error, "NotFound")) return;
      this.#recorder.event(owner, "Warning", "FailedDelete", `Error deleting: ${(error as Error).message}`);
      throw error;
    }
  }
}

/**
 * Carries out what was planned for a StatefulSet's pods and claims, with the events upstream tells.
 * Counterpart: kubernetes `pkg/controller/statefulset/stateful_pod_control.go`.
 */
import { hasReason } from "../../api/status-error.ts";
import { persistentvolumeclaims, pods } from "../../api/schema/generated/references.ts";
import { claimNameOf, hasIdentity, identityLabels, newClaims, newStatefulPod } from "./identity.ts";
import { planClaimOwners } from "./plan-claims.ts";
import type { Client } from "../../client/client.ts";
import type { EventSink } from "../../runtime/event-recorder.ts";
import type { PersistentVolumeClaim, Pod, StatefulSet } from "../../api/schema/generated/models.ts";
import type { StatefulAction } from "./plan-stateful.ts";

export interface StatefulPodsDeps { readonly client: Client; readonly recorder: EventSink; readonly claimOf: (name: string) => PersistentVolumeClaim | undefined }

const capital = (verb: string): string => verb[0]!.toUpperCase() + verb.slice(1);

export class StatefulPods {
  readonly #deps: StatefulPodsDeps;
  readonly #set: StatefulSet;
  readonly #signal: AbortSignal;

  constructor(deps: StatefulPodsDeps, set: StatefulSet, signal: AbortSignal) {
    this.#deps = deps;
    this.#set = set;
    this.#signal = signal;
  }

  async carryOut(action: StatefulAction): Promise<void> {
    switch (action.kind) {
      case "create": return this.#create(newStatefulPod(this.#set, action.revision, action.ordinal), action.ordinal);
      case "delete": return this.#delete(action.pod);
      case "claim": await this.#makeClaims(action.pod, action.ordinal); return this.#ownClaims(action.pod, action.ordinal);
      case "correct": return this.#correct(action.pod, action.ordinal);
      case "disown": return this.#ownClaims(action.pod, action.ordinal);
    }
  }

  #tell(verb: string, what: string, error: unknown): void {
    const { recorder } = this.#deps, subject = `${verb} ${what} in StatefulSet ${this.#set.metadata.name}`;
    if (error === undefined) recorder.event(this.#set, "Normal", `Successful${capital(verb)}`, `${subject} ${what.startsWith("Claim") ? "success" : "successful"}`);
    else recorder.event(this.#set, "Warning", `Failed${capital(verb)}`, `${subject} failed error: ${(error as Error).message}`);
  }

  async #create(pod: Pod, ordinal: number): Promise<void> {
    const { name } = pod.metadata;
    try {
      await this.#makeClaims(pod, ordinal);
      const created = await this.#deps.client.create(pods, pod, {}, this.#signal);
      await this.#ownClaims(created, ordinal);
    } catch (error) {
      if (!hasReason(error, "AlreadyExists")) this.#tell("create", `Pod ${name}`, error); // It is there: the watch is behind.
      throw error;
    }
    this.#tell("create", `Pod ${name}`, undefined);
  }

  async #delete(pod: Pod): Promise<void> {
    try { await this.#deps.client.delete(pods, pod.metadata, pod.metadata.uid === undefined ? {} : { preconditions: { uid: pod.metadata.uid } }, this.#signal); }
    catch (error) {
      if (hasReason(error, "NotFound", "Conflict")) return; // Gone, or another by that name is there already.
      this.#tell("delete", `Pod ${pod.metadata.name}`, error);
      throw error;
    }
    this.#tell("delete", `Pod ${pod.metadata.name}`, undefined);
  }

  async #makeClaims(pod: Pod, ordinal: number): Promise<void> {
    for (const claim of newClaims(this.#set, ordinal)) {
      const { name } = claim.metadata, existing = this.#deps.claimOf(name);
      if (existing?.metadata.deletionTimestamp !== undefined) throw new Error(`pvc ${name} is being deleted`);
      if (existing !== undefined) continue;
      const what = `Claim ${name} Pod ${pod.metadata.name}`;
      try { await this.#deps.client.create(persistentvolumeclaims, claim, {}, this.#signal); }
      catch (error) {
        if (hasReason(error, "AlreadyExists")) continue;
        this.#tell("create", what, error);
        throw new Error(`failed to create PVC ${name}: ${(error as Error).message}`, { cause: error });
      }
      this.#tell("create", what, undefined);
    }
  }

  async #ownClaims(pod: Pod, ordinal: number): Promise<void> {
    for (const template of this.#set.spec.volumeClaimTemplates ?? []) {
      const claim = this.#deps.claimOf(claimNameOf(this.#set, template, ordinal)), ownerReferences = claim === undefined ? undefined : planClaimOwners(this.#set, pod, claim);
      if (claim === undefined || ownerReferences === undefined) continue;
      await this.#deps.client.update(persistentvolumeclaims, { ...claim, metadata: { ...claim.metadata, ownerReferences } }, {}, this.#signal);
    }
  }

  async #correct(pod: Pod, ordinal: number): Promise<void> {
    try {
      await this.#ownClaims(pod, ordinal);
      if (hasIdentity(pod)) return;
      await this.#deps.client.patch(pods, pod.metadata, "strategic", { metadata: { uid: pod.metadata.uid, labels: identityLabels(this.#set, ordinal) } }, {}, this.#signal);
    } catch (error) { this.#tell("update", `Pod ${pod.metadata.name}`, error); throw error; }
    this.#tell("update", `Pod ${pod.metadata.name}`, undefined);
  }
}

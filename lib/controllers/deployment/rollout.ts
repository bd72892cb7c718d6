/**
 * One look at one deployment: carries out what the plans decide, step by step, and writes its status.
 *
 *   paused or resized ──► sizes follow ──► status
 *   Recreate          ──► old to 0 ──► (old pods gone) ──► new set ──► status
 *   RollingUpdate     ──► new grows | old shrink ──► status      one step a look; the sets' own changes cause the next look
 *
 * Promises: every write carries the resourceVersion it was decided on, so a stale cache makes a conflict and a retry, not a wrong size.
 * Counterpart: kubernetes `pkg/controller/deployment` sync.go, rolling.go, recreate.go.
 */
import { newControllerRef } from "../../api/helpers/owner-references.ts";
import { isPodTerminal } from "../../api/helpers/pod-status.ts";
import { deployments, replicasets } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import { isNamespaceTerminating } from "../shared/pod-control.ts";
import { podTemplateHash } from "../shared/pod-template-hash.ts";
import { activeSets, desiredReplicas, replicasOf, sumStatus } from "./fenceposts.ts";
import { isScalingEvent, newSetReplicas, planOldSets, planScaling, type Scaling } from "./plan-rollout.ts";
import { calculateStatus, condition, conditionOf, deploymentStatusChanged, hasProgressDeadline, isComplete, planPauseCondition, planRolloutStatus, untilDeadlineMs, withCondition } from "./plan-status.ts";
import { POD_TEMPLATE_HASH_LABEL, REVISION_ANNOTATION, equalIgnoringHash, findNewSet, findOldSets, newSetAnnotations, planCleanup, revisionOf, sizeAnnotations } from "./revisions.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../util/clock.ts";
import type { EventSink } from "../../runtime/event-recorder.ts";
import type { Deployment, DeploymentStatus, Pod, ReplicaSet } from "../../api/schema/generated/models.ts";

export interface RolloutDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly recorder: EventSink;
  readonly podsOf: (set: ReplicaSet) => readonly Pod[];
}

export class Rollout {
  readonly #deps: RolloutDeps;
  readonly #signal: AbortSignal;
  readonly #sets: readonly ReplicaSet[];
  /** The latest state we read or wrote. */
  #deployment: Deployment;

  constructor(deps: RolloutDeps, deployment: Deployment, sets: readonly ReplicaSet[], signal: AbortSignal) {
    this.#deps = deps;
    this.#deployment = deployment;
    this.#sets = sets;
    this.#signal = signal;
  }

  async run(): Promise<{ requeueAfterMs?: number }> {
    if (this.#deployment.metadata.deletionTimestamp !== undefined) {
      const newSet = findNewSet(this.#deployment, this.#sets);
      await this.#writeStatus(calculateStatus(this.#deployment, newSet, findOldSets(this.#sets, newSet), this.#now()));
      return {};
    }
    const pause = planPauseCondition(this.#deployment, this.#now());
    if (pause !== undefined) await this.#writeStatus({ ...this.#deployment.status, conditions: withCondition(this.#deployment.status?.conditions ?? [], pause) });
    if (this.#deployment.spec.paused === true || isScalingEvent(this.#deployment, this.#sets)) return this.#resize();
    return this.#deployment.spec.strategy?.type === "Recreate" ? this.#recreate() : this.#rollingUpdate();
  }

  async #resize(): Promise<{ requeueAfterMs?: number }> {
    const newSet = await this.#newSet(false), oldSets = findOldSets(this.#sets, newSet);
    for (const { set, replicas } of planScaling(this.#deployment, newSet, oldSets)) await this.#scale(set, replicas);
    if (this.#deployment.spec.paused === true) await this.#cleanup(oldSets);
    const status = calculateStatus(this.#deployment, newSet, oldSets, this.#now());
    await this.#writeStatus(status);
    return {};
  }

  async #rollingUpdate(): Promise<{ requeueAfterMs?: number }> {
    const newSet = (await this.#newSet(true))!, oldSets = findOldSets(this.#sets, newSet);
    const desired = desiredReplicas(this.#deployment), now = replicasOf(newSet);
    const wanted = now > desired ? desired : newSetReplicas(this.#deployment, [newSet, ...oldSets], newSet);
    if (await this.#scale(newSet, wanted)) return this.#finish(newSet, oldSets);
    const shrinking: Scaling[] = planOldSets(this.#deployment, newSet, oldSets);
    for (const { set, replicas } of shrinking) await this.#scale(set, replicas);
    if (shrinking.length === 0 && isComplete(this.#deployment, this.#deployment.status ?? {})) await this.#cleanup(oldSets);
    return this.#finish(newSet, oldSets);
  }

  async #recreate(): Promise<{ requeueAfterMs?: number }> {
    const known = await this.#newSet(false), oldSets = findOldSets(this.#sets, known), running = activeSets(oldSets);
    for (const set of running) await this.#scale(set, 0);
    // Pods that are terminating still run: two versions at once is what Recreate must not do.
    if (running.length > 0 || sumStatus(oldSets, "replicas") > 0 || oldSets.some((set) => this.#deps.podsOf(set).some((pod) => !isPodTerminal(pod)))) return this.#finish(known, oldSets);
    const newSet = known ?? (await this.#newSet(true))!;
    await this.#scale(newSet, desiredReplicas(this.#deployment));
    if (isComplete(this.#deployment, this.#deployment.status ?? {})) await this.#cleanup(oldSets);
    return this.#finish(newSet, oldSets);
  }

  async #finish(newSet: ReplicaSet | undefined, oldSets: readonly ReplicaSet[]): Promise<{ requeueAfterMs?: number }> {
    const status = planRolloutStatus(this.#deployment, newSet, oldSets, this.#now());
    await this.#writeStatus(status);
    const wait = untilDeadlineMs(this.#deployment, status, this.#now());
    return wait === undefined ? {} : { requeueAfterMs: wait };
  }

  /** The set of the current template with its revision in order; made if asked to. */
  async #newSet(create: boolean): Promise<ReplicaSet | undefined> {
    const known = findNewSet(this.#deployment, this.#sets);
    const revision = Math.max(0, ...findOldSets(this.#sets, known).map(revisionOf)) + 1;
    if (known !== undefined) return this.#updateNewSet(known, revision);
    return create ? this.#createNewSet(revision) : undefined;
  }

  async #updateNewSet(known: ReplicaSet, revision: number): Promise<ReplicaSet> {
    const annotations = newSetAnnotations(this.#deployment, known, revision, true), minReadySeconds = this.#deployment.spec.minReadySeconds ?? 0;
    let set = known;
    if (annotations !== (known.metadata.annotations ?? annotations) || (known.spec.minReadySeconds ?? 0) !== minReadySeconds) {
      set = await this.#deps.client.update(replicasets, { ...known, metadata: { ...known.metadata, annotations }, spec: { ...known.spec, minReadySeconds } }, {}, this.#signal);
    }
    await this.#writeRevision(String(revisionOf(set)));
    if (hasProgressDeadline(this.#deployment) && conditionOf(this.#deployment.status, "Progressing") === undefined) {
      await this.#addCondition("True", "FoundNewReplicaSet", `Found new replica set "${set.metadata.name}"`);
    }
    return set;
  }

  async #createNewSet(revision: number): Promise<ReplicaSet> {
    const deployment = this.#deployment, hash = podTemplateHash(deployment.spec.template, deployment.status?.collisionCount);
    const template = structuredClone(deployment.spec.template);
    template.metadata = { ...(template.metadata ?? { name: "" }), labels: { ...template.metadata?.labels, [POD_TEMPLATE_HASH_LABEL]: hash } };
    const draft: ReplicaSet = {
      apiVersion: "apps/v1", kind: "ReplicaSet",
      metadata: { name: `${deployment.metadata.name}-${hash}`, namespace: deployment.metadata.namespace, labels: { ...template.metadata.labels }, ownerReferences: [newControllerRef(deployment, deployments)] },
      spec: {
        replicas: newSetReplicas(deployment, this.#sets, undefined), minReadySeconds: deployment.spec.minReadySeconds ?? 0, template,
        selector: { ...deployment.spec.selector, matchLabels: { ...deployment.spec.selector.matchLabels, [POD_TEMPLATE_HASH_LABEL]: hash } },
      },
    };
    draft.metadata.annotations = newSetAnnotations(deployment, draft, revision, false);
    const { set, created } = await this.#createOrFind(draft);
    if (created && replicasOf(draft) > 0) this.#tell("Normal", "ScalingReplicaSet", `Scaled up replica set ${set.metadata.name} from 0 to ${replicasOf(draft)}`);
    await this.#writeRevision(String(revisionOf(set)));
    if (created && hasProgressDeadline(this.#deployment)) await this.#addCondition("True", "NewReplicaSetCreated", `Created new replica set "${set.metadata.name}"`);
    return set;
  }

  /** Creates the set; one that is there already is ours from an earlier try, or a hash collision, which makes us try another hash. */
  async #createOrFind(draft: ReplicaSet): Promise<{ set: ReplicaSet; created: boolean }> {
    const { client } = this.#deps;
    try { return { set: await client.create(replicasets, draft, {}, this.#signal), created: true }; }
    catch (error) {
      if (hasReason(error, "AlreadyExists")) {
        const found = await client.get(replicasets, draft.metadata, this.#signal);
        if (found.metadata.ownerReferences?.some((o) => o.controller === true && o.uid === this.#deployment.metadata.uid) === true && equalIgnoringHash(found.spec.template, this.#deployment.spec.template)) return { set: found, created: false };
        await this.#writeStatus({ ...this.#deployment.status, collisionCount: (this.#deployment.status?.collisionCount ?? 0) + 1 });
        throw error;
      }
      if (!isNamespaceTerminating(error)) {
        const message = `Failed to create new replica set "${draft.metadata.name}": ${(error as Error).message}`;
        if (hasProgressDeadline(this.#deployment)) await this.#addCondition("False", "ReplicaSetCreateError", message);
        this.#tell("Warning", "ReplicaSetCreateError", message);
      }
      throw error;
    }
  }

  /** Resizes a set if needed, remembering the deployment's size on it. Returns whether its size changed. */
  async #scale(set: ReplicaSet, replicas: number): Promise<boolean> {
    const before = replicasOf(set), sizes = sizeAnnotations(this.#deployment);
    const annotated = Object.entries(sizes).every(([name, value]) => set.metadata.annotations?.[name] === value);
    if (before === replicas && annotated) return false;
    // A set that is not resized is only annotated when it takes part in scaling at all.
    if (before === replicas && before === 0) return false;
    await this.#deps.client.update(replicasets, { ...set, metadata: { ...set.metadata, annotations: { ...set.metadata.annotations, ...sizes } }, spec: { ...set.spec, replicas } }, {}, this.#signal);
    if (before === replicas) return false;
    this.#tell("Normal", "ScalingReplicaSet", `Scaled ${replicas > before ? "up" : "down"} replica set ${set.metadata.name} from ${before} to ${replicas}`);
    return true;
  }

  async #cleanup(oldSets: readonly ReplicaSet[]): Promise<void> {
    for (const set of planCleanup(this.#deployment, oldSets)) {
      try { await this.#deps.client.delete(replicasets, set.metadata, { preconditions: { ...(set.metadata.uid === undefined ? {} : { uid: set.metadata.uid }) } }, this.#signal); }
      catch (error) { if (!hasReason(error, "NotFound", "Conflict")) throw error; }
    }
  }

  async #addCondition(status: "True" | "False", reason: string, message: string): Promise<void> {
    const fresh = condition("Progressing", status, reason, message, this.#now());
    await this.#writeStatus({ ...this.#deployment.status, conditions: withCondition(this.#deployment.status?.conditions ?? [], fresh) });
  }

  /** The revision lives in the deployment's own annotation, where `kubectl rollout history` reads it. */
  async #writeRevision(revision: string): Promise<void> {
    const { metadata } = this.#deployment;
    if (metadata.annotations?.[REVISION_ANNOTATION] === revision) return;
    const annotations = { ...metadata.annotations, [REVISION_ANNOTATION]: revision };
    this.#deployment = await this.#deps.client.update(deployments, { ...this.#deployment, metadata: { ...metadata, annotations } }, {}, this.#signal);
  }

  async #writeStatus(status: DeploymentStatus): Promise<void> {
    if (!deploymentStatusChanged(this.#deployment.status, status)) return;
    this.#deployment = await this.#deps.client.update(deployments, { ...this.#deployment, status }, { subresource: "status" }, this.#signal);
  }

  #tell(type: "Normal" | "Warning", reason: string, message: string): void { this.#deps.recorder.event(this.#deployment, type, reason, message); }
  #now(): Date { return this.#deps.clock.now(); }
}

/** Builders of StatefulSets and their pods: only what a test is about is named. */
import { REVISION_HASH_LABEL, newRevision } from "../../../../lib/controllers/shared/controller-revisions.ts";
import { POD_NAME_LABEL } from "../../../../lib/controllers/statefulset/identity.ts";
import type { StatefulView } from "../../../../lib/controllers/statefulset/plan-stateful.ts";
import { statefulsets } from "../../../../lib/api/schema/generated/references.ts";
import type { ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet, StatefulSetSpec, StatefulSetStatus } from "../../../../lib/api/schema/generated/models.ts";
import { makePod, type PodOptions } from "../build.ts";

export function makeStatefulSet(spec: Partial<StatefulSetSpec> = {}, status: StatefulSetStatus = { replicas: 0 }, image = "i:1"): StatefulSet {
  return {
    apiVersion: "apps/v1", kind: "StatefulSet", metadata: { name: "db", namespace: "default", uid: "uid-db", generation: 2, resourceVersion: "1" },
    spec: { replicas: 3, serviceName: "db", selector: { matchLabels: { app: "db" } }, template: { metadata: { name: "", labels: { app: "db" } }, spec: { containers: [{ name: "c", image }] } }, podManagementPolicy: "OrderedReady", updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } }, ...spec },
    status,
  };
}

export const CLAIM_TEMPLATE: PersistentVolumeClaim = { metadata: { name: "data", labels: { own: "x" } }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } };

const named = (name: string, image: string): ControllerRevision => { const revision = newRevision(makeStatefulSet({}, undefined, image), statefulsets, 1, undefined, "controller.kubernetes.io/hash"); revision.metadata.name = name; return revision; };
export const OLD = named("db-old", "i:1"), NEW = named("db-new", "i:2");

export function statefulPod(ordinal: number, revision: ControllerRevision = NEW, options: PodOptions = {}): Pod {
  const name = `db-${ordinal}`;
  return makePod({ name, node: "n1", owner: { uid: "uid-db", kind: "StatefulSet", name: "db" }, ...options, labels: { app: "db", [POD_NAME_LABEL]: name, [REVISION_HASH_LABEL]: revision.metadata.name, ...options.labels } });
}

export const makeView = (set: StatefulSet, pods: readonly Pod[], rest: Partial<StatefulView> & { claims?: readonly PersistentVolumeClaim[] } = {}): StatefulView =>
  ({ set, pods, current: NEW, update: NEW, claimOf: (name) => rest.claims?.find(({ metadata }) => metadata.name === name), ...rest });

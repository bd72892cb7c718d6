import test from "ava";
import type { PersistentVolume, PersistentVolumeClaim } from "../../../../lib/api/schema/generated/models.ts";
import type { VolumeListers } from "../../../../lib/scheduler/framework/plugin.ts";
import { makeNode, makePod, makeWorld, verdict } from "../builders.ts";

const claim = (more: { volumeName?: string; bound?: boolean; phase?: string; deleted?: boolean; storageClassName?: string } = {}): PersistentVolumeClaim => ({
  metadata: { name: "data", namespace: "default", ...(more.bound === true ? { annotations: { "pv.kubernetes.io/bind-completed": "yes" } } : {}), ...(more.deleted === true ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}) },
  spec: { ...(more.volumeName === undefined ? {} : { volumeName: more.volumeName }), ...(more.storageClassName === undefined ? {} : { storageClassName: more.storageClassName }) },
  ...(more.phase === undefined ? {} : { status: { phase: more.phase } }),
});
const local: PersistentVolume = { metadata: { name: "pv" }, spec: { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["b"] }] }] } } } };
const pod = makePod("p", { spec: { volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }] } });
const on = (volumes: Partial<VolumeListers>): string => verdict(pod, makeWorld([makeNode("a"), makeNode("b")], [], { volumes }));
const all = (text: string): string => `0/2 nodes are available: ${text}.`;

test("VolumeBinding says what is wrong with a claim before it looks at any node", (t) => {
  t.is(on({}), all('persistentvolumeclaim "data" not found'));
  t.is(on({ claim: () => claim({ phase: "Lost", volumeName: "pv" }) }), all('persistentvolumeclaim "data" bound to non-existent persistentvolume "pv"'));
  t.is(on({ claim: () => claim({ deleted: true }) }), all('persistentvolumeclaim "data" is being deleted'));
  t.is(on({ claim: () => claim() }), all("pod has unbound immediate PersistentVolumeClaims"));
  t.is(on({ claim: () => claim({ volumeName: "pv" }) }), all("pod has unbound immediate PersistentVolumeClaims")); // The controller has not finished.
});

test("VolumeBinding lets a pod go where its bound volume is", (t) => {
  t.is(on({ claim: () => claim({ bound: true, volumeName: "pv" }), volume: () => local }), "b");
  t.is(on({ claim: () => claim({ bound: true, volumeName: "pv" }) }), all("2 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"));
});

test("VolumeBinding keeps a pod waiting whose claim waits for it", (t) => {
  const storageClass = (): NonNullable<ReturnType<VolumeListers["storageClass"]>> => ({ metadata: { name: "late" }, provisioner: "x", volumeBindingMode: "WaitForFirstConsumer" });
  t.is(on({ claim: () => claim({ storageClassName: "late" }), storageClass }), all("2 node(s) didn't find available persistent volumes to bind"));
});

test("VolumeBinding waits for the claim of an ephemeral volume, and takes only its own", (t) => {
  const ephemeral = makePod("p", { spec: { volumes: [{ name: "v", ephemeral: {} }] } });
  const on1 = (found: PersistentVolumeClaim | undefined): string => verdict(ephemeral, makeWorld([makeNode("a")], [], { volumes: { claim: (key) => (key === "default/p-v" ? found : undefined) } }));
  t.is(on1(undefined), '0/1 nodes are available: waiting for ephemeral volume controller to create the persistentvolumeclaim "p-v".');
  t.is(on1(claim()), "0/1 nodes are available: PVC default/p-v was not created for pod default/p (pod is not owner).");
});

import test from "ava";
import { keepMetadata } from "../../../../lib/api/helpers/status-metadata.ts";
import { resources } from "../../../../lib/api/resources.ts";
import type { KubeObject } from "../../../../lib/api/resource-definition.ts";

test("keepMetadata() takes labels, annotations, finalizers and owners from what is stored, and nothing else", (t) => {
  const object = { metadata: { name: "a", labels: { new: "1" }, finalizers: ["x/new"], managedFields: [{ manager: "m" }] } } as KubeObject;
  keepMetadata(object, { metadata: { name: "a", labels: { old: "1" }, annotations: { old: "1" }, managedFields: [{ manager: "n" }] } } as KubeObject);
  t.deepEqual(object.metadata, { name: "a", labels: { old: "1" }, annotations: { old: "1" }, managedFields: [{ manager: "m" }] });
});

test("status updates of the kinds upstream guards so leave the metadata alone", (t) => {
  for (const kind of ["ResourceClaim", "VolumeAttachment", "FlowSchema", "PriorityLevelConfiguration", "APIService", "ValidatingAdmissionPolicy"]) {
    const definition = resources.find((each) => each.kind === kind)!, make = (label: string): KubeObject => ({ metadata: { name: "a", labels: { label } }, spec: {}, status: {} }) as KubeObject, object = make("new");
    definition.prepareForStatusUpdate!(object, make("old"), { now: new Date(), user: "u" });
    t.deepEqual(object.metadata.labels, { label: "old" }, kind);
  }
});

import test from "ava";
import { decodeObject } from "../../../lib/api/decode/decode.ts";
import { toWire } from "../../../lib/api/encode/encode.ts";
import type { KubeObject } from "../../../lib/api/resource-definition.ts";
import { resources } from "../../../lib/api/resources.ts";
import { modelOf, type FieldType, type Scalar } from "../../../lib/api/schema/schema.ts";
import { describeDifference, semanticEqual } from "../../../lib/api/semantic-equal.ts";

const VALUES: Partial<Record<Scalar, unknown>> = { string: "a", boolean: true, int32: 1, int64: 1, double: 0.5, bytes: "AAAA", Time: "2026-05-01T11:00:00Z", MicroTime: "2026-05-01T11:00:00.000000Z", Quantity: "1", IntOrString: 80 };
const DEPTH_MAX = 7;

/** A value of a type in which structs below some depth are left out: what Go then writes of them is the point. */
function valueOf(type: FieldType, depth: number): unknown {
  switch (type.kind) {
    case "scalar": return VALUES[type.scalar] ?? {};
    case "list": return [valueOf(type.item, depth)];
    case "map": return { a: valueOf(type.value, depth) };
    case "model": return Object.fromEntries(modelOf(type.model).fields.filter((field) => depth < DEPTH_MAX && (field.type.kind !== "model" || depth % 2 === 0)).map((field) => [field.name, valueOf(field.type, depth + 1)]));
  }
}

/** A struct of theirs has the name of a pointer elsewhere, and may be told apart from none. */
const AMBIGUOUS = new Set(["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "TokenReview", "NetworkPolicy"]);

test("an object that was written and read back is the same object, for every kind", (t) => {
  for (const definition of resources.filter(({ kind }) => !AMBIGUOUS.has(kind))) {
    const { group, version, kind, model } = definition, made = { ...(valueOf({ kind: "model", model, goType: "" }, 0) as object), kind, apiVersion: group === "" ? version : `${group}/${version}` };
    const object = decodeObject<KubeObject>(model, Buffer.from(JSON.stringify(made)), "Ignore").object, read = decodeObject<KubeObject>(model, Buffer.from(JSON.stringify(toWire(model, object))), "Ignore").object;
    t.true(semanticEqual(read, object), `${kind} in ${group}/${version}: ${describeDifference(object, read)}`);
  }
});

test("semanticEqual() takes an empty struct for none where Go has no pointer, and quantities by their amount", (t) => {
  t.true(semanticEqual({ conditions: {}, resources: {} }, {}));
  t.true(semanticEqual({ source: {} }, { source: undefined }));
  t.true(semanticEqual({ overhead: { podFixed: { cpu: "1000m" } } }, { overhead: { podFixed: { cpu: "1" } } }));
  t.false(semanticEqual({ emptyDir: {} }, {}));
  t.false(semanticEqual({ securityContext: {} }, {}));
  t.false(semanticEqual({ state: { running: {} } }, { state: {} }));
});

/** Objects of the right types with anything missing or odd in them, for tests that nothing falls over what a client may send. */
import { modelOf, type FieldType, type Scalar } from "../../../lib/api/schema/schema.ts";

const TEXTS = ["", "a", "Always", "True", "http://x", "a/b", "10.0.0.1", "Running", "x.example.com"];
const VALUES: Partial<Record<Scalar, readonly unknown[]>> = {
  string: TEXTS, boolean: [true, false], int32: [0, 1, -1, 80, 100_000], int64: [0, 1, -1, 600], double: [0.5], bytes: ["", "AAAA"], Time: ["2026-05-01T11:00:00Z"], MicroTime: ["2026-05-01T11:00:00.000000Z"],
  Quantity: ["0", "1", "1Gi", "100m"], IntOrString: [0, 80, "50%", "http"],
};
export type Random = () => number;
const pick = <T>(random: Random, values: readonly T[]): T => values[Math.floor(random() * values.length)]!;

function valueOf(random: Random, type: FieldType, depth: number): unknown {
  switch (type.kind) {
    case "scalar": return pick<unknown>(random, VALUES[type.scalar] ?? [{}]);
    case "list": return random() < 0.3 ? [] : [valueOf(random, type.item, depth + 1), ...(random() < 0.5 ? [valueOf(random, type.item, depth + 1)] : [])];
    case "map": return random() < 0.3 ? {} : { [pick(random, ["a", "cpu", "x.io/y"])]: valueOf(random, type.value, depth + 1) };
    case "model": return randomObject(random, type.model, depth + 1);
  }
}

/** Fields of a model, each perhaps, with values of the right types. */
export function randomObject(random: Random, model: string, depth = 0): Record<string, unknown> {
  if (depth > 9) return {};
  const present = modelOf(model).fields.filter(() => random() > (depth < 3 ? 0.15 : 0.45));
  return Object.fromEntries(present.map((field) => [field.name, field.enum !== undefined && field.type.kind === "scalar" && random() < 0.8 ? pick(random, field.enum) : valueOf(random, field.type, depth)]));
}

/** A small generator whose whole run one number decides. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

/** A JSON value as it was written: repeated keys, number texts and order kept. What the exact parser and YAML produce. */
export type JsonNode =
  | { readonly kind: "object"; readonly keys: readonly string[]; readonly values: readonly JsonNode[] }
  | { readonly kind: "array"; readonly items: readonly JsonNode[] }
  | { readonly kind: "string"; readonly text: string }
  | { readonly kind: "number"; readonly text: string }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "null" };

// Newer than the type library: a value `JSON.stringify` writes as the given text.
const rawJson = (text: string): unknown => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);

/**
 * The number of a JSON text as Go reads it where no type is known: an integer stays exact. One that a double cannot
 * hold becomes an object that `JSON.stringify` writes as the same digits.
 */
export function readNumber(text: string): unknown {
  const value = Number(text);
  if (!/^-?[0-9]+$/.test(text) || Number.isSafeInteger(value)) return Object.is(value, -0) ? 0 : value;
  const exact = BigInt(text);
  return exact > 2n ** 63n - 1n || exact < -(2n ** 63n) ? value : rawJson(exact.toString());
}

/** Sets an own property whatever its name: assignment would turn `__proto__` into the prototype. */
export function setOwn(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === "__proto__") Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}

/** A number beyond what a double holds: as Infinity it would be written as null, and null takes away. */
export class NumberRangeError extends Error { override readonly name = "NumberRangeError"; }

/** The plain value of a node of unknown type; a repeated key's last value counts. */
export function plainValue(node: JsonNode): unknown {
  switch (node.kind) {
    case "null": return null;
    case "bool": return node.value;
    case "string": return node.text;
    case "number": {
      const value = readNumber(node.text);
      if (typeof value === "number" && !Number.isFinite(value)) throw new NumberRangeError(`json: cannot unmarshal number ${node.text} into Go value of type float64`);
      return value;
    }
    case "array": return node.items.map(plainValue);
    case "object": {
      const object: Record<string, unknown> = {};
      for (let i = 0; i < node.keys.length; i++) setOwn(object, node.keys[i]!, plainValue(node.values[i]!));
      return object;
    }
  }
}

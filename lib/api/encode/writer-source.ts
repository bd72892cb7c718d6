/**
 * The JavaScript of a model's writer. A loop over the model's fields would look each of them up by a name it learns only then, in objects
 * of every kind: that was the dearest step of a create. Code of its own for each model names its fields, so the engine knows where they lie.
 *
 * Only names of the schema go into the code, all as string literals.
 */
import type { Field, FieldType, Model, Scalar } from "../schema/schema.ts";

/** What Go writes for an absent value that is always written. */
const ZEROS: Partial<Record<Scalar, unknown>> = { string: "", boolean: false, int32: 0, int64: 0, double: 0, Quantity: "0", IntOrString: 0, JSONSchemaPropsOrBool: false, Empty: {} };
/** Scalars that are empty where JavaScript takes them for false. */
const PLAIN = new Set<Scalar>(["string", "boolean", "int32", "int64", "double", "bytes", "Time", "MicroTime", "Quantity", "IntOrString"]);
const UNIONS = new Set<Scalar>(["JSONSchemaPropsOrBool", "JSONSchemaPropsOrArray", "JSONSchemaPropsOrStringArray"]);

/** Whether a value is written as it is. */
const isSame = (type: FieldType): boolean => (type.kind === "scalar" ? !UNIONS.has(type.scalar) : type.kind === "list" && isSame(type.item));

class WriterSource {
  readonly #models: string[] = [];

  /** The name of the function that writes a model. */
  #model(model: string): string {
    let at = this.#models.indexOf(model);
    if (at < 0) at = this.#models.push(model) - 1;
    return `write${at}`;
  }

  /** The function that writes values of a type that is not the same. */
  #writer(type: FieldType): string {
    return type.kind === "model" ? this.#model(type.model) : `(value) => ${this.write(type, "value")}`;
  }

  /** The expression that writes `value`, a value that is there. */
  write(type: FieldType, value: string): string {
    switch (type.kind) {
      case "model": return `${this.#model(type.model)}(${value})`;
      case "list": return isSame(type) ? value : `$.eachItem(${value}, ${this.#writer(type.item)})`;
      case "map": return isSame(type.value) ? `$.sortedMap(${value})` : `$.eachValue(${value}, ${this.#writer(type.value)})`;
      case "scalar": return UNIONS.has(type.scalar) ? `$.schemas(${value})` : value;
    }
  }

  /** The statement that writes a field, whose value is in `v`. */
  field({ name, type, pointer, keep }: Field): string {
    const put = (value: string): string => `out[${JSON.stringify(name)}] = ${value};`, isThere = "v !== undefined && v !== null", written = this.write(type, "v");
    if (pointer) return keep ? put(`${isThere} ? ${written} : null`) : `if (${isThere}) ${put(written)}`;
    if (keep && type.kind === "model") return put(this.write(type, "v ?? {}"));
    if (keep) return put(`${isThere} ? ${written} : ${JSON.stringify(type.kind === "scalar" ? ZEROS[type.scalar] ?? null : null)}`);
    if (type.kind === "model") return `if (${isThere} && !$.isEmpty(v = ${written})) ${put("v")}`; // omitzero
    return `if (${type.kind === "scalar" && PLAIN.has(type.scalar) ? "v" : "!$.isEmpty(v)"}) ${put(written)}`;
  }

  /** Models may contain themselves: a writer is asked for when it is first needed. Each has a place of its own in the code to be called from. */
  get functions(): string {
    return this.#models.map((model, at) => `function write${at}(value) { return (write${at}.to ??= $.writerOf(${JSON.stringify(model)}))(value); }`).join("\n");
  }
}

/** The body of a function that takes `$` (see `encode.ts`) and returns the writer of a model, without the fields of `except`. */
export function writerSource(model: Model, except: ReadonlySet<string>): string {
  const source = new WriterSource();
  const fields = model.fields.filter(({ name }) => !except.has(name)).map((field) => `v = object[${JSON.stringify(field.name)}]; ${source.field(field)}`);
  return `"use strict";\n${source.functions}\nreturn (object) => { let v; const out = {};\n${fields.join("\n")}\nreturn out; };`;
}

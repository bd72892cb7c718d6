/** The JavaScript of a model's quick walker, which names the model's fields: why, see `../encode/writer-source.ts`. Only names of the schema go into it. */
import type { Field, Model } from "../schema/schema.ts";

function fieldSource({ name, type }: Field, i: number): string {
  const literal = JSON.stringify(name), read = `$[${i}](raw, state)`, isText = type.kind === "scalar" && type.scalar === "string";
  return `raw = value[${literal}]; if (raw !== undefined) { known++; read = ${isText ? `typeof raw === "string" ? raw : ${read}` : read}; if (read !== undefined) object[${literal}] = read; }`;
}

/** The body of a function that takes `$`, a list of a walk for each field of the model, and returns what walks an object: `(value, state) => object`, `state` a QuickState. */
export const walkerSource = ({ fields }: Model): string => `"use strict";
return (value, state) => {
let raw, read, known = 0, all = 0; const object = {};
${fields.map(fieldSource).join("\n")}
for (const key in value) all++;
if (known !== all) state.odd = true;
state.keys += all;
return object;
};`;

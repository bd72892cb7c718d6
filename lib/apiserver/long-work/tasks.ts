/**
 * The tasks that take long with large objects, as functions of plain data: what the thread of `long-work.ts` runs. Pure.
 * Objects travel as JSON text, which is quicker to read again than a copy of their tree.
 */
import { decodeObject, parsePlain, type DecodeOptions, type FieldValidation } from "../../api/decode/decode.ts";
import { applyConfiguration, type ApplyWrite } from "../../api/managed-fields/apply.ts";
import { readApplied } from "../../api/managed-fields/applied-body.ts";
import { trackUpdate, type UpdateWrite } from "../../api/managed-fields/track-update.ts";
import { applyPatch, type PatchRequest } from "../../api/patch/patch.ts";
import type { JsonMap } from "../../api/patch/json-value.ts";
import { textOf, type TextForm } from "../rest/text-form.ts";

/** Where several versions show one stored thing, functions convert between them: they cannot travel, and such kinds are small. */
type Travelling<T> = Omit<T, "versions" | "live" | "object" | "applied" | "body">;

export type Task =
  | { readonly task: "decode"; readonly model: string; readonly body: Uint8Array; readonly mode: FieldValidation; readonly options: DecodeOptions }
  | { readonly task: "readApplied"; readonly body: Uint8Array; readonly mode: FieldValidation }
  | { readonly task: "patch"; readonly request: Travelling<PatchRequest>; readonly body: Uint8Array; readonly live: Uint8Array }
  | { readonly task: "apply"; readonly write: Travelling<ApplyWrite>; readonly live: Uint8Array | undefined; readonly applied: Uint8Array }
  | { readonly task: "track"; readonly write: Travelling<UpdateWrite>; readonly live: Uint8Array | undefined; readonly object: Uint8Array }
  | { readonly task: "write"; readonly json: Uint8Array; readonly form: TextForm };

export interface Outcome {
  /** The object, value or text asked for: JSON text of UTF-8, the text of `write`. */
  readonly value: Uint8Array;
  readonly warnings?: readonly string[];
  /** JSON text of the entries; undefined: none. */
  readonly managedFields?: Uint8Array | undefined;
}

const buffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
/** In memory of its own, which can be handed to another thread. */
const own = (text: string): Uint8Array => new TextEncoder().encode(text);
export const jsonBytes = (value: unknown): Uint8Array => own(JSON.stringify(value));
const objectOf = (model: string, bytes: Uint8Array): JsonMap => decodeObject(model, buffer(bytes), "Ignore").object;
const optional = (value: unknown): Uint8Array | undefined => (value === undefined ? undefined : jsonBytes(value));

/** Does a task. Throws what the function it stands for throws. */
export function doTask(task: Task): Outcome {
  switch (task.task) {
    case "decode": {
      const { object, warnings } = decodeObject(task.model, buffer(task.body), task.mode, task.options);
      return { value: jsonBytes(object), warnings };
    }
    case "readApplied": {
      const { applied, warnings } = readApplied(buffer(task.body), task.mode);
      return { value: jsonBytes(applied), warnings };
    }
    case "patch": {
      const { object, warnings } = applyPatch({ ...task.request, body: buffer(task.body), live: objectOf(task.request.model, task.live) });
      return { value: jsonBytes(object), warnings };
    }
    case "apply": {
      const live = task.live === undefined ? undefined : objectOf(task.write.model, task.live);
      const { object, managedFields } = applyConfiguration({ ...task.write, live, applied: parsePlain(buffer(task.applied)) as JsonMap });
      return { value: jsonBytes(object), managedFields: optional(managedFields) };
    }
    case "track": {
      const live = task.live === undefined ? undefined : objectOf(task.write.model, task.live);
      return { value: own(""), managedFields: optional(trackUpdate({ ...task.write, live, object: objectOf(task.write.model, task.object) })) };
    }
    case "write": return { value: own(textOf(parsePlain(buffer(task.json)), task.form)) };
  }
}

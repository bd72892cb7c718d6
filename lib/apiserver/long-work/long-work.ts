/**
 * What holds the event loop with large objects, each with the same promise as its plain counterpart in `lib/api`: small ones are done at
 * once, large ones in a thread of their own. "Large" goes by what costs: bytes where text is read with care, fields where trees are walked.
 */
import { decodeObject, decodeQuick, keysIn, parsePlain, type DecodeOptions, type Decoded, type ExpectedKind, type FieldValidation } from "../../api/decode/decode.ts";
import { applyInSteps, type ApplyResult, type ApplyWrite } from "../../api/managed-fields/apply.ts";
import { readApplied, readAppliedQuickly } from "../../api/managed-fields/applied-body.ts";
import { trackUpdate, type UpdateWrite } from "../../api/managed-fields/track-update.ts";
import { applyPatch, type PatchRequest } from "../../api/patch/patch.ts";
import type { JsonMap } from "../../api/patch/json-value.ts";
import type { ManagedFieldsEntry } from "../../api/schema/generated/models.ts";
import { inTurns, Turns } from "../../util/turns.ts";
import { textOf, type TextForm } from "../rest/text-form.ts";
import { jsonBytes, type Outcome, type Task } from "./tasks.ts";
import { longWorkThread } from "./thread.ts";

/** Texts beyond this are read with care elsewhere: YAML is slower by far than JSON. */
const YAML_MAX_BYTES = 32 * 1024, JSON_MAX_BYTES = 256 * 1024;
/** Trees of more fields and items are walked elsewhere; texts of more keys are not even parsed here first. */
const FIELDS_MAX = 3_000, KEYS_MAX = 30_000;

const buffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const copyOf = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes);

/** Counts down the fields and items of a value; negative as soon as there are more than `left`. */
function countDown(value: unknown, left: number): number {
  if (typeof value !== "object" || value === null) return left;
  if (Array.isArray(value)) {
    left -= value.length;
    for (let i = 0; i < value.length && left >= 0; i++) left = countDown(value[i], left);
    return left;
  }
  for (const key in value) {
    if (--left < 0) return left;
    left = countDown((value as Record<string, unknown>)[key], left);
  }
  return left;
}
/** Whether an object has so many fields that walking it takes long. */
export const hasManyFields = (object: unknown): boolean => countDown(object, FIELDS_MAX) < 0;

function decoded<T>(model: string, { value, warnings }: Outcome): Decoded<T> {
  return { object: decodeObject<T>(model, buffer(value), "Ignore").object, warnings: [...warnings ?? []] };
}
const entriesOf = ({ managedFields }: Outcome): ManagedFieldsEntry[] | undefined => (managedFields === undefined ? undefined : JSON.parse(buffer(managedFields).toString()) as ManagedFieldsEntry[]);

/** A definition holds functions, which cannot travel. */
const plainKind = ({ group, version, kind, alike }: ExpectedKind): ExpectedKind => ({ group, version, kind, ...(alike === undefined ? {} : { alike }) });

/** `decodeObject`. Throws StatusError. */
export async function decodeBody<T>(model: string, body: Buffer, mode: FieldValidation, options: DecodeOptions): Promise<Decoded<T>> {
  const isYaml = options.mediaType === "yaml", isShort = body.length <= (isYaml ? YAML_MAX_BYTES : JSON_MAX_BYTES);
  if (isShort) return decodeObject<T>(model, body, mode, options);
  const quick = isYaml || keysIn(body) > KEYS_MAX ? undefined : decodeQuick<T>(model, body, options);
  if (quick !== undefined) return quick;
  return decoded(model, await longWorkThread.run({ task: "decode", model, body: copyOf(body), mode, options: options.expected === undefined ? options : { ...options, expected: plainKind(options.expected) } }));
}

/** `readApplied`. Throws StatusError. */
export async function readAppliedBody(body: Buffer, mode: FieldValidation): Promise<{ applied: JsonMap; warnings: readonly string[] }> {
  const quick = readAppliedQuickly(body);
  if (quick !== undefined) return { applied: quick, warnings: [] };
  if (body.length <= YAML_MAX_BYTES) return readApplied(body, mode);
  const { value, warnings = [] } = await longWorkThread.run({ task: "readApplied", body: copyOf(body), mode });
  return { applied: parsePlain(buffer(value)) as JsonMap, warnings };
}

/** `applyPatch`. Throws StatusError. */
export async function patchLive<T>(request: PatchRequest): Promise<Decoded<T>> {
  const { body, live, ...rest } = request;
  if (body.length <= YAML_MAX_BYTES && !hasManyFields(live)) return applyPatch<T>(request);
  return decoded(request.model, await longWorkThread.run({ task: "patch", request: { ...rest, expected: plainKind(rest.expected) }, body: copyOf(body), live: jsonBytes(live) }));
}

/** `applyConfiguration`. Throws StatusError. */
export async function applyLive(write: ApplyWrite): Promise<Pick<ApplyResult, "object" | "managedFields">> {
  const { live, applied, versions, ...rest } = write;
  if (versions !== undefined || !hasManyFields(applied) && !hasManyFields(live)) return inTurns(applyInSteps(write));
  // Each of these texts takes a turn of the loop to write or to read.
  const turns = new Turns(), liveText = live === undefined ? undefined : jsonBytes(live);
  await turns.pause();
  const outcome = await longWorkThread.run({ task: "apply", write: rest, live: liveText, applied: jsonBytes(applied) });
  const { object } = decodeObject<JsonMap>(write.model, buffer(outcome.value), "Ignore");
  await turns.pause();
  return { object, managedFields: entriesOf(outcome) };
}

async function trackElsewhere(write: Extract<Task, { task: "track" }>["write"], live: object | undefined, object: object): Promise<ManagedFieldsEntry[] | undefined> {
  const turns = new Turns(), liveText = live === undefined ? undefined : jsonBytes(live);
  await turns.pause();
  return entriesOf(await longWorkThread.run({ task: "track", write, live: liveText, object: jsonBytes(object) }));
}

/** `trackUpdate`, at once where it takes no time: an await more would be felt by every write. */
export function trackWrite(write: UpdateWrite): ManagedFieldsEntry[] | undefined | Promise<ManagedFieldsEntry[] | undefined> {
  if (write.versions !== undefined || !hasManyFields(write.object) && !hasManyFields(write.live)) return trackUpdate(write);
  const { live, object, versions: _, ...rest } = write;
  return trackElsewhere(rest, live, object);
}

/** A JSON text as people read it. */
export async function formatted(json: Buffer, form: TextForm): Promise<string> {
  if (json.length <= (form === "yaml" ? YAML_MAX_BYTES : JSON_MAX_BYTES)) return textOf(JSON.parse(json.toString()), form);
  return buffer((await longWorkThread.run({ task: "write", json: copyOf(json), form })).value).toString();
}

/**
 * The stored form of an object and the bytes served from it.
 *
 * Stored: JSON as Go writes it, `{"kind":…,"apiVersion":…,"metadata":{"name":…,["generateName":…,]["namespace":…,]"uid":…,` and the rest
 * of the metadata, then the other fields; never a resourceVersion. Serving puts `"resourceVersion":"N",` right behind the uid,
 * where upstream has it, so an answer is a copy of bytes. In lists, items go without kind and apiVersion, as upstream's typed lists do.
 */
import { decodeValue } from "../../api/decode/decode.ts";
import { makeWriter, toWire } from "../../api/encode/encode.ts";
import { fieldsText } from "../../api/managed-fields/created-fields.ts";
import type { ManagedFieldsEntry } from "../../api/schema/generated/models.ts";
import type { KubeObject, ResourceDefinition } from "../../api/resource-definition.ts";
import { apiVersionOf } from "../../api/reference.ts";
import { Entry } from "../cache/entry.ts";
import { objectKey } from "./keys.ts";

/** Of ObjectMeta, in Go's order, what stands before the resourceVersion. */
const HEAD_FIELDS: ReadonlySet<string> = new Set(["name", "generateName", "namespace", "selfLink", "uid"]);
const writeMetadata = makeWriter("ObjectMeta", new Set(["resourceVersion", "managedFields"]));
const BEFORE_THE_FIELDS: ReadonlySet<string> = new Set(["kind", "apiVersion", "metadata"]);
const NULL_MARK = Buffer.from(":null");
const UID_MARK = Buffer.from('"uid":"'), QUOTE = 0x22, COMMA = 0x2c;

/** A buffer of its own: one from node's pool would keep 64 KiB of passing bytes alive for as long as the object lives. */
function keptBuffer(text: string): Buffer {
  const buffer = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  buffer.write(text);
  return buffer;
}

/** Sets of fields are mostly known as text already, and are what JSON.stringify is slowest at. */
function managedFieldsText(entries: readonly ManagedFieldsEntry[]): string {
  let text = "[";
  for (const entry of entries) {
    const wire = toWire("ManagedFieldsEntry", entry);
    let fields = "";
    for (const name in wire) fields += `${fields === "" ? "" : ","}"${name}":${name === "fieldsV1" ? fieldsText(wire[name] as object) : JSON.stringify(wire[name])}`;
    text += `${text === "[" ? "" : ","}{${fields}}`;
  }
  return `${text}]`;
}

export class Codec {
  readonly definition: ResourceDefinition;
  readonly apiVersion: string;
  /** `{"kind":"Pod","apiVersion":"v1",` */
  readonly head: Buffer;
  /** As far as the metadata. ASCII. */
  readonly #start: string;
  /** Made for the first object: most kinds never have one. */
  #writeFields: ((object: object) => Record<string, unknown>) | undefined;

  constructor(definition: ResourceDefinition) {
    this.definition = definition;
    this.apiVersion = apiVersionOf(definition);
    const head = `{"kind":${JSON.stringify(definition.kind)},"apiVersion":${JSON.stringify(this.apiVersion)},`;
    this.head = Buffer.from(head);
    this.#start = `${head}"metadata":`;
  }

  /** The stored form. The object must have a name and a uid. */
  encode(object: KubeObject): { value: Buffer; splice: number } {
    const { managedFields } = object.metadata, metadata = writeMetadata(object.metadata), head: Record<string, unknown> = {};
    let tail = managedFields === undefined || managedFields.length === 0 ? "" : `,"managedFields":${managedFieldsText(managedFields)}`, isAllHead = true;
    for (const field in metadata) {
      if (HEAD_FIELDS.has(field)) head[field] = metadata[field];
      else { isAllHead = false; break; }
    }
    if (isAllHead && tail === "") tail = ',"creationTimestamp":null'; // What is spliced in ends in a comma, so something has to follow.
    const start = `${this.#start}${JSON.stringify(metadata).slice(0, -1)}`, fields = JSON.stringify((this.#writeFields ??= makeWriter(this.definition.model, BEFORE_THE_FIELDS))(object));
    return { value: keptBuffer(`${start}${tail}}${fields === "{}" ? "}" : `,${fields.slice(1)}`}`), splice: this.#start.length + Buffer.byteLength(JSON.stringify(head)) };
  }

  /** The decoded object of an entry, its resourceVersion in place. Each call makes a new one. */
  decode<T extends KubeObject = KubeObject>(entry: Entry): T {
    const object = this.parse(entry.value) as T;
    if (entry.revision > 0) object.metadata.resourceVersion = String(entry.revision);
    return object;
  }

  /** The object in stored bytes, without a resourceVersion. Throws when they are no object. */
  parse(value: Buffer): KubeObject {
    const object = JSON.parse(value.toString()) as KubeObject;
    // Go writes empty lists of some fields as null; in memory they are absent.
    return value.includes(NULL_MARK) ? decodeValue<KubeObject>(this.definition.model, object, "Ignore", { expected: this.definition }).object : object;
  }

  /** An entry from an object and its stored form. */
  entry(key: string, stored: { value: Buffer; splice: number }, revision: number, object: KubeObject): Entry {
    const { name, namespace = "", labels } = object.metadata;
    return new Entry(key, namespace, name, revision, stored.value, stored.splice, labels, this.definition.selectableFields?.(object));
  }

  /** An entry from what the store holds. Throws when the bytes are no object. */
  load(key: string, value: Buffer, revision: number, known?: KubeObject): Entry {
    const object = known ?? this.parse(value);
    const splice = this.#findSplice(value);
    return this.entry(key, splice < 0 ? this.encode(object) : { value, splice }, revision, object);
  }

  /** Where the resourceVersion goes; -1 when the bytes are not in our order. */
  #findSplice(value: Buffer): number {
    if (this.head.compare(value, 0, this.head.length) !== 0) return -1;
    const uid = value.indexOf(UID_MARK, this.head.length);
    if (uid < 0) return -1;
    const close = value.indexOf(QUOTE, uid + UID_MARK.length);
    return close > 0 && value[close + 1] === COMMA ? close + 2 : -1;
  }

  key(prefix: string, object: KubeObject): string { return objectKey(prefix, object.metadata.namespace ?? "", object.metadata.name!); }
}

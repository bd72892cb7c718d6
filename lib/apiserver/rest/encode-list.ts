/**
 * A list as text for people, indented JSON or YAML: object by object, so that a long one neither holds the loop nor a second copy of itself.
 * The parts together are what one `JSON.stringify` or `stringify` of the whole would give.
 */
import type { ListMeta } from "../../api/schema/generated/models.ts";
import { Turns } from "../../util/turns.ts";
import type { Entry } from "../cache/entry.ts";
import { formatted } from "../long-work/long-work.ts";
import { listBuffers } from "./chunks.ts";
import { textOf, type TextForm } from "./text-form.ts";

const indent = (text: string, by: string): string => text.replaceAll("\n", `\n${by}`);

/** `typed` lists show their items without kind and apiVersion: the first `skip` bytes. */
async function* each(entries: readonly Entry[], skip: number, form: TextForm): AsyncGenerator<string> {
  const turns = new Turns();
  for (const entry of entries) {
    const item = Buffer.allocUnsafe(entry.sizeBytes(skip));
    entry.writeTo(item, 0, skip);
    yield await formatted(item, form);
    if (turns.isLong) await turns.pause();
  }
}

interface ListHead { readonly kind: string; readonly apiVersion: string; readonly metadata: ListMeta }

async function* prettyList(head: ListHead, entries: readonly Entry[], skip: number): AsyncGenerator<string> {
  const empty = textOf({ ...head, items: [] }, "pretty");
  if (entries.length === 0) { yield `${empty}\n`; return; }
  yield empty.slice(0, -"]\n}".length);
  let comma = "";
  for await (const text of each(entries, skip, "pretty")) {
    yield `${comma}\n    ${indent(text, "    ")}`;
    comma = ",";
  }
  yield "\n  ]\n}\n";
}

async function* yamlList(head: ListHead, entries: readonly Entry[], skip: number): AsyncGenerator<string> {
  if (entries.length === 0) { yield textOf({ ...head, items: [] }, "yaml"); return; }
  yield `apiVersion: ${head.apiVersion}\nitems:\n`;
  for await (const text of each(entries, skip, "yaml")) yield `- ${indent(text.trimEnd(), "  ")}\n`;
  yield textOf({ kind: head.kind, metadata: head.metadata }, "yaml");
}

/** The list as text, in chunks to be given back to `listBuffers`. */
export async function* listText(form: TextForm, head: ListHead, entries: readonly Entry[], skip: number): AsyncGenerator<Buffer> {
  let chunk = listBuffers.take(), offset = 0;
  for await (const text of (form === "yaml" ? yamlList : prettyList)(head, entries, skip)) {
    const needed = Buffer.byteLength(text);
    if (offset + needed > chunk.length) {
      if (offset > 0) yield chunk.subarray(0, offset);
      chunk = listBuffers.take(needed);
      offset = 0;
    }
    offset += chunk.write(text, offset);
  }
  yield chunk.subarray(0, offset);
}

/**
 * A list as text for people, indented JSON or YAML: object by object, so that a long one does not hold the loop.
 * What is written is what one `JSON.stringify` or `stringify` of the whole would give.
 */
import type { ListMeta } from "../../api/schema/generated/models.ts";
import { Turns } from "../../util/turns.ts";
import type { Entry } from "../cache/entry.ts";
import { formatted } from "../long-work/long-work.ts";
import { textOf, type TextForm } from "./text-form.ts";

const indent = (text: string, by: string): string => text.replaceAll("\n", `\n${by}`);

/** `typed` lists show their items without kind and apiVersion: the first `skip` bytes. */
async function each(entries: readonly Entry[], skip: number, form: TextForm, take: (text: string, index: number) => void): Promise<void> {
  const turns = new Turns();
  for (let i = 0; i < entries.length; i++) {
    const item = Buffer.allocUnsafe(entries[i]!.sizeBytes(skip));
    entries[i]!.writeTo(item, 0, skip);
    take(await formatted(item, form), i);
    if (turns.isLong) await turns.pause();
  }
}

interface ListHead { readonly kind: string; readonly apiVersion: string; readonly metadata: ListMeta }

export async function prettyList(head: ListHead, entries: readonly Entry[], skip: number): Promise<Buffer> {
  const start = textOf({ ...head, items: [] }, "pretty");
  if (entries.length === 0) return Buffer.from(`${start}\n`);
  const parts = [Buffer.from(start.slice(0, -"]\n}".length))];
  await each(entries, skip, "pretty", (text, i) => parts.push(Buffer.from(`${i === 0 ? "" : ","}\n    ${indent(text, "    ")}`)));
  parts.push(Buffer.from("\n  ]\n}\n"));
  return Buffer.concat(parts);
}

export async function yamlList(head: ListHead, entries: readonly Entry[], skip: number): Promise<Buffer> {
  if (entries.length === 0) return Buffer.from(textOf({ ...head, items: [] }, "yaml"));
  const parts = [Buffer.from(`apiVersion: ${head.apiVersion}\nitems:\n`)];
  await each(entries, skip, "yaml", (text) => parts.push(Buffer.from(`- ${indent(text.trimEnd(), "  ")}\n`)));
  parts.push(Buffer.from(textOf({ kind: head.kind, metadata: head.metadata }, "yaml")));
  return Buffer.concat(parts);
}

/**
 * A list as text for people, indented JSON or YAML: object by object, so that a long one does not hold the loop.
 * What is written is what one `JSON.stringify` or `stringify` of the whole would give.
 */
import { stringify } from "yaml";
import type { ListMeta } from "../../api/schema/generated/models.ts";
import { Turns } from "../../util/turns.ts";
import type { Entry } from "../cache/entry.ts";

export const YAML_OPTIONS = { lineWidth: 0, sortMapEntries: true, aliasDuplicateObjects: false, version: "1.1" } as const;

const indent = (text: string, by: string): string => text.replaceAll("\n", `\n${by}`);

/** `typed` lists show their items without kind and apiVersion. */
function item(entry: Entry): object {
  const { kind: _kind, apiVersion: _version, ...rest } = JSON.parse(entry.toBuffer().toString()) as Record<string, unknown>;
  return rest;
}

async function each(entries: readonly Entry[], take: (object: object, index: number) => void): Promise<void> {
  const turns = new Turns();
  for (let i = 0; i < entries.length; i++) {
    take(item(entries[i]!), i);
    if (turns.isLong) await turns.pause();
  }
}

export async function prettyList(head: { kind: string; apiVersion: string; metadata: ListMeta }, entries: readonly Entry[]): Promise<Buffer> {
  const start = JSON.stringify({ ...head, items: [] }, undefined, 2);
  if (entries.length === 0) return Buffer.from(`${start}\n`);
  const parts = [Buffer.from(start.slice(0, -"]\n}".length))];
  await each(entries, (object, i) => parts.push(Buffer.from(`${i === 0 ? "" : ","}\n    ${indent(JSON.stringify(object, undefined, 2), "    ")}`)));
  parts.push(Buffer.from("\n  ]\n}\n"));
  return Buffer.concat(parts);
}

export async function yamlList(head: { kind: string; apiVersion: string; metadata: ListMeta }, entries: readonly Entry[]): Promise<Buffer> {
  if (entries.length === 0) return Buffer.from(stringify({ ...head, items: [] }, YAML_OPTIONS));
  const parts = [Buffer.from(`apiVersion: ${head.apiVersion}\nitems:\n`)];
  await each(entries, (object) => parts.push(Buffer.from(`- ${indent(stringify(object, YAML_OPTIONS).trimEnd(), "  ")}\n`)));
  parts.push(Buffer.from(stringify({ kind: head.kind, metadata: head.metadata }, YAML_OPTIONS)));
  return Buffer.concat(parts);
}

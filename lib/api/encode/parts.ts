/** What the writers of `writer-source.ts` call. */
import { setOwn } from "../decode/json-node.ts";

export type Json = Record<string, unknown>;

/** Whether Go would leave it out as empty. */
export function isEmpty(value: unknown): boolean {
  if (typeof value !== "object") return value === "" || value === 0 || value === false || value === undefined;
  if (value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  for (const key in value) { void key; return false; }
  return true;
}

function isSorted(map: Json): boolean {
  let previous = "";
  for (const key in map) {
    if (key < previous) return false;
    previous = key;
  }
  return true;
}

/** A map with its keys in order: itself, where they are. */
export function sortedMap(map: Json): Json {
  if (isSorted(map)) return map;
  const ordered: Json = {};
  for (const key of Object.keys(map).sort()) setOwn(ordered, key, map[key]);
  return ordered;
}

/** As `list.map(write)`; what is no list is left as it is. */
export const eachItem = (list: unknown, write: (value: unknown) => unknown): unknown => (Array.isArray(list) ? list.map((item) => write(item)) : list);

/** A map with its keys in order and its values written. */
export function eachValue(map: Json, write: (value: unknown) => unknown): Json {
  const sorted = sortedMap(map), written: Json = {};
  for (const key in sorted) setOwn(written, key, write(sorted[key]));
  return written;
}

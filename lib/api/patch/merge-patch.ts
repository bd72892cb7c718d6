/** JSON merge patch (RFC 7386): objects merge, null deletes, anything else replaces. */
import { setOwn } from "../decode/json-node.ts";
import { isMap, type JsonMap } from "./json-value.ts";

/** `target` with `patch` merged in; neither is changed, parts of both live on in the result. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch;
  const merged: JsonMap = {};
  if (isMap(target)) for (const key of Object.keys(target)) setOwn(merged, key, target[key]);
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === null) delete merged[key];
    else setOwn(merged, key, applyMergePatch(Object.hasOwn(merged, key) ? merged[key] : undefined, value));
  }
  return merged;
}

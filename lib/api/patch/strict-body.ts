/** What strict mode finds in a patch's own text: keys given twice, and (where keys are known) unknown ones. */
import type { JsonNode } from "../decode/json-node.ts";

export type StrictFindings = readonly string[];

/** Texts such as `duplicate field "spec.replicas"`. `itemKeys`: the keys objects of the outermost list may have. */
export function duplicateFields(root: JsonNode, itemKeys?: readonly string[]): StrictFindings {
  const found = new Set<string>();
  const visit = (node: JsonNode, path: string, known: readonly string[] | undefined): void => {
    if (node.kind === "array") node.items.forEach((item, i) => visit(item, `${path}[${i}]`, path === "" ? itemKeys : undefined));
    if (node.kind !== "object") return;
    const seen = new Set<string>();
    node.keys.forEach((key, i) => {
      const here = path === "" ? key : `${path}.${key}`;
      if (known !== undefined && !known.includes(key)) { found.add(`unknown field ${JSON.stringify(here)}`); return; }
      if (seen.has(key)) found.add(`duplicate field ${JSON.stringify(here)}`);
      seen.add(key);
      visit(node.values[i]!, here, undefined);
    });
  };
  visit(root, "", undefined);
  return [...found];
}

/**
 * What changed between two values: fields added, modified, removed, as sets.
 *
 * Only what differs costs: parts that are one and the same are not looked into.
 * Counterpart: structured-merge-diff `typed.Compare`.
 */
import { getOwn, isList, isMap, jsonEqual, type JsonMap } from "../patch/json-value.ts";
import { EMPTY_SET, LEAF, SELF, union, type FieldSet } from "./field-set.ts";
import { fieldElement, sortElements } from "./path-element.ts";
import { entryShape, itemElement, resolveShape, type ListShape, type MapShape, type Shape, type StructShape } from "./shape.ts";

/** Nodes, not sets: an absent one holds nothing. */
interface Nodes { added: FieldSet | undefined; modified: FieldSet | undefined; removed: FieldSet | undefined }
export interface Comparison { readonly added: FieldSet; readonly modified: FieldSet; readonly removed: FieldSet }

type Tree = Record<string, FieldSet>;

/** Gathers the nodes of a container's children. */
class Gathering {
  added: Tree | undefined;
  modified: Tree | undefined;
  removed: Tree | undefined;
  put(element: string, nodes: Nodes | undefined): void {
    if (nodes === undefined) return;
    if (nodes.added !== undefined) (this.added ??= {})[element] = nodes.added;
    if (nodes.modified !== undefined) (this.modified ??= {})[element] = nodes.modified;
    if (nodes.removed !== undefined) (this.removed ??= {})[element] = nodes.removed;
  }
  close(): Nodes | undefined {
    const { added, modified, removed } = this;
    return added === undefined && modified === undefined && removed === undefined ? undefined : { added, modified, removed };
  }
}

function compareLeaf(left: unknown, right: unknown): Nodes | undefined {
  return jsonEqual(left, right) ? undefined : { added: undefined, modified: LEAF, removed: undefined };
}

function isHollow(value: unknown): boolean {
  if (isList(value)) return value.length === 0;
  if (isMap(value)) for (const key in value) { void key; return false; }
  return true;
}

function compareMaps(shape: StructShape | MapShape, left: unknown, right: unknown): Nodes | undefined {
  if (shape.atomic || (isHollow(left) && isHollow(right))) return compareLeaf(left, right);
  const before: JsonMap = isMap(left) ? left : {}, after: JsonMap = isMap(right) ? right : {}, gathering = new Gathering();
  if (shape.kind === "struct") {
    for (const { name, element, shape: inner } of shape.fields) {
      const was = before[name], is = after[name];
      if (was !== is) gathering.put(element, compareValues(inner(), was, is));
    }
  } else {
    const keys = isHollow(left) ? Object.keys(after) : isHollow(right) ? Object.keys(before) : [...new Set([...Object.keys(before), ...Object.keys(after)])];
    for (const key of keys.sort()) {
      const was = getOwn(before, key), is = getOwn(after, key);
      if (was !== is) gathering.put(fieldElement(key), compareValues(entryShape(shape, key)!, was, is));
    }
  }
  return gathering.close();
}

/** Items by their path element; several with one element are kept together. */
function indexItems(shape: ListShape, list: unknown): Map<string, unknown[]> {
  const items = new Map<string, unknown[]>();
  if (isList(list)) {
    list.forEach((item, i) => {
      const element = itemElement(shape, item, i), same = items.get(element);
      if (same === undefined) items.set(element, [item]);
      else same.push(item);
    });
  }
  return items;
}

function compareLists(shape: ListShape, left: unknown, right: unknown): Nodes | undefined {
  if (shape.relation === "atomic" || (isHollow(left) && isHollow(right))) return compareLeaf(left, right);
  if (jsonEqual(left, right)) return undefined; // Cheaper than telling the items apart.
  const before = indexItems(shape, left), after = indexItems(shape, right), gathering = new Gathering(), inner = shape.item();
  const elements = [...new Set([...before.keys(), ...after.keys()])];
  for (const element of sortElements(elements)) gathering.put(element, compareItems(inner, before.get(element) ?? [], after.get(element) ?? []));
  return gathering.close();
}

/** Items that share an element are one piece. */
function compareItems(inner: Shape, before: unknown[], after: unknown[]): Nodes | undefined {
  if (before.length <= 1 && after.length <= 1) return before[0] === after[0] ? undefined : compareValues(inner, before[0], after[0]);
  if (before.length >= 2 && after.length >= 2) return jsonEqual(before, after) ? undefined : { added: undefined, modified: LEAF, removed: undefined };
  if (before.length >= 2) {
    const nodes = after.length === 0 ? undefined : compareValues(inner, undefined, after[0]);
    return { added: nodes?.added, modified: nodes?.modified, removed: LEAF };
  }
  const nodes = before.length === 0 ? undefined : compareValues(inner, before[0], undefined);
  return { added: LEAF, modified: nodes?.modified, removed: nodes?.removed };
}

/** The node of a value that is wholly added or removed: it and everything in it are members. */
function wholeNode(shape: Shape, value: unknown): FieldSet {
  const known = resolveShape(shape, value);
  if (known.kind === "scalar" || isHollow(value)) return LEAF;
  const node: Tree = { [SELF]: LEAF };
  if (known.kind === "list") {
    if (known.relation === "atomic") return LEAF;
    const list = value as unknown[], inner = known.item(), elements = list.map((item, i) => itemElement(known, item, i));
    const first = new Map<string, number>(), repeated = new Set<string>();
    elements.forEach((element, i) => { if (first.has(element)) repeated.add(element); else first.set(element, i); });
    for (const element of sortElements([...first.keys()])) node[element] = repeated.has(element) ? LEAF : wholeNode(inner, list[first.get(element)!]);
    return node;
  }
  if (known.atomic) return LEAF;
  const map = value as JsonMap;
  if (known.kind === "map") {
    const item = known.item();
    for (const key of Object.keys(map).sort()) node[fieldElement(key)] = wholeNode(item, map[key]);
  } else {
    for (const { name, element, shape: inner } of known.fields) {
      const one = map[name];
      if (one !== undefined) node[element] = wholeNode(inner(), one);
    }
  }
  return node;
}

/** At least one side must be there. */
function compareValues(shape: Shape, left: unknown, right: unknown): Nodes | undefined {
  if (left === undefined) return { added: wholeNode(shape, right), modified: undefined, removed: undefined };
  if (right === undefined) return { added: undefined, modified: undefined, removed: wholeNode(shape, left) };
  const known = resolveShape(shape, right ?? left);
  if (shape.kind === "any" && left !== null && resolveShape(shape, left) !== known) return compareLeaf(left, right);
  if (known.kind === "scalar") return compareLeaf(left, right);
  return known.kind === "list" ? compareLists(known, left, right) : compareMaps(known, left, right);
}

const asSet = (node: FieldSet | undefined): FieldSet => (node === undefined ? EMPTY_SET : node);

/** Compares two whole objects. Throws ItemError. */
export function compareObjects(shape: StructShape, left: object, right: object): Comparison {
  const nodes = left === right ? undefined : compareValues(shape, left, right);
  return { added: asSet(nodes?.added), modified: asSet(nodes?.modified), removed: asSet(nodes?.removed) };
}

/** Everything that differs. */
export const changedFields = ({ added, modified, removed }: Comparison): FieldSet => union(union(added, modified), removed);

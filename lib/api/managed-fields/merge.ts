/**
 * Merging an applied configuration into a live object: nothing is removed, leaves of the configuration win, items the
 * configuration names come in its order.
 * Counterpart: structured-merge-diff `typed.Merge`.
 */
import { setOwn } from "../decode/json-node.ts";
import { getOwn, isList, isMap, type JsonMap } from "../patch/json-value.ts";
import { entryShape, itemElement, resolveShape, type ListShape, type MapShape, type Shape, type StructShape } from "./shape.ts";

const isHollow = (value: unknown): boolean => (isList(value) ? value.length === 0 : !isMap(value) || Object.keys(value).length === 0);
const keepRight = (left: unknown, right: unknown): unknown => (right === undefined ? left : right);

function mergeMaps(shape: StructShape | MapShape, left: unknown, right: unknown): unknown {
  if (shape.atomic || (isHollow(left) && isHollow(right))) return keepRight(left, right);
  const before: JsonMap = isMap(left) ? left : {}, after: JsonMap = isMap(right) ? right : {}, merged: JsonMap = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const value = mergeValues(entryShape(shape, key) ?? { kind: "any" }, getOwn(before, key), getOwn(after, key));
    if (value !== undefined) setOwn(merged, key, value);
  }
  return merged;
}

interface Indexed { readonly elements: string[]; readonly items: Map<string, unknown> }

/** Items by element. Of several live items with one element none is merged; a configuration has no such. */
function indexItems(shape: ListShape, list: unknown): Indexed {
  const elements: string[] = [], items = new Map<string, unknown>();
  if (isList(list)) {
    list.forEach((item, i) => {
      const element = itemElement(shape, item, i);
      elements.push(element);
      items.set(element, items.has(element) ? null : item);
    });
  }
  return { elements, items };
}

/** Shared items come in the configuration's order, the others keep their place among them. */
function mergeLists(shape: ListShape, left: unknown, right: unknown): unknown {
  if (shape.relation === "atomic" || (isHollow(left) && isHollow(right))) return keepRight(left, right);
  const before = indexItems(shape, left), after = indexItems(shape, right), live = isList(left) ? (left as unknown[]) : [], inner = shape.item();
  const shared = after.elements.filter((element) => before.items.has(element)), merged = new Set<string>(), result: unknown[] = [];
  let next = 0, l = 0, r = 0;
  const take = (leftItem: unknown, rightItem: unknown): void => {
    const value = mergeValues(inner, leftItem, rightItem);
    if (value !== undefined) result.push(value);
  };
  while (l < before.elements.length || r < after.elements.length) {
    const mine = before.elements[l], theirs = after.elements[r];
    if (mine !== undefined && theirs !== undefined) {
      if (mine === theirs) {
        merged.add(mine);
        take(before.items.get(mine), after.items.get(mine));
        l++; r++; next++;
        continue;
      }
      if (after.items.has(mine) && shared[next] !== undefined && shared[next] !== mine) { l++; continue; }
    }
    if (mine !== undefined) {
      if (!after.items.has(mine)) { take(live[l], undefined); l++; continue; }
      if (merged.has(mine)) l++;
    }
    if (theirs !== undefined) {
      merged.add(theirs);
      take(before.items.get(theirs), after.items.get(theirs));
      r++;
      if (shared[next] === theirs) next++;
    }
  }
  return result;
}

function mergeValues(shape: Shape, left: unknown, right: unknown): unknown {
  const known = resolveShape(shape, right ?? left);
  if (known.kind === "scalar") return keepRight(left, right);
  if (right !== undefined && right !== null && left !== undefined && left !== null && shape.kind === "any" && resolveShape(shape, left) !== known) return right;
  return known.kind === "list" ? mergeLists(known, left, right) : mergeMaps(known, left, right);
}

/** `live` with `applied` merged in; neither is changed, parts of both live on in the result. Throws ItemError. */
export const mergeObjects = (shape: StructShape, live: JsonMap, applied: JsonMap): JsonMap => mergeValues(shape, live, applied) as JsonMap;

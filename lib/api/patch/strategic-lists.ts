/**
 * Lists of a strategic merge patch: telling items apart, and the order of the merged list.
 * Precedence of order: `$setElementOrder`, then the patch, then the live list.
 */
import { badElementOrder, badType, listOfLists, noMergeKey, StrategicPatchError } from "./strategic-errors.ts";
import { getOwn, goPrint, goTypeName, isList, isMap } from "./json-value.ts";

export const DIRECTIVE = "$patch";

/** What tells items apart: the merge key's value, or the item itself when there is no merge key. */
export function identityOf(item: unknown, mergeKey: string): unknown {
  if (mergeKey === "") return item;
  return isMap(item) ? getOwn(item, mergeKey) : undefined;
}

/** Checks that every item is an object holding the merge key. */
export function requireMergeKey(items: readonly unknown[], mergeKey: string): void {
  for (const item of items) {
    if (!isMap(item)) throw badType("map[string]interface {}", item);
    if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey);
  }
}

/** Whether the items of all lists are objects; mixed lists and lists of lists are refused. */
export function holdsMaps(...lists: (readonly unknown[])[]): boolean {
  let type: string | undefined;
  for (const item of lists.flat()) {
    if (isList(item)) throw listOfLists();
    type ??= goTypeName(item);
    if (goTypeName(item) !== type) throw new StrategicPatchError(`list element types are not identical: ${goPrint(lists)}`);
  }
  if (type === undefined) throw new StrategicPatchError("no elements in any of the given slices");
  return type === "map[string]interface {}";
}

const isDeletion = (item: unknown): boolean => isMap(item) && getOwn(item, DIRECTIVE) === "delete";

/** Sorts items by their place in `order`, deletions last. */
function sortBy(items: readonly unknown[], order: ReadonlyMap<unknown, number>, mergeKey: string): unknown[] {
  const place = (item: unknown): number => order.get(identityOf(item, mergeKey)) ?? -1;
  return [...items.filter((item) => !isDeletion(item)).sort((a, b) => place(a) - place(b)), ...items.filter(isDeletion)];
}

/** Where the first item of each identity is. */
export function placesOf(items: readonly unknown[], mergeKey: string): Map<unknown, number> {
  const places = new Map<unknown, number>();
  items.forEach((item, i) => { const identity = identityOf(item, mergeKey); if (!places.has(identity)) places.set(identity, i); });
  return places;
}

/** Puts `merged` in order: items of `wanted` in that order, the others where the live list has them. */
export function orderItems(merged: readonly unknown[], wanted: readonly unknown[], live: readonly unknown[], mergeKey: string): unknown[] {
  if (mergeKey !== "") { requireMergeKey(merged, mergeKey); requireMergeKey(wanted, mergeKey); requireMergeKey(live, mergeKey); }
  const wantedPlaces = placesOf(wanted, mergeKey), livePlaces = placesOf(live, mergeKey);
  const isWanted = (item: unknown): boolean => wantedPlaces.has(identityOf(item, mergeKey));
  const ours = sortBy(merged.filter(isWanted), wantedPlaces, mergeKey), others = sortBy(merged.filter((item) => !isWanted(item)), livePlaces, mergeKey);
  const result: unknown[] = [];
  let i = 0, j = 0;
  while (i < others.length || j < ours.length) {
    if (i >= others.length) result.push(ours[j++]);
    else if (j >= ours.length) result.push(others[i++]);
    else {
      const left = livePlaces.get(identityOf(others[i], mergeKey)), right = livePlaces.get(identityOf(ours[j], mergeKey));
      result.push(left !== undefined && right !== undefined && left < right ? others[i++] : ours[j++]);
    }
  }
  return result;
}

/** Checks that the items of a patch come in the order `$setElementOrder` gives, deletions aside. */
export function checkElementOrder(patch: readonly unknown[], order: unknown, mergeKey: string): void {
  if (!isList(order)) throw badElementOrder();
  if (order.length === 0 || patch.length === 0) return;
  const items = mergeKey === "" ? patch : patch.filter((item) => {
    if (!isMap(item)) throw badType("map[string]interface {}", item);
    return !isDeletion(item);
  });
  let i = 0, j = 0;
  while (i < items.length && j < order.length) {
    const item = items[i];
    if (isMap(item) && Object.hasOwn(item, DIRECTIVE)) { i++; continue; }
    if (mergeKey !== "") requireMergeKey([item, order[j]], mergeKey);
    if (identityOf(item, mergeKey) === identityOf(order[j], mergeKey)) i++;
    j++;
  }
  if (i < items.length && j >= order.length) throw new StrategicPatchError(`The order in patch list:\n${goPrint(patch)}\n doesn't match $setElementOrder list:\n${goPrint(order)}\n`);
}

/**
 * Arithmetic on resource lists: maps from a resource's name to a quantity. All return new lists; sums keep the format of their
 * first operand, as quantities do. Counterpart: apiserver `quota/v1/resources.go`.
 */
import { addQuantity, compareQuantity, formatQuantity, parseQuantity, subtractQuantity } from "../quantity.ts";

export type ResourceList = Readonly<Record<string, string>>;

export function addLists(a: ResourceList, b: ResourceList): ResourceList {
  const sum: Record<string, string> = { ...a };
  for (const name of Object.keys(b)) sum[name] = sum[name] === undefined ? b[name]! : formatQuantity(addQuantity(sum[name], b[name]!));
  return sum;
}

/** What `a` has more than `b`; zero where it has less. */
export function surplusOf(a: ResourceList, b: ResourceList): ResourceList {
  const rest: Record<string, string> = {};
  for (const name of Object.keys(a)) {
    const other = b[name];
    rest[name] = other === undefined ? a[name]! : compareQuantity(a[name]!, other) <= 0 ? "0" : formatQuantity(subtractQuantity(a[name]!, other));
  }
  return rest;
}

export function maskList(list: ResourceList, names: Iterable<string>): ResourceList {
  const kept = new Set(names);
  return Object.fromEntries(Object.entries(list).filter(([name]) => kept.has(name)));
}

export const withoutZeros = (list: ResourceList): ResourceList => Object.fromEntries(Object.entries(list).filter(([, amount]) => parseQuantity(amount).unscaled !== 0n));
export const negativeNames = (list: ResourceList): string[] => Object.keys(list).filter((name) => parseQuantity(list[name]!).unscaled < 0n).toSorted();

/** Names of which there is more than `limits` allows; what has no limit is allowed. */
export const exceeding = (list: ResourceList, limits: ResourceList): string[] => Object.keys(list).filter((name) => limits[name] !== undefined && compareQuantity(list[name]!, limits[name]) > 0);

/** Same names, same amounts, however they are written. */
export function listsEqual(a: ResourceList, b: ResourceList): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => b[name] !== undefined && compareQuantity(a[name]!, b[name]) === 0);
}

/** `cpu=2,memory=1Gi`, sorted. */
export const printList = (list: ResourceList): string => Object.keys(list).toSorted().map((name) => `${name}=${formatQuantity(parseQuantity(list[name]!))}`).join(",");

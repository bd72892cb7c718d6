/**
 * Sets of fields, in the very form FieldsV1 has: a tree whose keys are path elements. A node without children is a
 * member of the set; a node with children is one when it has the key ".". The empty tree at the root is the empty set.
 *
 * Trees are never changed once made, so parts are shared. Keys are in upstream's order wherever a set was made here.
 * Counterpart: structured-merge-diff `fieldpath.Set`.
 */
import { isMap } from "../patch/json-value.ts";
import { isElement, sortElements } from "./path-element.ts";

export interface FieldSet { readonly [element: string]: FieldSet }
type Mutable = Record<string, FieldSet>;

export const SELF = ".";
/** A member without children, and the empty set. */
export const LEAF: FieldSet = Object.freeze({});
export const EMPTY_SET = LEAF;

const isBare = (node: FieldSet): boolean => { if (node === LEAF) return true; for (const key in node) { void key; return false; } return true; };
export const isMember = (node: FieldSet): boolean => isBare(node) || node[SELF] !== undefined;
/** Whether a set (at the root) has no members. */
export const isEmptySet = isBare;

/** A node from its parts; undefined when it would hold nothing. `children` is taken over. */
export function makeNode(member: boolean, children: FieldSet | undefined): FieldSet | undefined {
  if (children === undefined || isBare(children)) return member ? LEAF : undefined;
  return member ? { [SELF]: LEAF, ...children } : children;
}

function childrenOf(node: FieldSet): FieldSet {
  if (node[SELF] === undefined) return node;
  const { [SELF]: _, ...children } = node;
  return children;
}

function inOrder(tree: Mutable): FieldSet {
  const keys = Object.keys(tree), order = sortElements(keys);
  return order === keys ? tree : Object.fromEntries(order.map((key) => [key, tree[key]!]));
}

/** Members of either. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isBare(b)) return a;
  if (isBare(a)) return b;
  const result: Mutable = { ...a };
  for (const key in b) {
    const left = a[key], right = b[key]!;
    result[key] = left === undefined || left === right ? right : makeNode(isMember(left) || isMember(right), union(childrenOf(left), childrenOf(right)))!;
  }
  return inOrder(result);
}

/** Members of `a` that are not members of `b`. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isBare(a) || isBare(b)) return a;
  const result: Mutable = {};
  let changed = false;
  for (const key in a) {
    const left = a[key]!, right = b[key];
    if (right === undefined) { result[key] = left; continue; }
    const node = makeNode(isMember(left) && !isMember(right), difference(childrenOf(left), childrenOf(right)));
    if (node !== undefined) result[key] = node;
    if (node !== left) changed = true;
  }
  return changed ? result : a;
}

/** Members of both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const result: Mutable = {};
  for (const key in a) {
    const left = a[key]!, right = b[key];
    if (right === undefined) continue;
    const node = makeNode(isMember(left) && isMember(right), intersection(childrenOf(left), childrenOf(right)));
    if (node !== undefined) result[key] = node;
  }
  return result;
}

/** `a` without the members of `b` and everything under them. */
export function withoutSubtrees(a: FieldSet, b: FieldSet): FieldSet {
  if (isBare(a) || isBare(b)) return a;
  const result: Mutable = {};
  let changed = false;
  for (const key in a) {
    const left = a[key]!, right = b[key];
    if (right === undefined) { result[key] = left; continue; }
    const node = isMember(right) ? undefined : makeNode(isMember(left), withoutSubtrees(childrenOf(left), childrenOf(right)));
    if (node !== undefined) result[key] = node;
    if (node !== left) changed = true;
  }
  return changed ? result : a;
}

/** The set below `element`, empty when there is none. */
export const below = (set: FieldSet, element: string): FieldSet => { const node = set[element]; return node === undefined ? EMPTY_SET : childrenOf(node); };

/** Whether the one-element path is a member. */
export const hasElement = (set: FieldSet, element: string): boolean => { const node = set[element]; return node !== undefined && isMember(node); };

export function hasPath(set: FieldSet, path: readonly string[]): boolean {
  let node: FieldSet | undefined = set;
  for (const element of path) {
    node = node[element];
    if (node === undefined) return false;
  }
  return path.length > 0 && isMember(node);
}

/** A set of paths. */
export const setOf = (...paths: readonly (readonly string[])[]): FieldSet =>
  paths.reduce<FieldSet>((set, path) => union(set, path.toReversed().reduce<FieldSet>((node, element) => ({ [element]: node }), LEAF)), EMPTY_SET);

/** Every member's path; the members of a level come before what is below them. */
export function pathsOf(set: FieldSet, prefix: readonly string[] = []): string[][] {
  const keys = Object.keys(set).filter((key) => key !== SELF);
  return [...keys.filter((key) => isMember(set[key]!)).map((key) => [...prefix, key]), ...keys.flatMap((key) => pathsOf(childrenOf(set[key]!), [...prefix, key]))];
}

/** Whether a value somebody sent is a set at all. */
export const isFieldSet = (value: unknown): value is FieldSet =>
  isMap(value) && Object.keys(value).every((key) => (key === SELF || isElement(key)) && isFieldSet(value[key]));

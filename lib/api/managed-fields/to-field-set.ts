/** The set of every leaf and item a value mentions. Counterpart: structured-merge-diff `typed.ToFieldSet`. */
import { isList, isMap } from "../patch/json-value.ts";
import { EMPTY_SET, LEAF, makeNode, SELF, type FieldSet } from "./field-set.ts";
import { fieldElement, sortElements } from "./path-element.ts";
import { entryShape, itemElement, resolveShape, type ListShape, type MapShape, type Shape, type StructShape } from "./shape.ts";

type Tree = Record<string, FieldSet>;
/** What a value puts at its own place: whether it is a member, and what is below. */
interface Found { member: boolean; children: Tree }

function sorted(tree: Tree): Tree {
  const keys = Object.keys(tree), order = sortElements(keys);
  return order === keys ? tree : Object.fromEntries(order.map((key) => [key, tree[key]!]));
}

function findInMap(shape: StructShape | MapShape, value: unknown): Found {
  if (shape.atomic) return { member: true, children: {} };
  const children: Tree = {};
  if (isMap(value)) {
    for (const key of Object.keys(value).sort()) {
      const inner = entryShape(shape, key), one = value[key], found = find(inner ?? { kind: "any" }, one);
      const member = found.member || one === null || (isMap(one) && Object.keys(one).length === 0) || shape.kind === "map" || inner === undefined;
      const node = makeNode(member, found.children);
      if (node !== undefined) children[fieldElement(key)] = node;
    }
  }
  return { member: false, children };
}

function findInList(shape: ListShape, value: unknown): Found {
  if (shape.relation === "atomic") return { member: true, children: {} };
  const children: Tree = {}, inner = shape.item();
  if (isList(value)) {
    value.forEach((item, i) => {
      const element = itemElement(shape, item, i);
      children[element] = children[element] === undefined ? makeNode(true, find(inner, item).children)! : LEAF;
    });
  }
  return { member: false, children: sorted(children) };
}

function find(shape: Shape, value: unknown): Found {
  const known = resolveShape(shape, value);
  if (known.kind === "scalar") return { member: true, children: {} };
  return known.kind === "list" ? findInList(known, value) : findInMap(known, value);
}

/** The fields of a whole object. Throws ItemError. */
export function fieldSetOf(shape: StructShape, object: unknown): FieldSet {
  const { children } = find(shape, object);
  return Object.keys(children).length === 0 ? EMPTY_SET : children;
}

/** The set with every named field on the way to a member made a member too; keys of maps are not named fields. */
export function withNamedFields(set: FieldSet, shape: Shape | undefined): FieldSet {
  const result: Tree = {};
  let isEmpty = true;
  for (const element in set) {
    if (element === SELF) continue;
    isEmpty = false;
    const node = set[element]!;
    if (node === LEAF) { result[element] = LEAF; continue; }
    const { inner, named } = follow(shape, element), children = withNamedFields(node, inner), hasChildren = children !== EMPTY_SET;
    result[element] = makeNode(!hasChildren || node[SELF] !== undefined || named, hasChildren ? children : undefined)!;
  }
  return isEmpty ? EMPTY_SET : result;
}

function follow(shape: Shape | undefined, element: string): { inner: Shape | undefined; named: boolean } {
  if (element.startsWith("f:") && (shape?.kind === "struct" || shape?.kind === "map")) {
    const name = element.slice(2);
    return { inner: entryShape(shape, name), named: shape.kind === "struct" && shape.byName.has(name) };
  }
  if (element.startsWith("f:") && shape?.kind === "any") return { inner: shape, named: false };
  return { inner: element.startsWith("k:") && shape?.kind === "list" ? shape.item() : undefined, named: false };
}

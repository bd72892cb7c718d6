/**
 * Strategic merge patch: merges by the schema. Objects merge; lists with a `merge` strategy merge by their key (or as a
 * set of plain values), other lists are replaced. Directives: `$patch` (replace, delete), `$deleteFromPrimitiveList/x`,
 * `$setElementOrder/x`, `$retainKeys`. Null deletes.
 * Counterpart: apimachinery `util/strategicpatch`.
 */
import { setOwn } from "../decode/json-node.ts";
import { findModel, type Field, type FieldType, type Model } from "../schema/schema.ts";
import { cloneJson, getOwn, isList, isMap, type JsonMap } from "./json-value.ts";
import { badElementOrder, badPrimitiveList, badRetainKeys, badType, noMergeKey, StrategicPatchError, unknownDirective } from "./strategic-errors.ts";
import { checkElementOrder, DIRECTIVE, holdsMaps, identityOf, orderItems, placesOf } from "./strategic-lists.ts";

const DELETE_FROM = "$deleteFromPrimitiveList", ELEMENT_ORDER = "$setElementOrder", RETAIN_KEYS = "$retainKeys";

/** What the schema says of one key. */
interface KeyRules { readonly model: Model | undefined; readonly strategy: string; readonly mergeKey: string }
const NO_RULES: KeyRules = { model: undefined, strategy: "", mergeKey: "" };

const itemType = (type: FieldType): FieldType => (type.kind === "list" ? itemType(type.item) : type.kind === "map" ? itemType(type.value) : type);

function strategyOf(field: Field): string {
  const rest = field.patchStrategy.filter((strategy) => strategy !== "retainKeys");
  if (rest.length > 1) throw new StrategicPatchError(`unexpected patch strategy: ${field.patchStrategy.join(" ")}`);
  return rest[0] ?? "";
}

/** A key the schema does not have can only be merged blindly where the schema knows nothing at all. */
function rulesOf(model: Model | undefined, key: string): KeyRules {
  if (model === undefined) return NO_RULES;
  const field = model.byName.get(key);
  if (field === undefined) throw new StrategicPatchError(`unable to find api field in struct ${model.goName} for the json field ${JSON.stringify(key)}`);
  const type = itemType(field.type);
  return { model: type.kind === "model" ? findModel(type.model) : undefined, strategy: strategyOf(field), mergeKey: field.patchMergeKey ?? "" };
}

/** The value without directives; undefined when it is one. */
function withoutDirectives(value: unknown): unknown {
  if (isList(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isMap(value)) return value;
  if (Object.hasOwn(value, DIRECTIVE)) return undefined;
  const clean: JsonMap = {};
  for (const key of Object.keys(value)) {
    const kept = withoutDirectives(value[key]);
    if (kept !== undefined) setOwn(clean, key, kept);
  }
  return clean;
}

/** The value without nulls in objects. */
function withoutNulls(value: unknown): unknown {
  if (isList(value)) return value.map(withoutNulls);
  if (!isMap(value)) return value;
  const clean: JsonMap = {};
  for (const key of Object.keys(value)) if (value[key] !== null) setOwn(clean, key, withoutNulls(value[key]));
  return clean;
}

function put(target: JsonMap, key: string, patchValue: unknown): void {
  const value = withoutDirectives(withoutNulls(patchValue));
  if (value === undefined) delete target[key];
  else setOwn(target, key, value);
}

function applyRetainKeys(live: JsonMap, patch: JsonMap): void {
  const keys = getOwn(patch, RETAIN_KEYS);
  if (keys === undefined) return;
  delete patch[RETAIN_KEYS];
  if (!isList(keys)) throw badRetainKeys();
  for (const key of Object.keys(patch)) {
    if (patch[key] === null || key.startsWith(DELETE_FROM) || key.startsWith(ELEMENT_ORDER)) continue;
    if (!keys.includes(key)) throw badRetainKeys();
  }
  for (const key of Object.keys(live)) if (!keys.includes(key)) delete live[key];
}

/** Merges the lists that come with an order, and takes them out of the patch. */
function applyElementOrders(live: JsonMap, patch: JsonMap, model: Model | undefined): void {
  for (const directive of Object.keys(patch)) {
    if (!directive.startsWith(ELEMENT_ORDER)) continue;
    const order = patch[directive];
    delete patch[directive];
    if (!isList(order)) throw badType("[]interface {}", order);
    if (!directive.startsWith(`${ELEMENT_ORDER}/`)) throw badElementOrder();
    const key = directive.slice(ELEMENT_ORDER.length + 1), before = getOwn(live, key), change = getOwn(patch, key);
    if (before !== undefined && !isList(before)) throw badType("[]interface {}", before);
    if (change !== undefined && !isList(change)) throw badType("[]interface {}", change);
    const rules = rulesOf(model, key);
    checkElementOrder(change ?? [], order, rules.mergeKey);
    if (before === undefined && change === undefined) continue;
    const merged = change === undefined ? before! : before === undefined ? (withoutDirectives(change) as unknown[]) : mergeListField(before, change, rules, false);
    holdsMaps(before ?? [], change ?? []);
    setOwn(live, key, orderItems(merged, order, before ?? [], rules.mergeKey));
    delete patch[key];
  }
}

function mergeMap(live: JsonMap, patch: JsonMap, model: Model | undefined): JsonMap {
  if (Object.hasOwn(patch, DIRECTIVE)) {
    const { [DIRECTIVE]: directive, ...rest } = patch;
    if (directive === "replace") return rest;
    if (directive === "delete") return {};
    throw unknownDirective(directive, patch);
  }
  applyRetainKeys(live, patch);
  applyElementOrders(live, patch, model);
  for (const patchKey of Object.keys(patch)) {
    const value = patch[patchKey], deletes = patchKey.startsWith(DELETE_FROM);
    if (deletes && !patchKey.startsWith(`${DELETE_FROM}/`)) throw badPrimitiveList();
    mergeKeyed(live, deletes ? patchKey.slice(DELETE_FROM.length + 1) : patchKey, value, deletes, model);
  }
  return live;
}

function mergeKeyed(live: JsonMap, key: string, value: unknown, deletes: boolean, model: Model | undefined): void {
  if (value === null) { delete live[key]; return; }
  const before = getOwn(live, key);
  if (isMap(before) && isMap(value)) {
    const rules = rulesOf(model, key);
    setOwn(live, key, rules.strategy === "replace" ? value : mergeMap(before, value, rules.model));
  } else if (isList(before) && isList(value)) setOwn(live, key, mergeListField(before, value, rulesOf(model, key), deletes));
  else if (!deletes) put(live, key, value);
}

function mergeListField(live: unknown[], patch: unknown[], rules: KeyRules, deletes: boolean): unknown[] {
  return rules.strategy === "merge" || deletes ? mergeList(live, patch, rules, deletes) : patch;
}

function mergeList(live: unknown[], patch: unknown[], { model, mergeKey }: KeyRules, deletes: boolean): unknown[] {
  if (live.length === 0 && patch.length === 0) return live;
  if (!holdsMaps(live, patch)) {
    if (deletes) { const gone = new Set(patch); return live.filter((item) => !gone.has(item)); }
    return orderItems([...new Set([...live, ...patch])], patch, live, "");
  }
  if (mergeKey === "") throw new StrategicPatchError(`cannot merge lists without merge key for ${model?.goName ?? ""}`);
  const { kept, changes } = applyItemDirectives(live as JsonMap[], patch as JsonMap[], mergeKey);
  const merged = [...kept], places = placesOf(merged, mergeKey);
  for (const change of changes) {
    if (!Object.hasOwn(change, mergeKey)) throw noMergeKey(change, mergeKey);
    const at = places.get(change[mergeKey]);
    if (at !== undefined) merged[at] = mergeMap(merged[at]!, cloneJson(change), model);
    else places.set(change[mergeKey], merged.push(change) - 1);
  }
  return orderItems(merged, changes, kept, mergeKey);
}

/** Carries out `$patch: delete` and `$patch: replace` of items; returns the live items left and the plain changes. */
function applyItemDirectives(live: JsonMap[], patch: JsonMap[], mergeKey: string): { kept: JsonMap[]; changes: JsonMap[] } {
  let replaces = false;
  const changes: JsonMap[] = [], gone = new Set<unknown>();
  for (const item of patch) {
    const directive = getOwn(item, DIRECTIVE);
    if (directive === undefined) changes.push(item);
    else if (directive === "delete") {
      if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey);
      gone.add(item[mergeKey]);
    } else if (directive === "replace") replaces = true;
    else if (directive === "merge") throw new StrategicPatchError("merging lists cannot yet be specified in the patch");
    else throw unknownDirective(directive, item);
  }
  return replaces ? { kept: changes, changes: [] } : { kept: gone.size === 0 ? live : live.filter((one) => !gone.has(identityOf(one, mergeKey))), changes };
}

/** `live` with `patch` merged in by the schema of `model`; neither is changed. Throws StrategicPatchError. */
export const applyStrategicPatch = (model: Model, live: JsonMap, patch: JsonMap): JsonMap => mergeMap(cloneJson(live), cloneJson(patch), model);

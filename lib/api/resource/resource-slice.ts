/** ResourceSlice: devices a driver offers, on a node or elsewhere. Counterpart: kubernetes `registry/resource/resourceslice`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { checkNodeSelector } from "../core/scheduling-validation.ts";
import { checkCsiDriverName } from "../core/volume-source-validation.ts";
import { defineResource } from "../define-resource.ts";
import { forbiddenField, invalid, invalidUnshown, required, tooLong, tooMany } from "../field-error.ts";
import { SPEC, type FieldPath } from "../field-path.ts";
import { toTimestamp } from "../helpers/timestamps.ts";
import type { Counter, Device, DeviceAttribute, ResourcePool, ResourceSlice, ResourceSliceSpec } from "../schema/generated/models.ts";
import { resourceslices } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { checkDnsLabel, checkDnsSubdomain, checkImmutable, type Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { byteLength } from "../validation/names.ts";
import { LIST_MAX, checkItems, checkOn, checkOneSet, checkPoolName, checkQualifiedName, checkTaint } from "./device-validation.ts";

const DEVICES_MAX = 128, COSTLY_DEVICES_MAX = 64, TAINTS_MAX = 16, COUNTER_SETS_MAX = 8, CONSUMPTIONS_MAX = 2, VALUE_MAX = 64;
const semverRegexp = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/;

function checkSpec(errors: Errors, spec: Partial<ResourceSliceSpec>): void {
  const pool: Partial<ResourcePool> = spec.pool ?? {}, devices = spec.devices ?? [], set: string[] = [], one = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
  checkCsiDriverName(errors, SPEC.child("driver"), spec.driver ?? "");
  checkPoolName(errors, SPEC.child("pool", "name"), pool.name ?? "");
  if ((pool.resourceSliceCount ?? 0) <= 0) errors.push(invalid(SPEC.child("pool", "resourceSliceCount"), pool.resourceSliceCount ?? 0, "must be greater than zero"));
  if ((pool.generation ?? 0) < 0) errors.push(invalid(SPEC.child("pool", "generation"), pool.generation, "must be greater than or equal to zero"));
  if (spec.nodeName === "") errors.push(invalid(SPEC.child("nodeName"), "", "must be either unset or set to a non-empty string"));
  else if (spec.nodeName !== undefined) {
    set.push("nodeName");
    checkDnsSubdomain(errors, SPEC.child("nodeName"), spec.nodeName);
  }
  if (spec.nodeSelector !== undefined) {
    set.push("nodeSelector");
    checkNodeSelector(errors, SPEC.child("nodeSelector"), spec.nodeSelector);
    if (spec.nodeSelector.nodeSelectorTerms?.length !== 1) errors.push(invalid(SPEC.child("nodeSelector", "nodeSelectorTerms"), spec.nodeSelector.nodeSelectorTerms ?? null, "must have exactly one node selector term"));
  }
  for (const field of ["allNodes", "perDeviceNodeSelection"] as const) if (checkOn(errors, SPEC.child(field), spec[field])) set.push(field);
  checkOneSet(errors, SPEC, set, one, `${one}, but multiple fields are set`);
  if (spec.sharedCounters !== undefined && spec.devices !== undefined) errors.push(invalid(SPEC, "", "only one of `sharedCounters` or `devices` is allowed"));
  const isCostly = devices.some(({ taints = [], consumesCounters = [] }) => taints.length + consumesCounters.length > 0);
  checkItems(errors, SPEC.child("devices"), devices, isCostly ? COSTLY_DEVICES_MAX : DEVICES_MAX, (device, path) => checkDevice(errors, path, device, spec.perDeviceNodeSelection === true), ({ name }) => name);
  checkItems(errors, SPEC.child("sharedCounters"), spec.sharedCounters, COUNTER_SETS_MAX, ({ name, counters }, path) => checkCounters(errors, path, "name", name, counters), ({ name }) => name);
}

function checkCounters(errors: Errors, path: FieldPath, field: string, name: string | undefined, counters: Readonly<Record<string, Counter>> | undefined): void {
  const keys = Object.keys(counters ?? {}), at = path.child("counters");
  if ((name ?? "") === "") errors.push(required(path.child(field)));
  else checkDnsLabel(errors, path.child(field), name!);
  if (keys.length === 0) errors.push(required(at));
  else if (keys.length > LIST_MAX) errors.push(tooMany(at, keys.length, LIST_MAX));
  else for (const key of keys) checkDnsLabel(errors, at.key(key), key);
}

function checkDevice(errors: Errors, path: FieldPath, device: Device, isPlaced: boolean): void {
  const attributes = Object.entries(device.attributes ?? {}), capacities = Object.entries(device.capacity ?? {}), count = attributes.length + capacities.length;
  if ((device.name ?? "") === "") errors.push(required(path.child("name")));
  else checkDnsLabel(errors, path.child("name"), device.name);
  if (count > LIST_MAX) errors.push(invalid(path, count, `the total number of attributes and capacities must not exceed ${LIST_MAX}`));
  for (const [name, attribute] of attributes) {
    checkQualifiedName(errors, path.child("attributes").key(name), name);
    checkAttribute(errors, path.child("attributes").key(name), attribute);
  }
  for (const [name, { requestPolicy }] of capacities) {
    const at = path.child("capacity").key(name);
    checkQualifiedName(errors, at, name);
    if (requestPolicy !== undefined && device.allowMultipleAllocations !== true) errors.push(forbiddenField(at.child("requestPolicy"), "allowMultipleAllocations must be true"));
  }
  checkItems(errors, path.child("taints"), device.taints, TAINTS_MAX, (taint, at) => checkTaint(errors, at, taint));
  checkItems(errors, path.child("consumesCounters"), device.consumesCounters, CONSUMPTIONS_MAX, ({ counterSet, counters }, at) => checkCounters(errors, at, "counterSet", counterSet, counters), ({ counterSet }) => counterSet);
  checkPlace(errors, path, device, isPlaced);
}

function checkAttribute(errors: Errors, path: FieldPath, attribute: DeviceAttribute): void {
  const { string, version } = attribute, count = Object.values(attribute).filter((value) => value !== undefined).length;
  if (string !== undefined && byteLength(string) > VALUE_MAX) errors.push(tooLong(path.child("string"), VALUE_MAX));
  if (version !== undefined && !semverRegexp.test(version)) errors.push(invalid(path.child("version"), version, "must be a string compatible with semver.org spec 2.0.0"));
  if (version !== undefined && byteLength(version) > VALUE_MAX) errors.push(tooLong(path.child("version"), VALUE_MAX));
  if (count !== 1) errors.push(invalid(path, count === 0 ? "" : attribute, "exactly one value must be specified"));
}

function checkPlace(errors: Errors, path: FieldPath, device: Device, isPlaced: boolean): void {
  const { nodeName, nodeSelector, allNodes } = device, set: string[] = [];
  if (!isPlaced) {
    if (nodeName !== undefined || nodeSelector !== undefined || allNodes !== undefined) errors.push(invalidUnshown(path, "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec"));
    return;
  }
  if (nodeName === "") errors.push(invalid(path.child("nodeName"), nodeName, "must not be empty"));
  else if (nodeName !== undefined) {
    set.push("nodeName");
    checkDnsSubdomain(errors, path.child("nodeName"), nodeName);
  }
  if (nodeSelector !== undefined) {
    set.push("nodeSelector");
    checkNodeSelector(errors, path.child("nodeSelector"), nodeSelector);
  }
  if (checkOn(errors, path.child("allNodes"), allNodes)) set.push("allNodes");
  const one = "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
  checkOneSet(errors, path, set, one, one);
}

/** Taints say since when they are there. */
function stampTaints({ spec }: ResourceSlice, now: Date): void {
  for (const device of spec?.devices ?? []) for (const taint of device.taints ?? []) taint.timeAdded ??= toTimestamp(now);
}

export const resourceSliceDefinition = defineResource<ResourceSlice>({
  reference: resourceslices,
  hasGeneration: true,
  generationChanged: (slice, old) => !semanticEqual(slice.spec, old.spec),
  allowCreateOnUpdate: true,
  notRunYet: true,
  prepareForCreate: (slice, { now }) => stampTaints(slice, now),
  prepareForUpdate: (slice, _old, { now }) => stampTaints(slice, now),
  validate: ({ spec }) => collect((errors) => checkSpec(errors, spec ?? {})),
  validateUpdate: ({ spec }, old) => collect((errors) => {
    checkImmutable(errors, SPEC.child("pool", "name"), spec?.pool?.name, old.spec?.pool?.name);
    checkImmutable(errors, SPEC.child("driver"), spec?.driver, old.spec?.driver);
    checkImmutable(errors, SPEC.child("nodeName"), spec?.nodeName, old.spec?.nodeName);
    checkSpec(errors, spec ?? {});
  }),
  columns: [
    nameColumn,
    column("Node", ({ spec }) => spec?.nodeName ?? "", { description: "The node the devices are on." }),
    column("Driver", ({ spec }) => spec?.driver ?? "", { description: "Who offers them." }),
    column("Pool", ({ spec }) => spec?.pool?.name ?? "", { description: "The pool they belong to." }),
    ageColumn,
  ],
  selectableFields: ({ spec }) => ({ "spec.nodeName": spec?.nodeName ?? "", "spec.driver": spec?.driver ?? "" }),
});

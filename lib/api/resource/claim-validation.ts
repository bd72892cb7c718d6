/** What claims of devices ask for, and what they were given. Counterpart: `ValidateResourceClaim…` in kubernetes `apis/resource/validation`. */
import { checkNodeSelector } from "../core/scheduling-validation.ts";
import { checkCsiDriverName } from "../core/volume-source-validation.ts";
import { forbiddenField, invalid, invalidUnshown, notSupported, required } from "../field-error.ts";
import { STATUS, type FieldPath } from "../field-path.ts";
import type { AllocatedDeviceStatus, AllocationResult, DeviceClaim, DeviceRequest, ExactDeviceRequest, ResourceClaimSpec, ResourceV1ResourceClaim } from "../schema/generated/models.ts";
import { checkDnsLabel, checkDnsSubdomain, checkImmutable, checkOneOf, type Errors } from "../validation/checks.ts";
import { checkConditions } from "../validation/conditions.ts";
import { LIST_MAX, checkConfiguration, checkItems, checkPoolName, checkQualifiedName, checkSelectors, checkToleration } from "./device-validation.ts";

const FIRST_AVAILABLE_MAX = 8, RESERVED_MAX = 256;
const NOT_A_REQUEST = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

function defaultRequest(request: Partial<ExactDeviceRequest>): void {
  request.allocationMode ||= "ExactCount";
  if (request.allocationMode === "ExactCount") request.count ||= 1;
  for (const toleration of request.tolerations ?? []) toleration.operator ||= "Equal";
}

export function defaultClaim(spec: ResourceClaimSpec | undefined): void {
  for (const { exactly, firstAvailable = [] } of spec?.devices?.requests ?? []) {
    if (exactly !== undefined) defaultRequest(exactly);
    for (const request of firstAvailable) defaultRequest(request);
  }
}

type RequestNames = ReadonlySet<string>;
/** `request` and `request/subrequest`. */
function requestNamesOf(claim: DeviceClaim): RequestNames {
  return new Set((claim.requests ?? []).flatMap(({ name, firstAvailable = [] }) => [name, ...firstAvailable.map((one) => `${name}/${one.name}`)]));
}

export function checkClaimSpec(errors: Errors, path: FieldPath, spec: ResourceClaimSpec | undefined): void {
  const claim = spec?.devices ?? {}, names = requestNamesOf(claim), at = path.child("devices");
  checkItems(errors, at.child("requests"), claim.requests, LIST_MAX, (request, place) => checkRequest(errors, place, request), ({ name }) => name);
  checkItems(errors, at.child("constraints"), claim.constraints, LIST_MAX, ({ requests, matchAttribute: match, distinctAttribute: distinct }, place) => {
    checkReferences(errors, place.child("requests"), requests, names);
    if (match !== undefined) checkQualifiedName(errors, place.child("matchAttribute"), match, { full: true });
    else if (distinct !== undefined) checkQualifiedName(errors, place.child("distinctAttribute"), distinct, { full: true });
    else errors.push(required(place, 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'));
  });
  checkItems(errors, at.child("config"), claim.config, LIST_MAX, ({ requests, opaque }, place) => {
    checkReferences(errors, place.child("requests"), requests, names);
    checkConfiguration(errors, place, opaque);
  });
}

function checkRequest(errors: Errors, path: FieldPath, { name, exactly, firstAvailable = [] }: DeviceRequest): void {
  const one = "exactly one of `exactly` or `firstAvailable` is required";
  checkRequestName(errors, path.child("name"), name);
  if (exactly === undefined && firstAvailable.length === 0) errors.push(required(path, one));
  else if (exactly !== undefined && firstAvailable.length > 0) errors.push(invalidUnshown(path, `${one}, but multiple fields are set`));
  else if (exactly !== undefined) checkExact(errors, path.child("exactly"), exactly);
  else {
    checkItems(errors, path.child("firstAvailable"), firstAvailable, FIRST_AVAILABLE_MAX, (request, at) => {
      checkRequestName(errors, at.child("name"), request.name);
      checkExact(errors, at, request);
    }, (request) => request.name);
  }
}

function checkRequestName(errors: Errors, path: FieldPath, name: string | undefined): void {
  if ((name ?? "") === "") errors.push(required(path));
  else checkDnsLabel(errors, path, name!);
}

function checkExact(errors: Errors, path: FieldPath, request: ExactDeviceRequest): void {
  const { deviceClassName = "", allocationMode: mode = "", count = 0 } = request as Partial<ExactDeviceRequest>;
  if (deviceClassName === "") errors.push(required(path.child("deviceClassName")));
  else checkDnsSubdomain(errors, path.child("deviceClassName"), deviceClassName);
  checkSelectors(errors, path.child("selectors"), request.selectors);
  if (mode === "All") {
    if (count !== 0) errors.push(invalid(path.child("count"), count, "must not be specified when allocationMode is 'All'"));
  } else if (mode !== "ExactCount") errors.push(notSupported(path.child("allocationMode"), mode, ["All", "ExactCount"]));
  else if (count <= 0) errors.push(invalid(path.child("count"), count, "must be greater than zero"));
  request.tolerations?.forEach((toleration, i) => checkToleration(errors, path.child("tolerations").index(i), toleration));
}

function checkReference(errors: Errors, path: FieldPath, name: string, names: RequestNames): void {
  const parts = name.split("/");
  if (parts.length <= 2) for (const part of parts) checkRequestName(errors, path, part);
  if (!names.has(name)) errors.push(invalid(path, name, NOT_A_REQUEST));
}

function checkReferences(errors: Errors, path: FieldPath, references: readonly string[] | undefined, names: RequestNames): void {
  checkItems(errors, path, references, LIST_MAX, (name, at) => checkReference(errors, at, name, names), (name) => name);
}

const deviceKey = ({ driver, pool, device, shareID = "" }: Pick<AllocatedDeviceStatus, "driver" | "pool" | "device" | "shareID">): string => `${driver}/${pool}/${device}${shareID === "" ? "" : `/${shareID}`}`;

export function checkClaimStatus(errors: Errors, claim: ResourceV1ResourceClaim, old: ResourceV1ResourceClaim): void {
  const { allocation, reservedFor = [], devices } = claim.status ?? {}, was = old.status ?? {}, path = STATUS.child("reservedFor");
  checkItems(errors, path, reservedFor, RESERVED_MAX, (consumer, at) => {
    for (const field of ["resource", "name", "uid"] as const) if ((consumer[field] ?? "") === "") errors.push(required(at.child(field)));
  }, ({ uid }) => uid);
  const allocated = new Set((allocation?.devices?.results ?? []).map(deviceKey));
  checkItems(errors, STATUS.child("devices"), devices, Infinity, (device, at) => checkDeviceStatus(errors, at, device, allocated), deviceKey);
  if (reservedFor.length > 0 && allocation === undefined) errors.push(forbiddenField(path, "may not be specified when `allocated` is not set"));
  else if (claim.metadata.deletionTimestamp !== undefined && reservedFor.some(({ uid }) => was.reservedFor?.some((consumer) => consumer.uid === uid) !== true)) {
    errors.push(forbiddenField(path, "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set"));
  }
  if (allocation === undefined) return;
  if (was.allocation !== undefined) checkImmutable(errors, STATUS.child("allocation"), allocation, was.allocation);
  else checkAllocation(errors, STATUS.child("allocation"), allocation, requestNamesOf(claim.spec?.devices ?? {}));
}

function checkDeviceStatus(errors: Errors, path: FieldPath, device: AllocatedDeviceStatus, allocated: ReadonlySet<string>): void {
  checkCsiDriverName(errors, path.child("driver"), device.driver ?? "");
  checkPoolName(errors, path.child("pool"), device.pool ?? "");
  checkRequestName(errors, path.child("device"), device.device);
  if (!allocated.has(deviceKey(device))) errors.push(invalid(path, deviceKey(device), "must be an allocated device in the claim"));
  checkConditions(errors, path.child("conditions"), device.conditions);
}

function checkAllocation(errors: Errors, path: FieldPath, { devices, nodeSelector }: AllocationResult, names: RequestNames): void {
  checkItems(errors, path.child("devices", "results"), devices?.results, LIST_MAX, (result, at) => {
    checkReference(errors, at.child("request"), result.request ?? "", names);
    checkCsiDriverName(errors, at.child("driver"), result.driver ?? "");
    checkPoolName(errors, at.child("pool"), result.pool ?? "");
    checkRequestName(errors, at.child("device"), result.device);
  });
  checkItems(errors, path.child("devices", "config"), devices?.config, 2 * LIST_MAX, (config, at) => {
    checkOneOf(errors, at.child("source"), config.source, ["FromClaim", "FromClass"]);
    checkReferences(errors, at.child("requests"), config.requests, names);
    checkConfiguration(errors, at, config.opaque);
  });
  if (nodeSelector !== undefined) checkNodeSelector(errors, path.child("nodeSelector"), nodeSelector);
}

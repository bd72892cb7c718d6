/** Nodes. Counterpart: `ValidateNode`, `ValidateNodeUpdate` in kubernetes `apis/core/validation`. */
import { duplicate, forbiddenField, internalFieldError, invalid, required } from "../field-error.ts";
import { FieldPath, METADATA, SPEC, STATUS } from "../field-path.ts";
import type { ConfigMapNodeConfigSource, Node, NodeConfigSource, Taint } from "../schema/generated/models.ts";
import { checkDnsSubdomain, checkLabelKey, checkName, checkText, type Errors } from "../validation/checks.ts";
import { checkCidr, isDualStack } from "../validation/ip.ts";
import { isConfigMapKey, isLabelValue, nameIsDnsLabel } from "../validation/names.ts";
import { checkResourceQuantity } from "./resource-requirements-validation.ts";
import { taintEffectFault } from "./scheduling-validation.ts";

export function checkNode(errors: Errors, node: Node): void {
  if (node.spec?.taints !== undefined) checkTaints(errors, METADATA.child("taints"), node.spec.taints);
  checkAmounts(errors, node);
  const cidrs = node.spec?.podCIDRs ?? [], path = SPEC.child("podCIDRs");
  cidrs.forEach((cidr, i) => checkCidr(errors, path.index(i), cidr));
  if (cidrs.length < 2) return;
  const dualStack = isDualStack(cidrs);
  if (dualStack === undefined) errors.push(internalFieldError(path, "invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR"));
  if (dualStack !== true || cidrs.length > 2) errors.push(invalid(path, cidrs, "may specify no more than one CIDR for each IP family"));
  cidrs.forEach((cidr, i) => {
    if (cidrs.indexOf(cidr) < i) errors.push(duplicate(path.index(i), cidr));
  });
}

function checkAmounts(errors: Errors, { status }: Node): void {
  for (const list of ["capacity", "allocatable"] as const) {
    for (const [name, amount] of Object.entries(status?.[list] ?? {})) checkResourceQuantity(errors, STATUS.child(list, name), name, amount);
  }
}

/** The effect is what makes taints of one key differ. */
function checkTaints(errors: Errors, path: FieldPath, taints: readonly Taint[]): void {
  const seen = new Set<string>();
  taints.forEach((taint, i) => {
    const at = path.index(i), effect = taint.effect ?? "", valueFaults = isLabelValue(taint.value ?? "");
    checkLabelKey(errors, at.child("key"), taint.key ?? "");
    if (valueFaults.length > 0) errors.push(invalid(at.child("value"), taint.value, valueFaults.join(";")));
    const fault = effect === "" ? required(at.child("effect")) : taintEffectFault(at.child("effect"), effect);
    if (fault !== undefined) errors.push(fault);
    if (seen.has(`${effect}/${taint.key}`)) {
      errors.push(duplicate(at, { Key: taint.key, Value: taint.value ?? "", Effect: effect, TimeAdded: taint.timeAdded ?? null }, "taints must be unique by key and effect pair"));
    }
    seen.add(`${effect}/${taint.key}`);
  });
}

/** Also of an update through /status. */
export function checkNodeUpdate(errors: Errors, node: Node, old: Node): void {
  const spec = node.spec ?? {}, was = old.spec ?? {}, addresses = new Set<string>();
  checkAmounts(errors, node);
  node.status?.addresses?.forEach(({ type, address }, i) => {
    if (addresses.has(`${type}/${address}`)) errors.push(duplicate(STATUS.child("addresses").index(i), { Type: type, Address: address }));
    addresses.add(`${type}/${address}`);
  });
  const oldCidrs = was.podCIDRs ?? [], cidrs = spec.podCIDRs ?? [];
  if (oldCidrs.length > 0) {
    const changes = oldCidrs.length === cidrs.length ? oldCidrs.filter((cidr, i) => cidr !== cidrs[i]).length : 1;
    for (let i = 0; i < changes; i++) errors.push(forbiddenField(SPEC.child("podCIDRs"), "node updates may not change podCIDR except from \"\" to valid"));
  }
  if ((was.providerID ?? "") !== "" && was.providerID !== spec.providerID) errors.push(forbiddenField(SPEC.child("providerID"), "node updates may not change providerID except from \"\" to valid"));
  if (spec.configSource !== undefined) checkConfigSource(errors, SPEC.child("configSource"), spec.configSource, false);
  for (const field of ["assigned", "active", "lastKnownGood"] as const) {
    const source = node.status?.config?.[field];
    if (source !== undefined) checkConfigSource(errors, STATUS.child("config", field), source, true);
  }
  if (spec.taints !== undefined) checkTaints(errors, METADATA.child("taints"), spec.taints);
  if ((spec.externalID ?? "") !== (was.externalID ?? "")) errors.push(forbiddenField(SPEC.child("externalID"), "may not be updated"));
}

/** A feature that is gone; the shape is still held to its rules. */
function checkConfigSource(errors: Errors, path: FieldPath, source: NodeConfigSource, isStatus: boolean): void {
  if (source.configMap === undefined) errors.push(invalid(path, source, "exactly one reference subfield must be non-nil"));
  else checkConfigMapSource(errors, path.child("configMap"), source.configMap, isStatus);
}
function checkConfigMapSource(errors: Errors, path: FieldPath, source: ConfigMapNodeConfigSource, isStatus: boolean): void {
  for (const field of ["uid", "resourceVersion"] as const) {
    const isSet = (source[field] ?? "") !== "";
    if (isStatus && !isSet) errors.push(required(path.child(field), `${field} must be set in status`));
    if (!isStatus && isSet) errors.push(forbiddenField(path.child(field), `${field} must not be set in spec`));
  }
  if ((source.namespace ?? "") === "") errors.push(required(path.child("namespace"), "namespace must be set"));
  else checkName(errors, path.child("namespace"), source.namespace, nameIsDnsLabel);
  if ((source.name ?? "") === "") errors.push(required(path.child("name"), "name must be set"));
  else checkDnsSubdomain(errors, path.child("name"), source.name);
  if ((source.kubeletConfigKey ?? "") === "") errors.push(required(path.child("kubeletConfigKey"), "kubeletConfigKey must be set"));
  else checkText(errors, path.child("kubeletConfigKey"), source.kubeletConfigKey, isConfigMapKey);
}

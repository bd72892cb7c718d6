/** What a kubelet may report of a pod. Counterpart: `ValidatePodStatusUpdate` in kubernetes `apis/core/validation`. */
import { duplicate, forbiddenField, internalFieldError, invalid } from "../field-error.ts";
import { METADATA, STATUS, type FieldPath } from "../field-path.ts";
import { isSidecar } from "../helpers/pod-resources.ts";
import type { ContainerStatus, Pod, PodSpec } from "../schema/generated/models.ts";
import { checkDnsSubdomain, checkImmutable, checkLabelKey, type Errors } from "../validation/checks.ts";
import { checkCanonicalIp, isDualStack } from "../validation/ip.ts";
import { isValidUserId } from "../validation/names.ts";

const OWN_CONDITIONS = new Set(["PodScheduled", "Ready", "Initialized"]);

export function checkPodStatus(errors: Errors, pod: Pod, old: Pod): void {
  const status = pod.status ?? {}, oldStatus = old.status ?? {}, spec = pod.spec ?? { containers: [] };
  status.conditions?.forEach((condition, i) => {
    if (!OWN_CONDITIONS.has(condition.type)) checkLabelKey(errors, METADATA.child("conditions").index(i).child("Type"), condition.type);
  });
  if ((spec.nodeName ?? "") !== (old.spec?.nodeName ?? "")) errors.push(forbiddenField(STATUS.child("nodeName"), "may not be changed directly"));
  const nominated = status.nominatedNodeName ?? "";
  if (nominated !== "" && nominated !== oldStatus.nominatedNodeName) checkDnsSubdomain(errors, STATUS.child("nominatedNodeName"), nominated);
  checkImmutable(errors, STATUS.child("qosClass"), status.qosClass, oldStatus.qosClass);
  checkStates(errors, STATUS.child("containerStatuses"), status.containerStatuses, oldStatus.containerStatuses, spec);
  checkStates(errors, STATUS.child("initContainerStatuses"), status.initContainerStatuses, oldStatus.initContainerStatuses, spec);
  checkStates(errors, STATUS.child("ephemeralContainerStatuses"), status.ephemeralContainerStatuses, oldStatus.ephemeralContainerStatuses, { containers: [], restartPolicy: "Never" });
  checkClaimStatuses(errors, pod);
  checkIps(errors, STATUS.child("podIPs"), status.podIPs?.map((address) => address.ip ?? ""));
  const hostIps = status.hostIPs?.map((address) => address.ip ?? "");
  if (hostIps !== undefined && hostIps.length > 0 && (status.hostIP ?? "") !== hostIps[0]) errors.push(invalid(STATUS.child("hostIPs").index(0).child("ip"), hostIps[0], "must be equal to `hostIP`"));
  checkIps(errors, STATUS.child("hostIPs"), hostIps);
  for (const list of ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] as const) checkUsers(errors, STATUS.child(list), status[list], spec.os?.name === "windows");
}

/** A container that ended and will not be restarted stays ended. */
function checkStates(errors: Errors, path: FieldPath, statuses: readonly ContainerStatus[] | undefined, old: readonly ContainerStatus[] | undefined, spec: PodSpec): void {
  if (old === undefined || spec.restartPolicy === "Always") return;
  old.forEach((was, i) => {
    const ended = was.state?.terminated;
    if (ended === undefined || (ended.exitCode !== 0 && spec.restartPolicy === "OnFailure")) return;
    const container = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].find((c) => c.name === was.name);
    if (container !== undefined && (isSidecar(container) || container.restartPolicy !== undefined || container.restartPolicyRules !== undefined)) return;
    const now = statuses?.find((status) => status.name === was.name);
    if (now !== undefined && now.state?.terminated === undefined) errors.push(forbiddenField(path.index(i).child("state"), "may not be transitioned to non-terminated state"));
  });
}

function checkClaimStatuses(errors: Errors, pod: Pod): void {
  const seen = new Set<string>(), claims = pod.spec?.resourceClaims ?? [];
  pod.status?.resourceClaimStatuses?.forEach((status, i) => {
    const at = STATUS.child("resourceClaimStatuses").index(i).child("name");
    if (!claims.some((claim) => claim.name === status.name)) errors.push(invalid(at, status.name, "must match the name of an entry in `spec.resourceClaims`"));
    if (seen.has(status.name)) errors.push(duplicate(at, status.name));
    seen.add(status.name);
    if (status.resourceClaimName !== undefined) checkDnsSubdomain(errors, at, status.resourceClaimName);
  });
}

function checkIps(errors: Errors, path: FieldPath, addresses: readonly string[] | undefined): void {
  if (addresses === undefined) return;
  addresses.forEach((address, i) => checkCanonicalIp(errors, path.index(i), address));
  if (addresses.length < 2) return;
  const shown = addresses.map((address) => ({ ip: address })), dualStack = isDualStack(addresses);
  if (dualStack === undefined) errors.push(internalFieldError(path, `failed to check for dual stack with error:invalid IP`));
  if (dualStack !== true || addresses.length > 2) errors.push(invalid(path, shown, "may specify no more than one IP for each IP family"));
  addresses.forEach((address, i) => {
    if (addresses.indexOf(address) < i) errors.push(duplicate(path.index(i), shown[i]));
  });
}

function checkUsers(errors: Errors, path: FieldPath, statuses: readonly ContainerStatus[] | undefined, isWindows: boolean): void {
  statuses?.forEach((status, i) => {
    const user = status.user?.linux, at = path.index(i).child("linux");
    if (user === undefined) return;
    if (isWindows) {
      errors.push(forbiddenField(at, "cannot be set for a windows pod"));
      return;
    }
    for (const field of ["uid", "gid"] as const) for (const fault of isValidUserId(user[field])) errors.push(invalid(at.child(field), user[field], fault));
    user.supplementalGroups?.forEach((id, j) => {
      for (const fault of isValidUserId(id)) errors.push(invalid(at.child("supplementalGroups").index(j), id, fault));
    });
  });
}

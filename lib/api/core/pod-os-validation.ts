/** What a pod may not ask for on the operating system it names. Counterpart: `validateLinux`, `validateWindows`, `validateWindowsHostProcessPod` in kubernetes `apis/core/validation`. */
import { forbiddenField, invalid } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import type { Container, EphemeralContainer, PodSpec } from "../schema/generated/models.ts";
import type { Errors } from "../validation/checks.ts";

const LISTS = ["initContainers", "containers", "ephemeralContainers"] as const;

/** Visits every container of a pod with its place. */
export function visitContainers(spec: PodSpec, path: FieldPath, visit: (container: Container | EphemeralContainer, path: FieldPath) => void): void {
  for (const list of LISTS) spec[list]?.forEach((container: Container | EphemeralContainer, i: number) => visit(container, path.child(list).index(i)));
}

const WINDOWS_POD = ["hostUsers", "hostPID", "hostIPC", "shareProcessNamespace"] as const;
const WINDOWS_POD_CONTEXT = [
  "appArmorProfile", "seLinuxOptions", "seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls", "runAsUser", "runAsGroup", "supplementalGroups", "supplementalGroupsPolicy", "seLinuxChangePolicy",
] as const;
const WINDOWS_CONTAINER = ["appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "readOnlyRootFilesystem", "privileged", "allowPrivilegeEscalation", "procMount", "runAsUser", "runAsGroup"] as const;

export function checkForOs(errors: Errors, path: FieldPath, spec: PodSpec, os: "linux" | "windows"): void {
  const at = path.child("securityContext"), context = spec.securityContext ?? {};
  if (os === "linux") {
    const why = "windows options cannot be set for a linux pod";
    if (context.windowsOptions !== undefined) errors.push(forbiddenField(at.child("windowsOptions"), why));
    visitContainers(spec, path, (container, containerPath) => {
      if (container.securityContext?.windowsOptions !== undefined) errors.push(forbiddenField(containerPath.child("securityContext", "windowsOptions"), why));
    });
    return;
  }
  const why = "cannot be set for a windows pod";
  for (const field of WINDOWS_POD_CONTEXT) if (context[field] !== undefined) errors.push(forbiddenField(at.child(field), why));
  for (const field of WINDOWS_POD) if (spec[field] !== undefined && (spec[field] || field === "hostUsers" || field === "shareProcessNamespace")) errors.push(forbiddenField(path.child(field), why));
  visitContainers(spec, path, (container, containerPath) => {
    for (const field of WINDOWS_CONTAINER) if (container.securityContext?.[field] !== undefined) errors.push(forbiddenField(containerPath.child("securityContext", field), why));
  });
}

/** Windows host processes: all containers of a pod or none, and on the host's network. */
export function checkHostProcess(errors: Errors, path: FieldPath, spec: PodSpec): void {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  let containers = 0, hostProcesses = 0;
  for (const list of LISTS) {
    const all: readonly (Container | EphemeralContainer)[] | undefined = spec[list];
    if (all === undefined) continue;
    for (let i = 0; i < all.length; i++) {
      containers++;
      const own = all[i]!.securityContext?.windowsOptions?.hostProcess;
      if (ofPod !== undefined && own !== undefined && ofPod !== own) {
        errors.push(invalid(path.child(list).index(i).child("securityContext", "windowsOptions", "hostProcess"), own, `pod hostProcess value must be identical if both are specified, was ${ofPod}`));
      }
      if (own ?? ofPod ?? false) hostProcesses++;
    }
  }
  if (hostProcesses === 0) return;
  if (hostProcesses !== containers) errors.push(invalid(path, "", "If pod contains any hostProcess containers then all containers must be HostProcess containers"));
  if (spec.hostNetwork !== true) errors.push(invalid(path.child("hostNetwork"), false, "hostNetwork must be true if pod contains any hostProcess containers"));
}

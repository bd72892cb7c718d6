/** Security contexts of containers and pods. Counterpart: `ValidateSecurityContext`, `validatePodSpecSecurityContext` in kubernetes `apis/core/validation`. */
import { duplicate, invalid, notSupported, required, tooLong } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import type { AppArmorProfile, PodSecurityContext, PodSpec, SeccompProfile, SecurityContext, Sysctl, WindowsSecurityContextOptions } from "../schema/generated/models.ts";
import { checkDnsSubdomain, checkLocalDescendingPath, checkOptionalOneOf, type Errors } from "../validation/checks.ts";
import { byteLength, isValidUserId } from "../validation/names.ts";

const PROFILE_TYPES = ["Localhost", "RuntimeDefault", "Unconfined"];
const PATH_BYTES_MAX = 4095;
const SYSCTL_MAX = 253;
const SYSCTL_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const SYSCTL = `^(${SYSCTL_SEGMENT}[\\./])*${SYSCTL_SEGMENT}$`;
const sysctlRegexp = new RegExp(SYSCTL);

function checkIds(errors: Errors, path: FieldPath, context: Readonly<Partial<Record<"runAsUser" | "runAsGroup" | "fsGroup", number | undefined>>>): void {
  for (const field of ["fsGroup", "runAsUser", "runAsGroup"] as const) {
    const id = context[field];
    if (id !== undefined) for (const fault of isValidUserId(id)) errors.push(invalid(path.child(field), id, fault));
  }
}

export function checkSecurityContext(errors: Errors, path: FieldPath, context: SecurityContext, sharesHostUsers: boolean): void {
  checkIds(errors, path, context);
  if (context.procMount !== undefined) {
    checkOptionalOneOf(errors, path.child("procMount"), context.procMount, ["Default", "Unmasked"]);
    if (sharesHostUsers && context.procMount === "Unmasked") errors.push(invalid(path.child("procMount"), context.procMount, "`hostUsers` must be false to use `Unmasked`"));
  }
  if (context.seccompProfile !== undefined) checkSeccomp(errors, path.child("seccompProfile"), context.seccompProfile);
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged === true) errors.push(invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"));
    if (context.capabilities?.add?.includes("CAP_SYS_ADMIN") === true) errors.push(invalid(path, context, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"));
  }
  if (context.windowsOptions !== undefined) checkWindowsOptions(errors, path.child("windowsOptions"), context.windowsOptions);
  if (context.appArmorProfile !== undefined) checkAppArmor(errors, path.child("appArmorProfile"), context.appArmorProfile);
}

export function checkPodSecurityContext(errors: Errors, path: FieldPath, context: PodSecurityContext, spec: PodSpec): void {
  checkIds(errors, path, context);
  context.supplementalGroups?.forEach((id, i) => {
    for (const fault of isValidUserId(id)) errors.push(invalid(path.child("supplementalGroups").index(i), id, fault));
  });
  if (spec.shareProcessNamespace === true && spec.hostPID === true) errors.push(invalid(path.child("shareProcessNamespace"), true, "ShareProcessNamespace and HostPID cannot both be enabled"));
  if (context.sysctls !== undefined) checkSysctls(errors, path.child("sysctls"), context.sysctls, spec);
  checkOptionalOneOf(errors, path.child("fsGroupChangePolicy"), context.fsGroupChangePolicy, ["Always", "OnRootMismatch"]);
  if (context.seccompProfile !== undefined) checkSeccomp(errors, path.child("seccompProfile"), context.seccompProfile);
  if (context.windowsOptions !== undefined) checkWindowsOptions(errors, path.child("windowsOptions"), context.windowsOptions);
  if (context.appArmorProfile !== undefined) checkAppArmor(errors, path.child("appArmorProfile"), context.appArmorProfile);
  checkOptionalOneOf(errors, path.child("supplementalGroupsPolicy"), context.supplementalGroupsPolicy, ["Merge", "Strict"]);
  checkOptionalOneOf(errors, path.child("seLinuxChangePolicy"), context.seLinuxChangePolicy, ["MountOption", "Recursive"]);
}

const IPC_SYSCTLS = /^kernel[./](shm|msg|sem)|^fs[./]mqueue[./]/;
const NET_SYSCTLS = /^net[./]/;
function checkSysctls(errors: Errors, path: FieldPath, sysctls: readonly Sysctl[], spec: PodSpec): void {
  const names = new Set<string>();
  sysctls.forEach((sysctl, i) => {
    const at = path.index(i).child("name"), name = sysctl.name ?? "";
    if (name === "") errors.push(required(at));
    else if (name.length > SYSCTL_MAX || !sysctlRegexp.test(name)) errors.push(invalid(at, name, `must have at most ${SYSCTL_MAX} characters and match regex ${SYSCTL}`));
    else if (names.has(name)) errors.push(duplicate(at, name));
    if (spec.hostNetwork === true && NET_SYSCTLS.test(name)) errors.push(invalid(at, name, "may not be specified when 'hostNetwork' is true"));
    else if (spec.hostIPC === true && IPC_SYSCTLS.test(name)) errors.push(invalid(at, name, "may not be specified when 'hostIPC' is true"));
    names.add(name);
  });
}

function checkSeccomp(errors: Errors, path: FieldPath, profile: SeccompProfile): void {
  if ((profile.type ?? "") === "") errors.push(required(path.child("type"), "type is required when seccompProfile is set"));
  else if (!PROFILE_TYPES.includes(profile.type)) errors.push(notSupported(path.child("type"), profile.type, PROFILE_TYPES));
  if (profile.type === "Localhost") {
    if (profile.localhostProfile === undefined) errors.push(required(path.child("localhostProfile"), "must be set when seccomp type is Localhost"));
    else checkLocalDescendingPath(errors, path.child("localhostProfile"), profile.localhostProfile);
  } else if (profile.localhostProfile !== undefined) errors.push(invalid(path.child("localhostProfile"), profile, "can only be set when seccomp type is Localhost"));
}

function checkAppArmor(errors: Errors, path: FieldPath, profile: AppArmorProfile): void {
  const at = path.child("localhostProfile"), name = profile.localhostProfile;
  if ((profile.type ?? "") === "") errors.push(required(path.child("type"), "type is required when appArmorProfile is set"));
  else if (!PROFILE_TYPES.includes(profile.type)) errors.push(notSupported(path.child("type"), profile.type, PROFILE_TYPES));
  else if (profile.type !== "Localhost") {
    if (name !== undefined) errors.push(invalid(at, name, "can only be set when AppArmor type is Localhost"));
  } else if (name === undefined || name === "") errors.push(required(at, "must be set when AppArmor type is Localhost"));
  else {
    if (name.trim() !== name) errors.push(invalid(at, name, "must not be padded with whitespace"));
    if (byteLength(name) > PATH_BYTES_MAX) errors.push(tooLong(at, PATH_BYTES_MAX));
  }
}

const CREDENTIAL_BYTES_MAX = 64 * 1024;
const netBiosRegexp = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const domainRegexp = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;

function checkWindowsOptions(errors: Errors, path: FieldPath, options: WindowsSecurityContextOptions): void {
  const { gmsaCredentialSpecName: specName, gmsaCredentialSpec: credential, runAsUserName } = options;
  if (specName !== undefined) checkDnsSubdomain(errors, path.child("gmsaCredentialSpecName"), specName);
  if (credential !== undefined) {
    const at = path.child("gmsaCredentialSpec");
    if (credential === "") errors.push(invalid(at, credential, "gmsaCredentialSpec cannot be an empty string"));
    else if (byteLength(credential) > CREDENTIAL_BYTES_MAX) errors.push(invalid(at, credential, "gmsaCredentialSpec size must be under 64 KiB"));
  }
  if (runAsUserName !== undefined) for (const fault of windowsUserFaults(runAsUserName)) errors.push(invalid(path.child("runAsUserName"), runAsUserName, fault));
}

function windowsUserFaults(name: string): string[] {
  if (name === "") return ["runAsUserName cannot be an empty string"];
  if (/\p{Cc}/u.test(name)) return ["runAsUserName cannot contain control characters"];
  const parts = name.split("\\");
  if (parts.length > 2) return ["runAsUserName cannot contain more than one backslash"];
  const user = parts.at(-1)!, domain = parts.length === 2 ? parts[0]! : undefined, faults: string[] = [];
  if (domain !== undefined && domain.length >= 256) faults.push("runAsUserName's Domain length must be under 256 characters");
  if (domain !== undefined && !netBiosRegexp.test(domain) && !domainRegexp.test(domain)) faults.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  if (user === "") faults.push("runAsUserName's User cannot be empty");
  else if (user.length > 104) faults.push("runAsUserName's User length must not be longer than 104 characters");
  if (/^[. ]+$/.test(user)) faults.push("runAsUserName's User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) faults.push("runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]");
  return faults;
}

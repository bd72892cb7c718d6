/** What the restricted level demands beyond baseline: hardening. Source: Pod Security Standards; counterpart: pod-security-admission `policy/check_*.go`. */
import type { Volume } from "../../../api/schema/generated/models.ts";
import { allContainers, type AnyContainer, type Check, containersText, perContainer, quoted, sortedUnique } from "./containers.ts";

const VOLUMES = new Set(["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret", "image"]);

const allowPrivilegeEscalation = perContainer("allowPrivilegeEscalation != false", (container) => container.securityContext?.allowPrivilegeEscalation !== false,
  (containers) => `${containers} must set securityContext.allowPrivilegeEscalation=false`);

const addedOf = (container: AnyContainer): string[] => (container.securityContext?.capabilities?.add ?? []).filter((each) => each !== "NET_BIND_SERVICE");
const capabilities: Check = (spec) => {
  const all = allContainers(spec), found: string[] = [];
  const undropped = all.filter((container) => !(container.securityContext?.capabilities?.drop ?? []).includes("ALL")), adding = all.filter((container) => addedOf(container).length > 0);
  if (undropped.length > 0) found.push(`${containersText(undropped)} must set securityContext.capabilities.drop=["ALL"]`);
  if (adding.length > 0) found.push(`${containersText(adding)} must not include ${quoted(sortedUnique(adding.flatMap(addedOf)))} in securityContext.capabilities.add`);
  return found.length === 0 ? undefined : { reason: "unrestricted capabilities", detail: found.join("; ") };
};

const kindOf = (volume: Volume): string => Object.keys(volume).find((field) => field !== "name" && volume[field as keyof Volume] !== undefined) ?? "unknown";
const volumes: Check = (spec) => {
  const bad = (spec.volumes ?? []).filter((volume) => !VOLUMES.has(kindOf(volume))), kinds = sortedUnique(bad.map(kindOf));
  if (bad.length === 0) return undefined;
  return { reason: "restricted volume types", detail: `${bad.length === 1 ? "volume" : "volumes"} ${quoted(bad.map((volume) => volume.name))} ${bad.length === 1 ? "uses" : "use"} restricted volume ${kinds.length === 1 ? "type" : "types"} ${quoted(kinds)}` };
};

const runAsNonRoot: Check = (spec) => {
  const all = allContainers(spec), ofPod = spec.securityContext?.runAsNonRoot, found: string[] = [];
  const explicit = all.filter((container) => container.securityContext?.runAsNonRoot === false), silent = all.filter((container) => container.securityContext?.runAsNonRoot === undefined);
  if (explicit.length > 0 || ofPod === false) found.push(`${[...(ofPod === false ? ["pod"] : []), ...(explicit.length > 0 ? [containersText(explicit)] : [])].join(" and ")} must not set securityContext.runAsNonRoot=false`);
  else if (ofPod !== true && silent.length > 0) found.push(`pod or ${containersText(silent)} must set securityContext.runAsNonRoot=true`);
  return found.length === 0 ? undefined : { reason: "runAsNonRoot != true", detail: found.join(" and ") };
};

const runAsUser: Check = (spec) => {
  const bad = allContainers(spec).filter((container) => container.securityContext?.runAsUser === 0), who = [...(spec.securityContext?.runAsUser === 0 ? ["pod"] : []), ...(bad.length > 0 ? [containersText(bad)] : [])];
  return who.length === 0 ? undefined : { reason: "runAsUser=0", detail: `${who.join(" and ")} must not set runAsUser=0` };
};

const isConfined = (type: string | undefined): boolean => type === "RuntimeDefault" || type === "Localhost";
const seccomp: Check = (spec) => {
  const all = allContainers(spec), ofPod = spec.securityContext?.seccompProfile?.type, typeOf = (container: AnyContainer): string | undefined => container.securityContext?.seccompProfile?.type;
  const explicit = all.filter((container) => typeOf(container) !== undefined && !isConfined(typeOf(container))), silent = all.filter((container) => typeOf(container) === undefined);
  const badPod = ofPod !== undefined && !isConfined(ofPod);
  if (explicit.length > 0 || badPod) {
    const types = sortedUnique([...(badPod ? [ofPod] : []), ...explicit.map((container) => typeOf(container)!)]), who = [...(badPod ? ["pod"] : []), ...(explicit.length > 0 ? [containersText(explicit)] : [])];
    return { reason: "seccompProfile", detail: `${who.join(" and ")} must not set securityContext.seccompProfile.type to ${quoted(types)}` };
  }
  if (ofPod !== undefined || silent.length === 0) return undefined;
  return { reason: "seccompProfile", detail: `pod or ${containersText(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"` };
};

/** In upstream's order. Capabilities and seccomp replace baseline's milder checks of the same. */
export const RESTRICTED_CHECKS: readonly Check[] = [allowPrivilegeEscalation, capabilities, volumes, runAsNonRoot, runAsUser, seccomp];

/** Annotations that mean something to pods: mirror pods, deletion cost, the old seccomp and AppArmor keys. Counterpart: kubernetes `apis/core/validation`. */
import { forbiddenField, invalid, type FieldError } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import type { ObjectMeta, PodSpec, SeccompProfile, AppArmorProfile } from "../schema/generated/models.ts";
import { checkLocalDescendingPath, type Errors } from "../validation/checks.ts";
import { visitContainers } from "./pod-os-validation.ts";

export const MIRROR_POD = "kubernetes.io/config.mirror";
const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";
const SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/";
const APPARMOR = "container.apparmor.security.beta.kubernetes.io/";

type Annotations = Readonly<Record<string, string>>;

export function checkPodAnnotations(errors: Errors, path: FieldPath, annotations: Annotations | undefined, spec: PodSpec): void {
  if (annotations === undefined) return;
  const mirror = annotations[MIRROR_POD], cost = annotations[DELETION_COST];
  if (mirror !== undefined && (spec.nodeName ?? "") === "") errors.push(invalid(path.key(MIRROR_POD), mirror, "must set spec.nodeName if mirror pod annotation is set"));
  if (cost !== undefined && !isInt32(cost)) errors.push(invalid(path.key(DELETION_COST), cost, "must be a 32bit integer"));
  for (const key in annotations) {
    const value = annotations[key]!;
    if (key === SECCOMP_POD || key.startsWith(SECCOMP_CONTAINER)) checkSeccompProfile(errors, path.child(key), value);
    else if (key.startsWith(APPARMOR)) checkAppArmorAnnotation(errors, path.key(key), key.slice(APPARMOR.length), value, spec);
  }
}

/** As Go's reader of numbers takes it, and without a sign or zeroes in front. */
function isInt32(text: string): boolean {
  return /^(0|-?[1-9]\d{0,9})$/.test(text) && Number(text) === Math.trunc(Number(text)) && Math.abs(Number(text)) <= 2 ** 31 - (text.startsWith("-") ? 0 : 1);
}

function checkSeccompProfile(errors: Errors, path: FieldPath, profile: string): void {
  if (profile === "runtime/default" || profile === "docker/default" || profile === "unconfined") return;
  if (profile.startsWith("localhost/")) checkLocalDescendingPath(errors, path, profile.slice("localhost/".length));
  else errors.push(invalid(path, profile, "must be a valid seccomp profile"));
}

function checkAppArmorAnnotation(errors: Errors, path: FieldPath, containerName: string, profile: string, spec: PodSpec): void {
  let found = false;
  visitContainers(spec, path, (container) => (found ||= container.name === containerName));
  if (!found) errors.push(invalid(path, containerName, "container not found"));
  if (profile !== "" && profile !== "runtime/default" && profile !== "unconfined" && !profile.startsWith("localhost/")) errors.push(invalid(path, profile, `invalid AppArmor profile name: ${JSON.stringify(profile)}`));
}

/** Annotations that may be neither changed, added nor taken away. */
export function checkPodAnnotationUpdate(errors: Errors, path: FieldPath, annotations: Annotations = {}, old: Annotations = {}): void {
  for (const key in old) {
    if (annotations[key] === old[key]) continue;
    if (key.startsWith(APPARMOR)) errors.push(forbiddenField(path.key(key), "may not remove or update AppArmor annotations"));
    if (key === MIRROR_POD) errors.push(forbiddenField(path.key(key), "may not remove or update mirror pod annotation"));
  }
  for (const key in annotations) {
    if (key in old) continue;
    if (key.startsWith(APPARMOR)) errors.push(forbiddenField(path.key(key), "may not add AppArmor annotations"));
    if (key === MIRROR_POD) errors.push(forbiddenField(path.key(key), "may not add mirror pod annotation"));
  }
}

const SECCOMP_VALUES: Readonly<Record<string, readonly string[]>> = { Unconfined: ["unconfined"], RuntimeDefault: ["runtime/default", "docker/default"] };
const APPARMOR_VALUES: Readonly<Record<string, readonly string[]>> = { Unconfined: ["unconfined"], RuntimeDefault: ["runtime/default"] };

function profileMismatch(path: FieldPath, annotation: string, profile: SeccompProfile | AppArmorProfile, values: Readonly<Record<string, readonly string[]>>, noun: string): FieldError | undefined {
  const typeWrong = `${noun} type in annotation and field must match`;
  if (profile.type !== "Localhost") return values[profile.type]?.includes(annotation) === false ? forbiddenField(path.child("type"), typeWrong) : undefined;
  if (!annotation.startsWith("localhost/")) return forbiddenField(path.child("type"), typeWrong);
  return annotation.slice("localhost/".length) === profile.localhostProfile ? undefined : forbiddenField(path.child("localhostProfile"), `${noun} profile in annotation and field must match`);
}

/** Where a profile is given both ways, both must say the same. `path`: the spec's. */
export function checkProfilesMatch(errors: Errors, path: FieldPath, meta: ObjectMeta | undefined, spec: PodSpec): void {
  const annotations = meta?.annotations;
  if (annotations === undefined || !Object.keys(annotations).some((key) => key === SECCOMP_POD || key.startsWith(SECCOMP_CONTAINER) || key.startsWith(APPARMOR))) return;
  const push = (error: FieldError | undefined): void => void (error !== undefined && errors.push(error));
  const podSeccomp = spec.securityContext?.seccompProfile, podAnnotation = annotations[SECCOMP_POD];
  if (podSeccomp !== undefined && podAnnotation !== undefined) push(profileMismatch(path.child("securityContext", "seccompProfile"), podAnnotation, podSeccomp, SECCOMP_VALUES, "seccomp"));
  visitContainers(spec, path, (container, containerPath) => {
    const seccomp = container.securityContext?.seccompProfile, annotation = annotations[SECCOMP_CONTAINER + container.name];
    if (seccomp !== undefined && annotation !== undefined) push(profileMismatch(containerPath.child("securityContext", "seccompProfile"), annotation, seccomp, SECCOMP_VALUES, "seccomp"));
  });
  if (spec.os?.name === "windows") return;
  visitContainers(spec, path, (container, containerPath) => {
    const appArmor = container.securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile, annotation = annotations[APPARMOR + container.name];
    if (appArmor !== undefined && annotation !== undefined) push(profileMismatch(containerPath.child("securityContext", "appArmorProfile"), annotation, appArmor, APPARMOR_VALUES, "apparmor"));
  });
}

/** A token of a service account needs one. */
export function checkTokenNeedsAccount(errors: Errors, path: FieldPath, spec: PodSpec): void {
  if ((spec.serviceAccountName ?? "") !== "" || spec.volumes === undefined) return;
  spec.volumes.forEach((volume, i) => volume.projected?.sources?.forEach((source, j) => {
    if (source.serviceAccountToken === undefined) return;
    errors.push(forbiddenField(path.child("volumes").index(i).child("projected", "sources").index(j).child("serviceAccountToken"), "must not be specified when serviceAccountName is not set"));
  }));
}

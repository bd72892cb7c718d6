/** Persistent volumes. Counterpart: `ValidatePersistentVolume` and siblings in kubernetes `apis/core/validation`. */
import path from "node:path";
import { forbiddenField, invalid, notSupported, required } from "../field-error.ts";
import { FieldPath, SPEC } from "../field-path.ts";
import type { PersistentVolume, PersistentVolumeSpec, Volume, VolumeNodeAffinity } from "../schema/generated/models.ts";
import { describeDifference, semanticEqual } from "../semantic-equal.ts";
import { checkDnsSubdomain, checkImmutable, checkOptionalOneOf, checkPositiveQuantity, IMMUTABLE, type Errors } from "../validation/checks.ts";
import { checkAccessModes, checkBasicQuantity, VOLUME_MODES } from "./persistent-volume-claim-validation.ts";
import { checkNodeSelector } from "./scheduling-validation.ts";
import { checkPersistentSource, SOURCE_CHECKS } from "./volume-source-validation.ts";

const SOURCES = [
  "hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd", "quobyte", "cephfs", "iscsi", "cinder", "fc", "flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk",
  "portworxVolume", "azureDisk", "scaleIO", "local", "storageos", "csi",
] as const;

export function checkVolumeSpec(errors: Errors, volume: PersistentVolume): void {
  const spec = volume.spec ?? {}, modes = spec.accessModes ?? [];
  if (modes.length === 0) errors.push(required(SPEC.child("accessModes")));
  checkAccessModes(errors, SPEC.child("accessModes"), modes);
  checkCapacity(errors, spec.capacity ?? {});
  checkOptionalOneOf(errors, SPEC.child("persistentVolumeReclaimPolicy"), spec.persistentVolumeReclaimPolicy, ["Delete", "Recycle", "Retain"]);
  if (spec.nodeAffinity !== undefined) {
    if (spec.nodeAffinity.required === undefined) errors.push(required(SPEC.child("nodeAffinity", "required"), "must specify required node constraints"));
    else checkNodeSelector(errors, SPEC.child("nodeAffinity", "required"), spec.nodeAffinity.required);
  }
  checkSources(errors, volume, spec);
  if (spec.hostPath !== undefined && path.posix.normalize(spec.hostPath.path ?? "") === "/" && spec.persistentVolumeReclaimPolicy === "Recycle") {
    errors.push(forbiddenField(SPEC.child("persistentVolumeReclaimPolicy"), "may not be 'recycle' for a hostPath mount of '/'"));
  }
  if ((spec.storageClassName ?? "") !== "") checkDnsSubdomain(errors, SPEC.child("storageClassName"), spec.storageClassName!);
  checkOptionalOneOf(errors, SPEC.child("volumeMode"), spec.volumeMode, VOLUME_MODES);
  const attributes = spec.volumeAttributesClassName;
  if (attributes === undefined) return;
  if (attributes === "") errors.push(required(SPEC.child("volumeAttributesClassName"), "an empty string is disallowed"));
  else checkDnsSubdomain(errors, SPEC.child("volumeAttributesClassName"), attributes);
  if (spec.csi === undefined) errors.push(required(SPEC.child("csi"), "has to be specified when using volumeAttributesClassName"));
}

function checkCapacity(errors: Errors, capacity: Readonly<Record<string, string>>): void {
  const at = SPEC.child("capacity"), names = Object.keys(capacity);
  if (names.length === 0) errors.push(required(at));
  if (capacity["storage"] === undefined || names.length > 1) errors.push(notSupported(at, capacity, ["storage"]));
  for (const name of names) {
    checkBasicQuantity(errors, at.key(name), capacity[name]!);
    checkPositiveQuantity(errors, at.key(name), capacity[name]!);
  }
}

function checkSources(errors: Errors, volume: PersistentVolume, spec: PersistentVolumeSpec): void {
  let sources = 0;
  for (const kind of SOURCES) {
    if (spec[kind] === undefined) continue;
    if (sources++ > 0) errors.push(forbiddenField(SPEC.child(kind), "may not specify more than 1 volume type"));
    else if (!checkPersistentSource(errors, SPEC.child(kind), spec, kind)) {
      SOURCE_CHECKS[kind as keyof typeof SOURCE_CHECKS](errors, SPEC.child(kind), { ...spec, name: volume.metadata.name ?? "" } as unknown as Volume, SPEC);
    }
    if (kind === "local" && spec.nodeAffinity === undefined) errors.push(required(SPEC.child("nodeAffinity"), "Local volume requires node affinity"));
  }
  if (sources === 0) errors.push(required(SPEC, "must specify a volume type"));
}

const sourceOf = (spec: PersistentVolumeSpec): object => Object.fromEntries(SOURCES.filter((kind) => spec[kind] !== undefined).map((kind) => [kind, spec[kind]]));

const GA_LABELS: Readonly<Record<string, string>> = {
  "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region", "beta.kubernetes.io/os": "kubernetes.io/os",
  "beta.kubernetes.io/arch": "kubernetes.io/arch", "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
};
/** With the old labels replaced by the ones they became. */
const modern = (affinity: VolumeNodeAffinity | undefined): unknown =>
  (affinity === undefined ? undefined : JSON.parse(JSON.stringify(affinity), (key, value: unknown) => (key === "key" && typeof value === "string" ? (GA_LABELS[value] ?? value) : value)));

export function checkVolumeUpdate(errors: Errors, volume: PersistentVolume, old: PersistentVolume): void {
  const spec = volume.spec ?? {}, was = old.spec ?? {};
  const compared = was.csi !== undefined && was.csi.controllerExpandSecretRef === undefined && spec.csi !== undefined ? { ...spec, csi: { ...spec.csi, controllerExpandSecretRef: undefined } } : spec;
  if (!semanticEqual(sourceOf(compared), sourceOf(was))) {
    errors.push(forbiddenField(SPEC.child("persistentvolumesource"), `spec.persistentvolumesource is immutable after creation\n${describeDifference(sourceOf(was), sourceOf(compared), "spec")}`));
  }
  checkImmutable(errors, FieldPath.of("volumeMode"), spec.volumeMode, was.volumeMode);
  if (was.nodeAffinity !== undefined && !semanticEqual(modern(spec.nodeAffinity), modern(was.nodeAffinity))) errors.push(invalid(FieldPath.of("nodeAffinity"), spec.nodeAffinity, `${IMMUTABLE}, except for updating from beta label to GA`));
  if (was.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined) errors.push(forbiddenField(SPEC.child("volumeAttributesClassName"), "update from non-nil value to nil is forbidden"));
}

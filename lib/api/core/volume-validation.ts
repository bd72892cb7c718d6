/** Volumes of a pod. Counterpart: `ValidateVolumes`, `validateVolumeSource` in kubernetes `apis/core/validation`. */
import { duplicate, forbiddenField, invalid, required } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { compareQuantity } from "../quantity.ts";
import type { DownwardAPIVolumeFile, KeyToPath, ObjectMeta, PodSpec, ProjectedVolumeSource, Volume, VolumeProjection } from "../schema/generated/models.ts";
import { checkDnsLabel, checkFileMode, checkLocalNonReservedPath, checkOneOf, type Errors } from "../validation/checks.ts";
import { checkLabelSelector } from "../validation/labels.ts";
import { checkTemplateObjectMeta } from "../validation/object-meta.ts";
import { nameIsDnsSubdomain } from "../validation/names.ts";
import { checkFieldRef, checkResourceFieldRef, VOLUME_FIELDS } from "./env-validation.ts";
import { checkClaimSpec } from "./persistent-volume-claim-validation.ts";
import { SOURCE_CHECKS, type SourceKind } from "./volume-source-validation.ts";

export interface VolumeRules {
  /** The pod itself; absent for a template, whose name is not yet known. */
  readonly podMeta: ObjectMeta | undefined;
  readonly isPod: boolean;
}
const MORE_THAN_ONE = "may not specify more than 1 volume type";
/** Of several sources all but the first in upstream's order are told off. */
const SOURCE_ORDER: readonly SourceKind[] = [
  "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi", "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte",
  "downwardAPI", "fc", "flexVolume", "configMap", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume", "azureDisk", "storageos", "projected", "scaleIO", "csi", "ephemeral", "image",
];

/** Returns the well-formed volumes by name. */
export function checkVolumes(errors: Errors, path: FieldPath, spec: PodSpec, rules: VolumeRules): Map<string, Volume> {
  const volumes = spec.volumes ?? [], found = new Map<string, Volume>();
  const podName = rules.podMeta?.name ?? "";
  const createdClaims = podName === "" ? [] : volumes.filter((volume) => volume.ephemeral !== undefined).map((volume) => `${podName}-${volume.name}`);
  for (let i = 0; i < volumes.length; i++) {
    const volume = volumes[i]!, at = path.index(i), before = errors.length;
    checkSource(errors, at, volume, rules);
    if ((volume.name ?? "") === "") errors.push(required(at.child("name")));
    else checkDnsLabel(errors, at.child("name"), volume.name);
    if (found.has(volume.name)) errors.push(duplicate(at.child("name"), volume.name));
    if (errors.length === before) found.set(volume.name, volume);
    const claim = volume.persistentVolumeClaim?.claimName;
    if (claim !== undefined && createdClaims.includes(claim)) errors.push(invalid(at.child("persistentVolumeClaim", "claimName"), claim, "must not reference a PVC that gets created for an ephemeral volume"));
  }
  return found;
}

function checkSource(errors: Errors, path: FieldPath, volume: Volume, rules: VolumeRules): void {
  const kinds: SourceKind[] = [];
  for (const key in volume) if (key !== "name" && volume[key as SourceKind] !== undefined) kinds.push(key as SourceKind);
  if (kinds.length > 1) kinds.sort((a, b) => SOURCE_ORDER.indexOf(a) - SOURCE_ORDER.indexOf(b));
  for (const [i, kind] of kinds.entries()) {
    if (i > 0) errors.push(forbiddenField(path.child(kind), MORE_THAN_ONE));
    else checkOneSource(errors, path, volume, kind, rules);
  }
  if (kinds.length === 0) errors.push(required(path, "must specify a volume type"));
}

type OwnCheck = (errors: Errors, at: FieldPath, volume: Volume, path: FieldPath, rules: VolumeRules) => void;
/** The sources that need no storage of their own, or that look at the pod. */
const OWN_CHECKS: Readonly<Partial<Record<SourceKind, OwnCheck>>> = {
  emptyDir: (errors, at, volume) => {
    const limit = volume.emptyDir?.sizeLimit;
    if (limit !== undefined && compareQuantity(limit, "0") < 0) errors.push(forbiddenField(at.child("sizeLimit"), "SizeLimit field must be a valid resource quantity"));
  },
  secret: (errors, at, volume) => {
    if ((volume.secret!.secretName ?? "") === "") errors.push(required(at.child("secretName")));
    checkItems(errors, at, volume.secret!);
  },
  configMap: (errors, at, volume) => {
    if ((volume.configMap!.name ?? "") === "") errors.push(required(at.child("name")));
    checkItems(errors, at, volume.configMap!);
  },
  downwardAPI: (errors, at, volume) => {
    checkFileMode(errors, at.child("defaultMode"), volume.downwardAPI!.defaultMode);
    for (const file of volume.downwardAPI!.items ?? []) checkDownwardFile(errors, at, file);
  },
  projected: (errors, at, volume) => checkProjected(errors, at, volume.projected!),
  ephemeral: (errors, _at, volume, path, rules) => checkEphemeral(errors, path, volume, rules),
  image: (errors, at, volume, _path, rules) => {
    if (rules.isPod && (volume.image!.reference ?? "") === "") errors.push(required(at.child("reference")));
    checkOneOf(errors, at.child("pullPolicy"), volume.image!.pullPolicy, ["Always", "IfNotPresent", "Never"]);
  },
};

function checkOneSource(errors: Errors, path: FieldPath, volume: Volume, kind: SourceKind, rules: VolumeRules): void {
  const own = OWN_CHECKS[kind];
  if (own !== undefined) own(errors, path.child(kind), volume, path, rules);
  else SOURCE_CHECKS[kind as keyof typeof SOURCE_CHECKS](errors, path.child(kind), volume, path);
}

function checkItems(errors: Errors, path: FieldPath, source: { defaultMode?: number | undefined; items?: KeyToPath[] | undefined }): void {
  checkFileMode(errors, path.child("defaultMode"), source.defaultMode);
  source.items?.forEach((item, i) => checkKeyToPath(errors, path.child("items").index(i), item));
}
function checkKeyToPath(errors: Errors, path: FieldPath, item: KeyToPath): void {
  if ((item.key ?? "") === "") errors.push(required(path.child("key")));
  if ((item.path ?? "") === "") errors.push(required(path.child("path")));
  checkLocalNonReservedPath(errors, path.child("path"), item.path ?? "");
  checkFileMode(errors, path.child("mode"), item.mode);
}

function checkDownwardFile(errors: Errors, path: FieldPath, file: DownwardAPIVolumeFile): void {
  if ((file.path ?? "") === "") errors.push(required(path.child("path")));
  checkLocalNonReservedPath(errors, path.child("path"), file.path ?? "");
  if (file.fieldRef !== undefined) {
    checkFieldRef(errors, path.child("fieldRef"), file.fieldRef, VOLUME_FIELDS);
    if (file.resourceFieldRef !== undefined) errors.push(invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"));
  } else if (file.resourceFieldRef !== undefined) checkResourceFieldRef(errors, path.child("resourceFieldRef"), file.resourceFieldRef, true);
  else errors.push(required(path, "one of fieldRef and resourceFieldRef is required"));
  checkFileMode(errors, path.child("mode"), file.mode);
}

function checkProjected(errors: Errors, path: FieldPath, projected: ProjectedVolumeSource): void {
  checkFileMode(errors, path.child("defaultMode"), projected.defaultMode);
  const paths = new Set<string>();
  projected.sources?.forEach((source, i) => {
    const at = path.child("sources").index(i);
    checkProjection(errors, path, at, source, paths);
    if (Object.values(source).filter((value) => value !== undefined).length > 1) errors.push(forbiddenField(at, "may not specify more than 1 volume type per source"));
  });
}

const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;
function checkProjection(errors: Errors, path: FieldPath, at: FieldPath, source: VolumeProjection, paths: Set<string>): void {
  const claim = (filePath: string | undefined, told: string | undefined): void => {
    if (filePath === undefined || filePath === "") return;
    if (paths.has(filePath)) errors.push(invalid(path, told ?? "", "conflicting duplicate paths"));
    paths.add(filePath);
  };
  for (const kind of ["secret", "configMap"] as const) {
    const from = source[kind];
    if (from === undefined) continue;
    if ((from.name ?? "") === "") errors.push(required(at.child(kind, "name")));
    from.items?.forEach((item, i) => {
      checkKeyToPath(errors, at.child(kind, "items").index(i), item);
      claim(item.path, from.name);
    });
  }
  for (const file of source.downwardAPI?.items ?? []) {
    checkDownwardFile(errors, at.child("downwardAPI"), file);
    claim(file.path, file.path);
  }
  const token = source.serviceAccountToken;
  if (token !== undefined) {
    const seconds = token.expirationSeconds ?? 0, place = at.child("serviceAccountToken", "expirationSeconds");
    if (seconds < TOKEN_SECONDS_MIN) errors.push(invalid(place, seconds, "may not specify a duration less than 10 minutes"));
    if (seconds > TOKEN_SECONDS_MAX) errors.push(invalid(place, seconds, "may not specify a duration larger than 2^32 seconds"));
    if ((token.path ?? "") === "") errors.push(required(path.child("path")));
    else checkLocalNonReservedPath(errors, path.child("path"), token.path);
  }
  if (source.clusterTrustBundle !== undefined) {
    checkTrustBundle(errors, at.child("clusterTrustBundle"), source);
    claim(source.clusterTrustBundle.path, source.clusterTrustBundle.path);
  }
}

function checkTrustBundle(errors: Errors, path: FieldPath, source: VolumeProjection): void {
  const bundle = source.clusterTrustBundle!;
  if (bundle.name !== undefined && bundle.signerName !== undefined) errors.push(invalid(path, bundle, "only one of name and signerName may be used"));
  else if (bundle.name !== undefined) {
    if (bundle.name === "") errors.push(required(path.child("name"), "must be a valid object name"));
    if (bundle.labelSelector !== undefined) errors.push(invalid(path.child("labelSelector"), bundle.labelSelector, "labelSelector must be unset if name is specified"));
  } else if (bundle.signerName !== undefined) {
    if (bundle.signerName === "") errors.push(required(path.child("signerName"), "must be a valid signer name"));
    checkLabelSelector(errors, path.child("labelSelector"), bundle.labelSelector);
  } else errors.push(required(path, "either name or signerName must be specified"));
  if ((bundle.path ?? "") === "") errors.push(required(path.child("path")));
  checkLocalNonReservedPath(errors, path.child("path"), bundle.path ?? "");
}

/** The claim made for it is named after the pod, so that name must fit too. */
function checkEphemeral(errors: Errors, path: FieldPath, volume: Volume, rules: VolumeRules): void {
  const template = volume.ephemeral!.volumeClaimTemplate, at = path.child("ephemeral", "volumeClaimTemplate");
  if (template === undefined) errors.push(required(at));
  else {
    checkTemplateObjectMeta(errors, at.child("metadata"), template.metadata);
    checkClaimSpec(errors, at.child("spec"), template.spec ?? {});
  }
  const podName = rules.podMeta?.name ?? "";
  if (podName === "" || (volume.name ?? "") === "") return;
  const claimName = `${podName}-${volume.name}`;
  for (const fault of nameIsDnsSubdomain(claimName, false)) errors.push(invalid(path.child("name"), volume.name, `PVC name ${JSON.stringify(claimName)}: ${fault}`));
}

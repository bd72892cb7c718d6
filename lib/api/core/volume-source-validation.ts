/** The volume sources that need storage of some kind, in pods and persistent volumes. Counterpart: kubernetes `apis/core/validation`. */
import { invalid, notSupported, required, tooLong } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import type { AzureDiskVolumeSource, CSIPersistentVolumeSource, HostPathVolumeSource, ISCSIVolumeSource, PersistentVolumeSpec, SecretReference, Volume } from "../schema/generated/models.ts";
import { checkDnsLabel, checkDnsSubdomain, checkLocalDescendingPath, checkNoBacksteps, checkOptionalOneOf, type Errors } from "../validation/checks.ts";
import { inclusiveRangeError, isDns1123Subdomain, nameIsDnsSubdomain } from "../validation/names.ts";

export type SourceKind = Exclude<keyof Volume, "name">;
type SpecialKind = "emptyDir" | "secret" | "configMap" | "downwardAPI" | "projected" | "ephemeral" | "image";
/** `volume` may be a persistent volume's spec: the kinds both have are alike. `parent` is the volume's own place. */
type SourceCheck = (errors: Errors, path: FieldPath, volume: Volume, parent: FieldPath) => void;

const HOST_PATH_TYPES = ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"];
const CSI_DRIVER_MAX = 63;

function requireText(errors: Errors, path: FieldPath, source: object, ...fields: readonly string[]): void {
  for (const field of fields) {
    const value = (source as Record<string, unknown>)[field];
    if (value === undefined || value === "" || (Array.isArray(value) && value.length === 0)) errors.push(required(path.child(field)));
  }
}
const requires = (kind: SourceKind, ...fields: readonly string[]): SourceCheck => (errors, path, volume) => requireText(errors, path, volume[kind] as object, ...fields);

function checkPartition(errors: Errors, path: FieldPath, partition: number | undefined): void {
  if (partition !== undefined && (partition < 0 || partition > 255)) errors.push(invalid(path.child("partition"), partition, inclusiveRangeError(1, 255)));
}

export function checkHostPath(errors: Errors, path: FieldPath, source: HostPathVolumeSource): void {
  if ((source.path ?? "") === "") {
    errors.push(required(path.child("path")));
    return;
  }
  checkNoBacksteps(errors, path.child("path"), source.path);
  checkOptionalOneOf(errors, path.child("type"), source.type, HOST_PATH_TYPES);
}

const iqnRegexp = /iqn\.\d{4}-\d{2}\.([a-zA-Z0-9.-]+)(:[^,;*&$|\s]+)$/;
const euiRegexp = /^eui.[a-zA-Z0-9]{16}$/;
const naaRegexp = /^naa.[a-zA-Z0-9]{32}$/;
function checkIscsiName(errors: Errors, path: FieldPath, name: string): void {
  const regexp = name.startsWith("iqn") ? iqnRegexp : name.startsWith("eui") ? euiRegexp : name.startsWith("naa") ? naaRegexp : undefined;
  if (regexp === undefined) errors.push(invalid(path, name, "must be valid format starting with iqn, eui, or naa"));
  else if (!regexp.test(name)) errors.push(invalid(path, name, "must be valid format"));
}

function checkIscsi(errors: Errors, path: FieldPath, source: ISCSIVolumeSource, volumeName: string, parent: FieldPath): void {
  requireText(errors, path, source, "targetPortal", "iqn");
  if ((source.iqn ?? "") !== "") checkIscsiName(errors, path.child("iqn"), source.iqn);
  const lun = source.lun ?? 0;
  if (lun < 0 || lun > 255) errors.push(invalid(path.child("lun"), lun, inclusiveRangeError(0, 255)));
  if ((source.chapAuthDiscovery === true || source.chapAuthSession === true) && source.secretRef === undefined) errors.push(required(path.child("secretRef")));
  if (source.initiatorName === undefined) return;
  checkIscsiName(errors, path.child("initiatorname"), source.initiatorName);
  if (`${volumeName}:${source.targetPortal}`.length > 64) {
    errors.push(invalid(parent.child("name"), volumeName, "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified."));
  }
}

function checkAzureDisk(errors: Errors, path: FieldPath, source: AzureDiskVolumeSource): void {
  requireText(errors, path, source, "diskName", "diskURI");
  checkOptionalOneOf(errors, path.child("cachingMode"), source.cachingMode, ["None", "ReadOnly", "ReadWrite"]);
  checkOptionalOneOf(errors, path.child("kind"), source.kind, ["Dedicated", "Managed", "Shared"]);
  const uri = source.diskURI ?? "";
  if (source.kind === "Managed" && !uri.startsWith("/subscriptions/")) {
    errors.push(notSupported(path.child("diskURI"), uri, ["/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"]));
  }
  if (source.kind !== undefined && source.kind !== "Managed" && !uri.startsWith("https://")) {
    errors.push(notSupported(path.child("diskURI"), uri, ["https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"]));
  }
}

export function checkCsiDriverName(errors: Errors, path: FieldPath, name: string): void {
  if (name === "") errors.push(required(path));
  if (name.length > CSI_DRIVER_MAX) errors.push(tooLong(path, CSI_DRIVER_MAX));
  for (const fault of isDns1123Subdomain(name.toLowerCase())) errors.push(invalid(path, name, fault));
}

function checkFlexOptions(errors: Errors, path: FieldPath, options: Readonly<Record<string, string>> | undefined): void {
  for (const key of Object.keys(options ?? {})) {
    const namespace = `.${key.split("/")[0]!.toLowerCase()}`;
    if (namespace.endsWith(".kubernetes.io") || namespace.endsWith(".k8s.io")) errors.push(invalid(path.child("options").key(key), key, "kubernetes.io and k8s.io namespaces are reserved"));
  }
}

export const SOURCE_CHECKS: Readonly<Record<Exclude<SourceKind, SpecialKind>, SourceCheck>> = {
  hostPath: (errors, path, volume) => checkHostPath(errors, path, volume.hostPath!),
  gitRepo: (errors, path, volume) => {
    requireText(errors, path, volume.gitRepo!, "repository");
    checkLocalDescendingPath(errors, path.child("directory"), volume.gitRepo!.directory ?? "");
  },
  gcePersistentDisk: (errors, _path, volume, parent) => {
    requireText(errors, parent.child("persistentDisk"), volume.gcePersistentDisk!, "pdName");
    checkPartition(errors, parent.child("persistentDisk"), volume.gcePersistentDisk!.partition);
  },
  awsElasticBlockStore: (errors, path, volume) => {
    requireText(errors, path, volume.awsElasticBlockStore!, "volumeID");
    checkPartition(errors, path, volume.awsElasticBlockStore!.partition);
  },
  nfs: (errors, path, volume) => {
    requireText(errors, path, volume.nfs!, "server", "path");
    if (!(volume.nfs!.path ?? "").startsWith("/")) errors.push(invalid(path.child("path"), volume.nfs!.path ?? "", "must be an absolute path"));
  },
  iscsi: (errors, path, volume, parent) => checkIscsi(errors, path, volume.iscsi!, volume.name ?? "", parent),
  glusterfs: requires("glusterfs", "endpoints", "path"),
  flocker: (errors, path, volume) => {
    const { datasetName: name = "", datasetUUID: uuid = "" } = volume.flocker!;
    if (name === "" && uuid === "") errors.push(required(path, "one of datasetName and datasetUUID is required"));
    if (name !== "" && uuid !== "") errors.push(invalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously"));
    if (name.includes("/")) errors.push(invalid(path.child("datasetName"), name, "must not contain '/'"));
  },
  persistentVolumeClaim: requires("persistentVolumeClaim", "claimName"),
  rbd: requires("rbd", "monitors", "image"),
  cinder: (errors, path, volume) => {
    requireText(errors, path, volume.cinder!, "volumeID");
    if (volume.cinder!.secretRef !== undefined) requireText(errors, path.child("secretRef"), volume.cinder!.secretRef, "name");
  },
  cephfs: requires("cephfs", "monitors"),
  quobyte: (errors, path, volume) => {
    const registry = volume.quobyte!.registry ?? "", tenant = volume.quobyte!.tenant ?? "", hint = "must be a host:port pair or multiple pairs separated by commas";
    if (registry === "") errors.push(required(path.child("registry"), hint));
    else if (tenant.length >= 65) errors.push(required(path.child("tenant"), "must be a UUID and may not exceed a length of 64 characters"));
    else for (const pair of registry.split(",")) if (!/^(\[[^\]]*\]|[^:]*):[^:]*$/.test(pair)) errors.push(invalid(path.child("registry"), registry, hint));
    requireText(errors, path, volume.quobyte!, "volume");
  },
  fc: (errors, path, volume) => {
    const { targetWWNs = [], wwids = [], lun } = volume.fc!;
    if (targetWWNs.length < 1 && wwids.length < 1) errors.push(required(path.child("targetWWNs"), "must specify either targetWWNs or wwids, but not both"));
    if (targetWWNs.length > 0 && wwids.length > 0) errors.push(invalid(path.child("targetWWNs"), targetWWNs, "targetWWNs and wwids can not be specified simultaneously"));
    if (targetWWNs.length === 0) return;
    if (lun === undefined) errors.push(required(path.child("lun"), "lun is required if targetWWNs is specified"));
    else if (lun < 0 || lun > 255) errors.push(invalid(path.child("lun"), lun, inclusiveRangeError(0, 255)));
  },
  flexVolume: (errors, path, volume) => {
    requireText(errors, path, volume.flexVolume!, "driver");
    checkFlexOptions(errors, path, volume.flexVolume!.options);
  },
  azureFile: requires("azureFile", "secretName", "shareName"),
  vsphereVolume: requires("vsphereVolume", "volumePath"),
  photonPersistentDisk: requires("photonPersistentDisk", "pdID"),
  portworxVolume: requires("portworxVolume", "volumeID"),
  azureDisk: (errors, path, volume) => checkAzureDisk(errors, path, volume.azureDisk!),
  scaleIO: requires("scaleIO", "gateway", "system", "volumeName"),
  storageos: (errors, path, volume) => {
    const { volumeName = "", volumeNamespace = "", secretRef } = volume.storageos!;
    if (volumeName === "") errors.push(required(path.child("volumeName")));
    else checkDnsLabel(errors, path.child("volumeName"), volumeName);
    if (volumeNamespace !== "") checkDnsLabel(errors, path.child("volumeNamespace"), volumeNamespace);
    if (secretRef !== undefined) requireText(errors, path.child("secretRef"), secretRef, "name");
  },
  csi: (errors, path, volume) => {
    checkCsiDriverName(errors, path.child("driver"), volume.csi!.driver ?? "");
    const reference = volume.csi!.nodePublishSecretRef;
    if (reference === undefined) return;
    if ((reference.name ?? "") === "") errors.push(required(path.child("nodePublishSecretRef", "name")));
    else for (const fault of nameIsDnsSubdomain(reference.name!, false)) errors.push(invalid(path.child("name"), reference.name, fault));
  },
};

function checkSecretReference(errors: Errors, path: FieldPath, reference: SecretReference): void {
  if ((reference.name ?? "") === "") errors.push(required(path.child("name")));
  else checkDnsSubdomain(errors, path.child("name"), reference.name!);
  if ((reference.namespace ?? "") === "") errors.push(required(path.child("namespace")));
  else checkDnsLabel(errors, path.child("namespace"), reference.namespace!);
}

function checkPersistentCsi(errors: Errors, path: FieldPath, source: CSIPersistentVolumeSource): void {
  checkCsiDriverName(errors, path.child("driver"), source.driver ?? "");
  requireText(errors, path, source, "volumeHandle");
  for (const field of ["controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef", "nodeExpandSecretRef"] as const) {
    const reference = source[field];
    if (reference !== undefined) checkSecretReference(errors, path.child(field), reference);
  }
}

/** The sources only a persistent volume has, or has otherwise. Returns false for kinds that are the same as a pod's. */
export function checkPersistentSource(errors: Errors, path: FieldPath, spec: PersistentVolumeSpec, kind: string): boolean {
  if (kind === "csi") checkPersistentCsi(errors, path, spec.csi!);
  else if (kind === "local") {
    requireText(errors, path, spec.local!, "path");
    checkNoBacksteps(errors, path.child("path"), spec.local!.path ?? "");
  } else return false;
  return true;
}

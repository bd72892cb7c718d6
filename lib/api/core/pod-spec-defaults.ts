/**
 * Defaults of a pod's spec, the same in a pod and in every template of one.
 * Counterpart: kubernetes `apis/core/v1/defaults.go`, and the empty values Go prints that are not left out.
 */
import { imageTag } from "../helpers/image-reference.ts";
import { canonicalQuantity } from "../quantity.ts";
import type { Container, DownwardAPIVolumeFile, EnvVar, EphemeralContainer, HTTPGetAction, Lifecycle, PodSpec, Probe, ProjectedVolumeSource, Volume } from "../schema/generated/models.ts";

const FILE_MODE = 0o644;
const TOKEN_SECONDS = 3600;
const pullPolicy = (image: string): string => (imageTag(image) === "latest" ? "Always" : "IfNotPresent");

export function defaultPodSpec(spec: PodSpec): void {
  spec.dnsPolicy ||= "ClusterFirst";
  spec.restartPolicy ||= "Always";
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= "default-scheduler";
  defaultServiceAccount(spec);
  if (spec.containers !== undefined) for (const container of spec.containers) defaultContainer(container);
  if (spec.initContainers !== undefined) for (const container of spec.initContainers) defaultContainer(container);
  if (spec.ephemeralContainers !== undefined) for (const container of spec.ephemeralContainers) defaultContainer(container);
  if (spec.volumes !== undefined) for (const volume of spec.volumes) defaultVolume(volume);
  if (spec.overhead !== undefined) roundQuantities(spec.overhead);
}

/** The deprecated field always shows what the current one says. */
function defaultServiceAccount(spec: PodSpec): void {
  if ((spec.serviceAccountName ?? "") !== "") spec.serviceAccount = spec.serviceAccountName;
  else if ((spec.serviceAccount ?? "") !== "") spec.serviceAccountName = spec.serviceAccount;
}

function defaultContainer(container: Container | EphemeralContainer): void {
  container.imagePullPolicy ||= pullPolicy(container.image ?? "");
  container.terminationMessagePath ||= "/dev/termination-log";
  container.terminationMessagePolicy ||= "File";
  container.resources ??= {};
  if (container.resources.limits !== undefined) roundQuantities(container.resources.limits);
  if (container.resources.requests !== undefined) roundQuantities(container.resources.requests);
  if (container.ports !== undefined) for (const port of container.ports) port.protocol ||= "TCP";
  if (container.env !== undefined) for (const variable of container.env) defaultEnv(variable);
  if (container.livenessProbe !== undefined) defaultProbe(container.livenessProbe);
  if (container.readinessProbe !== undefined) defaultProbe(container.readinessProbe);
  if (container.startupProbe !== undefined) defaultProbe(container.startupProbe);
  if (container.lifecycle !== undefined) defaultLifecycle(container.lifecycle);
}

/** Amounts finer than a thousandth are rounded up to it. */
export function roundQuantities(amounts: Record<string, string>): void {
  for (const name in amounts) {
    const amount = String(amounts[name]);
    const last = amount.charCodeAt(amount.length - 1);
    if (last === 0x6e || last === 0x75) amounts[name] = roundUpToMilli(amount); // "n" and "u"
  }
}
function roundUpToMilli(amount: string): string {
  const units = amount.endsWith("n") ? 1_000_000 : 1_000, number = Number(amount.slice(0, -1));
  return Number.isFinite(number) ? canonicalQuantity(`${Math.ceil(number / units)}m`) : amount;
}

function defaultEnv(variable: EnvVar): void {
  const source = variable.valueFrom;
  if (source === undefined) return;
  if (source.fieldRef !== undefined) source.fieldRef.apiVersion ||= "v1";
  if (source.resourceFieldRef !== undefined) source.resourceFieldRef.divisor ??= "0";
  if (source.fileKeyRef !== undefined) source.fileKeyRef.optional ??= false;
}

function defaultProbe(probe: Probe): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.httpGet !== undefined) defaultHttpGet(probe.httpGet);
  if (probe.grpc !== undefined) probe.grpc.service ??= "";
}
function defaultHttpGet(action: HTTPGetAction): void {
  action.path ||= "/";
  action.scheme ||= "HTTP";
}
function defaultLifecycle(lifecycle: Lifecycle): void {
  if (lifecycle.postStart?.httpGet !== undefined) defaultHttpGet(lifecycle.postStart.httpGet);
  if (lifecycle.preStop?.httpGet !== undefined) defaultHttpGet(lifecycle.preStop.httpGet);
}

/** A volume with a name and nothing else is an emptyDir. */
function defaultVolume(volume: Volume): void {
  if (Object.keys(volume).length === (volume.name === undefined ? 0 : 1)) volume.emptyDir = {};
  if (volume.secret !== undefined) volume.secret.defaultMode ??= FILE_MODE;
  if (volume.configMap !== undefined) volume.configMap.defaultMode ??= FILE_MODE;
  if (volume.projected !== undefined) defaultProjected(volume.projected);
  if (volume.downwardAPI !== undefined) {
    volume.downwardAPI.defaultMode ??= FILE_MODE;
    defaultDownwardFiles(volume.downwardAPI.items);
  }
  if (volume.hostPath !== undefined) volume.hostPath.type ??= "";
  if (volume.image !== undefined) volume.image.pullPolicy ||= pullPolicy(volume.image.reference ?? "");
  if (volume.ephemeral?.volumeClaimTemplate?.spec !== undefined) volume.ephemeral.volumeClaimTemplate.spec.volumeMode ??= "Filesystem";
  defaultNetworkVolume(volume);
}

function defaultProjected(projected: ProjectedVolumeSource): void {
  projected.defaultMode ??= FILE_MODE;
  for (const source of projected.sources ?? []) {
    if (source.serviceAccountToken !== undefined) source.serviceAccountToken.expirationSeconds ??= TOKEN_SECONDS;
    if (source.downwardAPI !== undefined) defaultDownwardFiles(source.downwardAPI.items);
  }
}
function defaultDownwardFiles(files: readonly DownwardAPIVolumeFile[] | undefined): void {
  for (const file of files ?? []) {
    if (file.fieldRef !== undefined) file.fieldRef.apiVersion ||= "v1";
    if (file.resourceFieldRef !== undefined) file.resourceFieldRef.divisor ??= "0";
  }
}

/** Also of a PersistentVolume's source. */
export function defaultNetworkVolume(volume: Pick<Volume, "iscsi" | "rbd" | "azureDisk" | "scaleIO">): void {
  if (volume.iscsi !== undefined) volume.iscsi.iscsiInterface ||= "default";
  if (volume.rbd !== undefined) {
    volume.rbd.pool ||= "rbd";
    volume.rbd.user ||= "admin";
    volume.rbd.keyring ||= "/etc/ceph/keyring";
  }
  if (volume.azureDisk !== undefined) {
    volume.azureDisk.cachingMode ??= "ReadWrite";
    volume.azureDisk.kind ??= "Shared";
    volume.azureDisk.fsType ??= "ext4";
    volume.azureDisk.readOnly ??= false;
  }
  if (volume.scaleIO !== undefined) {
    volume.scaleIO.storageMode ||= "ThinProvisioned";
    volume.scaleIO.fsType ||= "xfs";
  }
}

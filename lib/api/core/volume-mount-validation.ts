/** Mounts and block devices of a container. Counterpart: `ValidateVolumeMounts`, `ValidateVolumeDevices` in kubernetes `apis/core/validation`. */
import { forbiddenField, invalid, notFoundValue, notSupported, required } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import type { Container, EphemeralContainer, Volume, VolumeDevice, VolumeMount } from "../schema/generated/models.ts";
import { checkLocalDescendingPath, type Errors } from "../validation/checks.ts";

type AnyContainer = Container | EphemeralContainer;
const PROPAGATIONS = ["Bidirectional", "HostToContainer", "None"];
const RECURSIVE = ["Disabled", "Enabled", "IfPossible"];

/** Upstream tells the faults of sub-paths and propagation at the list, not at its element; so do we. */
export function checkVolumeMounts(errors: Errors, path: FieldPath, mounts: readonly VolumeMount[], container: AnyContainer, volumes: ReadonlyMap<string, Volume>): void {
  const mountPaths = new Set<string>(), devices = container.volumeDevices;
  for (let i = 0; i < mounts.length; i++) {
    const mount = mounts[i]!, at = path.index(i), name = mount.name ?? "", mountPath = mount.mountPath ?? "";
    const volume = volumes.get(name);
    if (name === "") errors.push(required(at.child("name")));
    if (volume === undefined) errors.push(notFoundValue(at.child("name"), name));
    if (mountPath === "") errors.push(required(at.child("mountPath")));
    if (mountPaths.has(mountPath)) errors.push(invalid(at.child("mountPath"), mountPath, "must be unique"));
    mountPaths.add(mountPath);
    if (devices !== undefined) {
      if (devices.some((device) => device.name === name)) errors.push(invalid(at.child("name"), name, "must not already exist in volumeDevices"));
      if (devices.some((device) => device.devicePath === mountPath)) errors.push(invalid(at.child("mountPath"), mountPath, "must not already exist as a path in volumeDevices"));
    }
    checkSubPaths(errors, path, at, mount);
    if (mount.mountPropagation !== undefined) checkPropagation(errors, path.child("mountPropagation"), mount.mountPropagation, container);
    if (mount.recursiveReadOnly !== undefined) checkRecursive(errors, path.child("recursiveReadOnly"), mount);
  }
}

function checkSubPaths(errors: Errors, path: FieldPath, at: FieldPath, mount: VolumeMount): void {
  const subPath = mount.subPath ?? "", expression = mount.subPathExpr ?? "";
  if (subPath !== "") checkLocalDescendingPath(errors, path.child("subPath"), subPath);
  if (expression === "") return;
  if (subPath !== "") errors.push(invalid(at.child("subPathExpr"), expression, "subPathExpr and subPath are mutually exclusive"));
  checkLocalDescendingPath(errors, path.child("subPathExpr"), expression);
}

function checkPropagation(errors: Errors, path: FieldPath, propagation: string, container: AnyContainer): void {
  if (!PROPAGATIONS.includes(propagation)) errors.push(notSupported(path, propagation, PROPAGATIONS));
  if (propagation === "Bidirectional" && container.securityContext?.privileged !== true) errors.push(forbiddenField(path, "Bidirectional mount propagation is available only to privileged containers"));
}

function checkRecursive(errors: Errors, path: FieldPath, mount: VolumeMount): void {
  const mode = mount.recursiveReadOnly!;
  if (!RECURSIVE.includes(mode)) errors.push(notSupported(path, mode, RECURSIVE));
  else if (mode !== "Disabled") {
    if (mount.readOnly !== true) errors.push(forbiddenField(path, "may only be specified when readOnly is true"));
    if (mount.mountPropagation !== undefined && mount.mountPropagation !== "None") errors.push(forbiddenField(path, "may only be specified when mountPropagation is None or not specified"));
  }
}

export function checkVolumeDevices(errors: Errors, path: FieldPath, devices: readonly VolumeDevice[], container: AnyContainer, volumes: ReadonlyMap<string, Volume>): void {
  const names = new Set<string>(), paths = new Set<string>(), mounts = container.volumeMounts ?? [];
  devices.forEach((device, i) => {
    const at = path.index(i), name = device.name ?? "", devicePath = device.devicePath ?? "", volume = volumes.get(name);
    if (name === "") errors.push(required(at.child("name")));
    if (names.has(name)) errors.push(invalid(at.child("name"), name, "must be unique"));
    if (volume === undefined) errors.push(notFoundValue(at.child("name"), name));
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) errors.push(invalid(at.child("name"), name, "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"));
    if (devicePath === "") errors.push(required(at.child("devicePath")));
    if (paths.has(devicePath)) errors.push(invalid(at.child("devicePath"), devicePath, "must be unique"));
    if (devicePath.split("/").includes("..")) errors.push(invalid(at.child("devicePath"), devicePath, "can not contain backsteps ('..')"));
    else paths.add(devicePath);
    if (mounts.some((mount) => mount.name === name)) errors.push(invalid(at.child("name"), name, "must not already exist in volumeMounts"));
    if (mounts.some((mount) => mount.mountPath === devicePath)) errors.push(invalid(at.child("devicePath"), devicePath, "must not already exist as a path in volumeMounts"));
    if (name !== "") names.add(name);
  });
}

/** PersistentVolumeClaimResize: a claim grows only once it is bound, and only where its class allows it. Counterpart: `plugin/pkg/admission/storage/persistentvolume/resize`. */
import { claimClass } from "../../api/helpers/storage-class.ts";
import { compareQuantity } from "../../api/quantity.ts";
import type { ResourceDefinition } from "../../api/resource-definition.ts";
import type { PersistentVolumeClaim } from "../../api/schema/generated/models.ts";
import { storageclasses } from "../../api/schema/generated/references.ts";
import type { AdmissionAttributes, AdmissionOperation, AdmissionPlugin, CacheReader } from "../contracts.ts";
import { admissionForbidden } from "./admission-error.ts";

export class PersistentVolumeClaimResize implements AdmissionPlugin {
  readonly name = "PersistentVolumeClaimResize";
  readonly #cache: CacheReader;
  constructor(cache: CacheReader) { this.#cache = cache; }

  handles(operation: AdmissionOperation, { group, plural }: ResourceDefinition, subresource: string): boolean {
    return operation === "UPDATE" && group === "" && plural === "persistentvolumeclaims" && subresource === "";
  }

  validate(attributes: AdmissionAttributes): void {
    const claim = attributes.object as PersistentVolumeClaim, old = attributes.oldObject as PersistentVolumeClaim;
    if (compareQuantity(sizeOf(claim), sizeOf(old)) <= 0) return;
    if (old.status?.phase !== "Bound") throw admissionForbidden(attributes, "only bound persistent volume claims can be expanded");
    const name = claimClass(claim), expandable = name !== "" && name === claimClass(old) && this.#cache.get(storageclasses, "", name)?.allowVolumeExpansion === true;
    if (!expandable) throw admissionForbidden(attributes, "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize");
  }
}

const sizeOf = ({ spec }: PersistentVolumeClaim): string => spec?.resources?.requests?.["storage"] ?? "0";

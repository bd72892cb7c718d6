/** StorageObjectInUseProtection: volumes and claims wait with going until nobody uses them. Counterpart: `plugin/pkg/admission/storage/storageobjectinuseprotection`. */
import type { ResourceDefinition } from "../../api/resource-definition.ts";
import type { AdmissionAttributes, AdmissionOperation, AdmissionPlugin } from "../contracts.ts";

const FINALIZERS: Record<string, string> = {
  "persistentvolumeclaims.": "kubernetes.io/pvc-protection", "persistentvolumes.": "kubernetes.io/pv-protection", "volumeattributesclasses.storage.k8s.io": "kubernetes.io/vac-protection",
};
const finalizerOf = (definition: ResourceDefinition): string | undefined => FINALIZERS[`${definition.plural}.${definition.group}`];

export class StorageObjectInUseProtection implements AdmissionPlugin {
  readonly name = "StorageObjectInUseProtection";
  handles(operation: AdmissionOperation, definition: ResourceDefinition, subresource: string): boolean {
    return operation === "CREATE" && subresource === "" && finalizerOf(definition) !== undefined;
  }
  admit(attributes: AdmissionAttributes): void {
    const finalizer = finalizerOf(attributes.definition)!, meta = attributes.object!.metadata;
    if (!(meta.finalizers ?? []).includes(finalizer)) meta.finalizers = [...(meta.finalizers ?? []), finalizer];
  }
}

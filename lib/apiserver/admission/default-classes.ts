/**
 * DefaultStorageClass and DefaultIngressClass: what names no class gets the one marked as default; of several, the newest.
 * Counterpart: `plugin/pkg/admission/storage/storageclass/setdefault` and `.../network/defaultingressclass`.
 */
import { STORAGE_CLASS_ANNOTATION } from "../../api/helpers/storage-class.ts";
import type { ResourceDefinition } from "../../api/resource-definition.ts";
import { ingressclasses, storageclasses } from "../../api/schema/generated/references.ts";
import type { Ingress, ObjectMeta, PersistentVolumeClaim } from "../../api/schema/generated/models.ts";
import type { AdmissionAttributes, AdmissionOperation, AdmissionPlugin, CacheReader } from "../contracts.ts";

const isDefault = (meta: ObjectMeta, ...annotations: string[]): boolean => annotations.some((annotation) => meta.annotations?.[annotation] === "true");
const newest = <T extends { metadata: ObjectMeta }>(classes: readonly T[]): T | undefined =>
  classes.toSorted((a, b) => (b.metadata.creationTimestamp ?? "").localeCompare(a.metadata.creationTimestamp ?? "") || (a.metadata.name < b.metadata.name ? -1 : 1))[0];

export class DefaultStorageClass implements AdmissionPlugin {
  readonly name = "DefaultStorageClass";
  readonly #cache: CacheReader;
  constructor(cache: CacheReader) { this.#cache = cache; }
  handles(operation: AdmissionOperation, definition: ResourceDefinition, subresource: string): boolean {
    return operation === "CREATE" && definition.group === "" && definition.plural === "persistentvolumeclaims" && subresource === "";
  }
  admit(attributes: AdmissionAttributes): void {
    const claim = attributes.object as PersistentVolumeClaim;
    // "" is an answer: no class at all.
    if (claim.spec === undefined || claim.spec.storageClassName !== undefined || claim.metadata.annotations?.[STORAGE_CLASS_ANNOTATION] !== undefined) return;
    const found = newest(this.#cache.list(storageclasses).filter((each) => isDefault(each.metadata, "storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")));
    if (found !== undefined) claim.spec.storageClassName = found.metadata.name;
  }
}

export class DefaultIngressClass implements AdmissionPlugin {
  readonly name = "DefaultIngressClass";
  readonly #cache: CacheReader;
  constructor(cache: CacheReader) { this.#cache = cache; }
  handles(operation: AdmissionOperation, definition: ResourceDefinition, subresource: string): boolean {
    return operation === "CREATE" && definition.group === "networking.k8s.io" && definition.plural === "ingresses" && subresource === "";
  }
  admit(attributes: AdmissionAttributes): void {
    const ingress = attributes.object as Ingress;
    if (ingress.spec?.ingressClassName !== undefined || ingress.metadata.annotations?.["kubernetes.io/ingress.class"] !== undefined) return;
    const found = newest(this.#cache.list(ingressclasses).filter((each) => isDefault(each.metadata, "ingressclass.kubernetes.io/is-default-class")));
    if (found !== undefined) ingress.spec = { ...ingress.spec, ingressClassName: found.metadata.name };
  }
}

/**
 * NamespaceLifecycle: nothing is written into a namespace that is not there, nothing new into one that is going, and
 * the namespaces the cluster lives on stay. Counterpart: apiserver `admission/plugin/namespace/lifecycle`.
 */
import type { ResourceDefinition } from "../../api/resource-definition.ts";
import { namespaces } from "../../api/schema/generated/references.ts";
import { forbidden, notFound, StatusError } from "../../api/status-error.ts";
import type { AdmissionAttributes, AdmissionOperation, AdmissionPlugin, CacheReader } from "../contracts.ts";
import { admissionForbidden } from "./admission-error.ts";

export const IMMORTAL_NAMESPACES: readonly string[] = ["default", "kube-system", "kube-public"];
const isNamespace = (definition: ResourceDefinition): boolean => definition.group === "" && definition.plural === "namespaces";

export class NamespaceLifecycle implements AdmissionPlugin {
  readonly name = "NamespaceLifecycle";
  readonly #cache: CacheReader;
  constructor(cache: CacheReader) { this.#cache = cache; }

  handles(operation: AdmissionOperation, definition: ResourceDefinition): boolean {
    if (isNamespace(definition)) return operation === "DELETE";
    // Asking about a namespace that does not exist yet is a fair question.
    if (definition.group === "authorization.k8s.io") return false;
    return definition.namespaced && (operation === "CREATE" || operation === "UPDATE");
  }

  admit(attributes: AdmissionAttributes): void {
    if (isNamespace(attributes.definition)) {
      if (attributes.subresource === "" && IMMORTAL_NAMESPACES.includes(attributes.name)) throw forbidden(attributes.definition, attributes.name, "this namespace may not be deleted");
      return;
    }
    const { namespace } = attributes, found = this.#cache.get(namespaces, "", namespace);
    if (found === undefined) throw notFound(namespaces, namespace);
    if (attributes.operation !== "CREATE" || (found.status?.phase !== "Terminating" && found.metadata.deletionTimestamp === undefined)) return;
    const refused = admissionForbidden(attributes, `unable to create new content in namespace ${namespace} because it is being terminated`);
    const cause = { reason: "NamespaceTerminating", message: `namespace ${namespace} is being terminated`, field: "metadata.namespace" };
    throw new StatusError("Forbidden", refused.message, { details: { ...refused.details, causes: [cause] } });
  }
}

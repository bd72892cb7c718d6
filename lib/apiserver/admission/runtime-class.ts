/** RuntimeClass: a pod gets the overhead and the place of the runtime it names. Counterpart: `plugin/pkg/admission/runtimeclass`. */
import { isDeepStrictEqual } from "node:util";
import type { ResourceDefinition } from "../../api/resource-definition.ts";
import { runtimeclasses } from "../../api/schema/generated/references.ts";
import type { Pod } from "../../api/schema/generated/models.ts";
import type { AdmissionAttributes, AdmissionOperation, AdmissionPlugin, CacheReader } from "../contracts.ts";
import { admissionForbidden } from "./admission-error.ts";

export class RuntimeClass implements AdmissionPlugin {
  readonly name = "RuntimeClass";
  readonly #cache: CacheReader;
  constructor(cache: CacheReader) { this.#cache = cache; }

  handles(operation: AdmissionOperation, definition: ResourceDefinition, subresource: string): boolean {
    return operation === "CREATE" && definition.group === "" && definition.plural === "pods" && subresource === "";
  }

  admit(attributes: AdmissionAttributes): void {
    const spec = (attributes.object as Pod).spec, name = spec?.runtimeClassName;
    if (spec === undefined || name === undefined || name === "") return;
    const found = this.#cache.get(runtimeclasses, "", name);
    if (found === undefined) throw admissionForbidden(attributes, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
    const overhead = found.overhead?.podFixed;
    if (overhead !== undefined) {
      if (spec.overhead !== undefined && !isDeepStrictEqual({ ...spec.overhead }, { ...overhead })) throw admissionForbidden(attributes, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
      spec.overhead = { ...overhead };
    }
    const selector = spec.nodeSelector ?? {};
    for (const [key, value] of Object.entries(found.scheduling?.nodeSelector ?? {})) {
      if (selector[key] !== undefined && selector[key] !== value) throw admissionForbidden(attributes, `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${selector[key]}`);
      spec.nodeSelector = { ...spec.nodeSelector, [key]: value };
    }
    const tolerations = (found.scheduling?.tolerations ?? []).filter((each) => !(spec.tolerations ?? []).some((held) => isDeepStrictEqual(held, each)));
    if (tolerations.length > 0) spec.tolerations = [...(spec.tolerations ?? []), ...tolerations];
  }

  validate(attributes: AdmissionAttributes): void {
    const spec = (attributes.object as Pod).spec;
    if ((spec?.runtimeClassName ?? "") === "" && spec?.overhead !== undefined && Object.keys(spec.overhead).length > 0) throw admissionForbidden(attributes, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
  }
}

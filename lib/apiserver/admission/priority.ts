/** Priority: the class a pod names becomes a number; only one class may be everybody's default. Counterpart: `plugin/pkg/admission/priority`. */
import type { ResourceDefinition } from "../../api/resource-definition.ts";
import { priorityclasses } from "../../api/schema/generated/references.ts";
import type { Pod, PriorityClass } from "../../api/schema/generated/models.ts";
import type { AdmissionAttributes, AdmissionOperation, AdmissionPlugin, CacheReader } from "../contracts.ts";
import { admissionForbidden } from "./admission-error.ts";

export class Priority implements AdmissionPlugin {
  readonly name = "Priority";
  readonly #cache: CacheReader;
  constructor(cache: CacheReader) { this.#cache = cache; }

  handles(operation: AdmissionOperation, definition: ResourceDefinition, subresource: string): boolean {
    if (subresource !== "" || (operation !== "CREATE" && operation !== "UPDATE")) return false;
    return (definition.group === "" && definition.plural === "pods") || (definition.group === "scheduling.k8s.io" && definition.plural === "priorityclasses");
  }

  admit(attributes: AdmissionAttributes): void {
    if (attributes.definition.plural !== "pods") return;
    const spec = (attributes.object as Pod).spec, old = (attributes.oldObject as Pod | undefined)?.spec;
    if (spec === undefined) return;
    if (attributes.operation === "UPDATE") {
      // A pod keeps what it was admitted with, whatever became of its class.
      if (spec.priority === undefined && old?.priority !== undefined) spec.priority = old.priority;
      if (spec.preemptionPolicy === undefined && old?.preemptionPolicy !== undefined) spec.preemptionPolicy = old.preemptionPolicy;
      return;
    }
    const { value, name, policy } = this.#resolve(attributes, spec.priorityClassName ?? "");
    if (name !== "") spec.priorityClassName = name;
    if (spec.priority !== undefined && spec.priority !== value) throw admissionForbidden(attributes, `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`);
    spec.priority = value;
    if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) throw admissionForbidden(attributes, `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`);
    spec.preemptionPolicy = policy;
  }

  validate(attributes: AdmissionAttributes): void {
    if (attributes.definition.plural !== "priorityclasses") return;
    const wanted = attributes.object as PriorityClass;
    if (wanted.globalDefault !== true) return;
    const current = this.#default();
    if (current !== undefined && current.metadata.name !== wanted.metadata.name) throw admissionForbidden(attributes, `PriorityClass ${current.metadata.name} is already marked as default. Only one default can exist`);
  }

  #resolve(attributes: AdmissionAttributes, name: string): { value: number; name: string; policy: string } {
    const found = name === "" ? this.#default() : this.#cache.get(priorityclasses, "", name);
    if (found === undefined && name !== "") throw admissionForbidden(attributes, `no PriorityClass with name ${name} was found`);
    return { value: found?.value ?? 0, name: found?.metadata.name ?? "", policy: found?.preemptionPolicy ?? "PreemptLowerPriority" };
  }

  /** Of several defaults, which a race may leave behind, the lowest value. */
  #default(): PriorityClass | undefined {
    return this.#cache.list(priorityclasses).filter((each) => each.globalDefault === true).toSorted((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];
  }
}

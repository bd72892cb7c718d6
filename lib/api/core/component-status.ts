/** ComponentStatus: whether the control plane's parts answer; computed, never stored. Counterpart: kubernetes `registry/core/componentstatus`. */
import { column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import type { ComponentCondition, ComponentStatus } from "../schema/generated/models.ts";
import { componentstatuses } from "../schema/generated/references.ts";
import { nameIsPathSegment } from "../validation/names.ts";

const healthy = (component: ComponentStatus): ComponentCondition | undefined => component.conditions?.find((condition) => condition.type === "Healthy");
function word(component: ComponentStatus): string {
  const condition = healthy(component);
  if (condition === undefined) return "Unknown";
  return condition.status === "True" ? "Healthy" : "Unhealthy";
}

export const componentStatusDefinition = defineResource<ComponentStatus>({
  reference: componentstatuses,
  verbs: ["get", "list"], // Its list operation is documented with a `watch` parameter like all others, and there is nothing to watch.
  shortNames: ["cs"],
  validateName: nameIsPathSegment,
  deprecation: "v1 ComponentStatus is deprecated in v1.19+",
  columns: [
    nameColumn,
    column("Status", word, { description: "Status of the component conditions" }),
    column("Message", (component) => healthy(component)?.message ?? "", { description: "Message of the component conditions" }),
    column("Error", (component) => healthy(component)?.error ?? "", { description: "Error of the component conditions" }),
  ],
});

/** TaintNodesByCondition: a new node takes no pods until it says it is ready. Counterpart: `plugin/pkg/admission/nodetaint`. */
import type { ResourceDefinition } from "../../api/resource-definition.ts";
import type { Node } from "../../api/schema/generated/models.ts";
import type { AdmissionAttributes, AdmissionOperation, AdmissionPlugin } from "../contracts.ts";

export const NOT_READY_TAINT = "node.kubernetes.io/not-ready";

export class TaintNodesByCondition implements AdmissionPlugin {
  readonly name = "TaintNodesByCondition";
  handles(operation: AdmissionOperation, definition: ResourceDefinition, subresource: string): boolean {
    return operation === "CREATE" && definition.group === "" && definition.plural === "nodes" && subresource === "";
  }
  admit(attributes: AdmissionAttributes): void {
    const node = attributes.object as Node, taints = node.spec?.taints ?? [];
    if (taints.some((taint) => taint.key === NOT_READY_TAINT && taint.effect === "NoSchedule")) return;
    node.spec = { ...node.spec, taints: [...taints, { key: NOT_READY_TAINT, effect: "NoSchedule" }] };
  }
}

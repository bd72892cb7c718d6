/**
 * DefaultTolerationSeconds: pods stay on a node that stopped answering for so long and no longer, unless they say otherwise.
 * Counterpart: `plugin/pkg/admission/defaulttolerationseconds`. Differs: our default is 30 s, upstream's 300 s.
 */
import type { ResourceDefinition } from "../../api/resource-definition.ts";
import type { Pod } from "../../api/schema/generated/models.ts";
import type { AdmissionAttributes, AdmissionOperation, AdmissionPlugin } from "../contracts.ts";

export const DEFAULT_TOLERATION_SECONDS = 30, UPSTREAM_TOLERATION_SECONDS = 300;

export class DefaultTolerationSeconds implements AdmissionPlugin {
  readonly name = "DefaultTolerationSeconds";
  readonly #taints: readonly { key: string; seconds: number }[];
  /** `--default-not-ready-toleration-seconds` and `--default-unreachable-toleration-seconds`. */
  constructor(options: { notReadySeconds: number; unreachableSeconds: number }) {
    this.#taints = [{ key: "node.kubernetes.io/not-ready", seconds: options.notReadySeconds }, { key: "node.kubernetes.io/unreachable", seconds: options.unreachableSeconds }];
  }

  handles(operation: AdmissionOperation, definition: ResourceDefinition, subresource: string): boolean {
    return definition.group === "" && definition.plural === "pods" && subresource === "" && (operation === "CREATE" || operation === "UPDATE");
  }

  admit(attributes: AdmissionAttributes): void {
    const spec = (attributes.object as Pod).spec;
    if (spec === undefined) return;
    for (const { key, seconds } of this.#taints) {
      const tolerated = (spec.tolerations ?? []).some((each) => ((each.key ?? "") === "" || each.key === key) && ((each.effect ?? "") === "" || each.effect === "NoExecute"));
      if (!tolerated) spec.tolerations = [...(spec.tolerations ?? []), { key, operator: "Exists", effect: "NoExecute", tolerationSeconds: seconds }];
    }
  }
}

/** Where a pod may run: selectors, affinity, tolerations, spreading. Counterpart: kubernetes `apis/core/validation`. */
import { duplicate, forbiddenField, invalid, notSupported, required, type FieldError } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import type {
  Affinity, LabelSelector, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodAffinity, PodAffinityTerm, Toleration, TopologySpreadConstraint,
} from "../schema/generated/models.ts";
import { checkLabelKey, checkName, checkOptionalOneOf, NOT_POSITIVE, type Errors } from "../validation/checks.ts";
import { checkLabelSelector, checkRequirement } from "../validation/labels.ts";
import { isLabelValue, nameIsDnsLabel, nameIsDnsSubdomain } from "../validation/names.ts";

const REQUIRED_TERMS = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED_TERMS = "preferredDuringSchedulingIgnoredDuringExecution";
const TAINT_EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const WEIGHT_RANGE = "must be in the range 1-100";
const isWeight = (weight: number | undefined): boolean => weight !== undefined && weight > 0 && weight <= 100;

export function checkAffinity(errors: Errors, path: FieldPath, affinity: Affinity): void {
  const node = affinity.nodeAffinity;
  if (node !== undefined) {
    const at = path.child("nodeAffinity"), requiredTerms = node[REQUIRED_TERMS];
    if (requiredTerms !== undefined) checkNodeSelector(errors, at.child(REQUIRED_TERMS), requiredTerms);
    node[PREFERRED_TERMS]?.forEach((term, i) => {
      if (!isWeight(term.weight)) errors.push(invalid(at.child(PREFERRED_TERMS).index(i).child("weight"), term.weight ?? 0, WEIGHT_RANGE));
      checkNodeSelectorTerm(errors, at.child(PREFERRED_TERMS).index(i).child("preference"), term.preference ?? {}, true);
    });
  }
  if (affinity.podAffinity !== undefined) checkPodAffinity(errors, path.child("podAffinity"), affinity.podAffinity);
  if (affinity.podAntiAffinity !== undefined) checkPodAffinity(errors, path.child("podAntiAffinity"), affinity.podAntiAffinity);
}

export function checkNodeSelector(errors: Errors, path: FieldPath, selector: NodeSelector): void {
  const terms = selector.nodeSelectorTerms ?? [];
  if (terms.length === 0) errors.push(required(path.child("nodeSelectorTerms"), "must have at least one node selector term"));
  terms.forEach((term, i) => checkNodeSelectorTerm(errors, path.child("nodeSelectorTerms").index(i), term, false));
}

function checkNodeSelectorTerm(errors: Errors, path: FieldPath, term: NodeSelectorTerm, allowInvalidValues: boolean): void {
  term.matchExpressions?.forEach((requirement, i) => checkRequirement(errors, path.child("matchExpressions").index(i), requirement, { allowInvalidValues, comparisons: true }));
  term.matchFields?.forEach((requirement, i) => checkNodeFieldRequirement(errors, path.child("matchFields").index(i), requirement));
}

function checkNodeFieldRequirement(errors: Errors, path: FieldPath, requirement: NodeSelectorRequirement): void {
  const values = requirement.values ?? [];
  if (requirement.operator !== "In" && requirement.operator !== "NotIn") errors.push(invalid(path.child("operator"), requirement.operator ?? "", "not a valid selector operator"));
  else if (values.length !== 1) errors.push(required(path.child("values"), "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"));
  if (requirement.key !== "metadata.name") errors.push(invalid(path.child("key"), requirement.key ?? "", "not a valid field selector key"));
  else values.forEach((value, i) => checkName(errors, path.child("values").index(i), value, nameIsDnsSubdomain));
}

function checkPodAffinity(errors: Errors, path: FieldPath, affinity: PodAffinity): void {
  affinity[REQUIRED_TERMS]?.forEach((term, i) => checkPodAffinityTerm(errors, path.child(REQUIRED_TERMS).index(i), term));
  affinity[PREFERRED_TERMS]?.forEach((term, i) => {
    const at = path.child(PREFERRED_TERMS).index(i);
    if (!isWeight(term.weight)) errors.push(invalid(at.child("weight"), term.weight ?? 0, WEIGHT_RANGE));
    checkPodAffinityTerm(errors, at.child("podAffinityTerm"), term.podAffinityTerm ?? { topologyKey: "" });
  });
}

function checkPodAffinityTerm(errors: Errors, path: FieldPath, term: PodAffinityTerm): void {
  checkLabelSelector(errors, path.child("labelSelector"), term.labelSelector);
  checkLabelSelector(errors, path.child("namespaceSelector"), term.namespaceSelector);
  for (const namespace of term.namespaces ?? []) checkName(errors, path.child("namespace"), namespace, nameIsDnsLabel);
  checkMatchLabelKeys(errors, path, term);
  if ((term.topologyKey ?? "") === "") errors.push(required(path.child("topologyKey"), "can not be empty"));
  checkLabelKey(errors, path.child("topologyKey"), term.topologyKey ?? "");
}

function checkMatchLabelKeys(errors: Errors, path: FieldPath, term: PodAffinityTerm): void {
  const { matchLabelKeys = [], mismatchLabelKeys = [], labelSelector } = term;
  for (const [field, keys] of [["matchLabelKeys", matchLabelKeys], ["mismatchLabelKeys", mismatchLabelKeys]] as const) {
    if (keys.length > 0 && labelSelector === undefined) errors.push(forbiddenField(path.child(field), "must not be specified when labelSelector is not set"));
    else keys.forEach((key, i) => checkLabelKey(errors, path.child(field).index(i), key));
  }
  // The keys were merged into the selector before this, so one that occurs twice there was also written by the user.
  const seen = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
  for (const { key } of labelSelector?.matchExpressions ?? []) {
    if (matchLabelKeys.includes(key) && seen.has(key)) errors.push(invalid(path.index(matchLabelKeys.lastIndexOf(key)), key, "exists in both matchLabelKeys and labelSelector"));
    seen.add(key);
  }
  matchLabelKeys.forEach((key, i) => {
    if (mismatchLabelKeys.includes(key)) errors.push(invalid(path.child("matchLabelKeys").index(i), key, "exists in both matchLabelKeys and mismatchLabelKeys"));
  });
}

export function taintEffectFault(path: FieldPath, effect: string): FieldError | undefined {
  return TAINT_EFFECTS.includes(effect) ? undefined : notSupported(path, effect, TAINT_EFFECTS);
}

export function checkTolerations(errors: Errors, path: FieldPath, tolerations: readonly Toleration[]): void {
  for (let i = 0; i < tolerations.length; i++) {
    const toleration = tolerations[i]!, at = path.index(i), { key = "", operator = "", effect = "", value = "" } = toleration;
    if (key !== "") checkLabelKey(errors, at.child("key"), key);
    if (key === "" && operator !== "Exists") errors.push(invalid(at.child("operator"), operator, "operator must be Exists when `key` is empty, which means \"match all values and all keys\""));
    if (toleration.tolerationSeconds !== undefined && effect !== "NoExecute") errors.push(invalid(at.child("effect"), effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
    if (operator === "" || operator === "Equal") {
      const faults = isLabelValue(value);
      if (faults.length > 0) errors.push(invalid(at.child("operator"), value, faults.join(";")));
    } else if (operator === "Exists") {
      if (value !== "") errors.push(invalid(at.child("operator"), value, "value must be empty when `operator` is 'Exists'"));
    } else errors.push(notSupported(at.child("operator"), operator, ["Equal", "Exists"]));
    if (effect === "") continue;
    const fault = taintEffectFault(at.child("effect"), effect);
    if (fault !== undefined) errors.push(fault);
  }
}

const UNSATISFIABLE = ["DoNotSchedule", "ScheduleAnyway"];
const INCLUSION = ["Honor", "Ignore"];
export function checkTopologySpread(errors: Errors, path: FieldPath, constraints: readonly TopologySpreadConstraint[]): void {
  const pairOf = ({ topologyKey, whenUnsatisfiable }: TopologySpreadConstraint): string => JSON.stringify([topologyKey, whenUnsatisfiable]), last = new Map(constraints.map((constraint, i) => [pairOf(constraint), i]));
  constraints.forEach((constraint, i) => {
    const at = path.index(i), { minDomains } = constraint;
    const maxSkew = constraint.maxSkew ?? 0, topologyKey = constraint.topologyKey ?? "", whenUnsatisfiable = constraint.whenUnsatisfiable ?? "";
    if (maxSkew <= 0) errors.push(invalid(at.child("maxSkew"), maxSkew, NOT_POSITIVE));
    if (topologyKey === "") errors.push(required(at.child("topologyKey"), "can not be empty"));
    if (!UNSATISFIABLE.includes(whenUnsatisfiable)) errors.push(notSupported(at.child("whenUnsatisfiable"), whenUnsatisfiable, UNSATISFIABLE));
    if (last.get(pairOf(constraint))! > i) {
      errors.push(duplicate(at.child("{topologyKey, whenUnsatisfiable}"), `{${topologyKey}, ${whenUnsatisfiable}}`));
    }
    if (minDomains !== undefined) {
      if (minDomains <= 0) errors.push(invalid(at.child("minDomains"), minDomains, NOT_POSITIVE));
      if (whenUnsatisfiable !== "DoNotSchedule") errors.push(invalid(at.child("minDomains"), minDomains, `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`));
    }
    checkOptionalOneOf(errors, at.child("nodeAffinityPolicy"), constraint.nodeAffinityPolicy, INCLUSION);
    checkOptionalOneOf(errors, at.child("nodeTaintsPolicy"), constraint.nodeTaintsPolicy, INCLUSION);
    if (constraint.matchLabelKeys !== undefined) checkSpreadLabelKeys(errors, at.child("matchLabelKeys"), constraint.matchLabelKeys, constraint.labelSelector);
    checkLabelSelector(errors, at.child("labelSelector"), constraint.labelSelector);
  });
}

/** As with affinity, the pod's own values of these keys are already part of the selector. */
function checkSpreadLabelKeys(errors: Errors, path: FieldPath, keys: readonly string[], selector: LabelSelector | undefined): void {
  if (keys.length === 0) return;
  if (selector === undefined) errors.push(forbiddenField(path, "must not be specified when labelSelector is not set"));
  const seen = new Set(Object.keys(selector?.matchLabels ?? {}));
  for (const { key } of selector?.matchExpressions ?? []) {
    if (keys.includes(key) && seen.has(key)) errors.push(invalid(path.index(keys.indexOf(key)), key, "exists in both matchLabelKeys and labelSelector"));
    seen.add(key);
  }
  keys.forEach((key, i) => checkLabelKey(errors, path.index(i), key));
}

/** PodDisruptionBudget: how many pods must stay when some are evicted. Counterpart: kubernetes `registry/policy/poddisruptionbudget`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { invalid } from "../field-error.ts";
import { SPEC, STATUS } from "../field-path.ts";
import type { PodDisruptionBudget, PodDisruptionBudgetSpec, PodDisruptionBudgetStatus } from "../schema/generated/models.ts";
import { poddisruptionbudgets } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { checkNonNegative, checkOptionalOneOf, type Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { checkConditions } from "../validation/conditions.ts";
import { checkAtMost100Percent, checkIntOrPercent } from "../validation/int-or-percent.ts";
import { checkLabelSelector } from "../validation/labels.ts";
import { nameIsPathSegment } from "../validation/names.ts";

function checkSpec(errors: Errors, spec: PodDisruptionBudgetSpec): void {
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy: policy } = spec;
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    const shown = { MinAvailable: minAvailable, MaxUnavailable: maxUnavailable, Selector: selector ?? null, UnhealthyPodEvictionPolicy: policy ?? null };
    errors.push(invalid(SPEC, shown, "minAvailable and maxUnavailable cannot be both set"));
  }
  for (const field of ["minAvailable", "maxUnavailable"] as const) {
    const value = spec[field];
    if (value === undefined) continue;
    checkIntOrPercent(errors, SPEC.child(field), value);
    checkAtMost100Percent(errors, SPEC.child(field), value);
  }
  checkLabelSelector(errors, SPEC.child("selector"), selector);
  checkOptionalOneOf(errors, SPEC.child("unhealthyPodEvictionPolicy"), policy, ["AlwaysAllow", "IfHealthyBudget"]);
}

function checkStatus(errors: Errors, status: PodDisruptionBudgetStatus): void {
  checkConditions(errors, STATUS.child("conditions"), status.conditions);
  for (const field of ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] as const) checkNonNegative(errors, STATUS.child(field), status[field]);
}

export const podDisruptionBudgetDefinition = defineResource<PodDisruptionBudget>({
  reference: poddisruptionbudgets,
  shortNames: ["pdb"],
  hasGeneration: true,
  generationChanged: (budget, old) => !semanticEqual(budget.spec, old.spec),
  allowUnconditionalUpdate: false,
  validateName: nameIsPathSegment,
  prepareForCreate: (budget) => void (budget.status = {}),
  prepareForUpdate: (budget, old) => void (budget.status = old.status),
  prepareForStatusUpdate: (budget, old) => void (budget.spec = old.spec),
  validate: ({ spec }) => collect((errors) => checkSpec(errors, spec ?? {})),
  validateStatusUpdate: ({ status }) => collect((errors) => checkStatus(errors, status ?? {})),
  columns: [
    nameColumn,
    column("Min Available", ({ spec }) => String(spec?.minAvailable ?? "N/A"), { description: "The minimum number of pods that must be available." }),
    column("Max Unavailable", ({ spec }) => String(spec?.maxUnavailable ?? "N/A"), { description: "The maximum number of pods that may be unavailable." }),
    column("Allowed Disruptions", ({ status }) => status?.disruptionsAllowed ?? 0, { type: "integer", description: "Calculated number of pods that may be disrupted at this time." }),
    ageColumn,
  ],
});

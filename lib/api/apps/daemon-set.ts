/** DaemonSet: one pod on every node that fits. Counterpart: kubernetes `registry/apps/daemonset`. */
import { ageColumn, column, containerColumns, formatLabels, nameColumn } from "../columns.ts";
import { checkPodTemplate, defaultPodTemplate } from "../core/pod-template-spec.ts";
import { defineResource } from "../define-resource.ts";
import { forbiddenField, invalid, notSupported, required } from "../field-error.ts";
import { SPEC, STATUS } from "../field-path.ts";
import { formatLabelSelector, matchesLabels } from "../helpers/label-selector.ts";
import type { DaemonSet, DaemonSetUpdateStrategy } from "../schema/generated/models.ts";
import { daemonsets } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { checkNonNegative, type Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { checkAtMost100Percent, checkIntOrPercent, percentOrCount } from "../validation/int-or-percent.ts";
import { checkLabelSelector, isEmptyLabelSelector } from "../validation/labels.ts";
import { checkCollisionCount, checkSelectorKept, readSelector, SELECTOR, TEMPLATE, templateWarnings } from "./workload-validation.ts";

const COUNTS = ["currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady", "observedGeneration", "updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount"] as const;

function defaults(set: DaemonSet): void {
  const spec = (set.spec ??= { selector: {}, template: {} });
  const strategy = (spec.updateStrategy ??= {});
  strategy.type ||= "RollingUpdate";
  if (strategy.type === "RollingUpdate") {
    const rolling = (strategy.rollingUpdate ??= {});
    rolling.maxUnavailable ??= 1;
    rolling.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= 10;
  defaultPodTemplate((spec.template ??= {}));
}

/** The server's own count of templates, shown as an annotation since apps/v1 has no field for it. */
const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";
const templateGenerationOf = ({ metadata }: DaemonSet): number => Number(metadata.annotations?.[TEMPLATE_GENERATION] ?? 0) || 0;
const setTemplateGeneration = ({ metadata }: DaemonSet, generation: number): void => void (metadata.annotations = { ...metadata.annotations, [TEMPLATE_GENERATION]: String(generation) });

function checkStrategy(errors: Errors, strategy: DaemonSetUpdateStrategy): void {
  const path = SPEC.child("updateStrategy"), rolling = strategy.rollingUpdate, at = path.child("rollingUpdate");
  if (strategy.type === "OnDelete") return;
  if (strategy.type !== "RollingUpdate") errors.push(notSupported(path, { Type: strategy.type ?? "", RollingUpdate: rolling ?? null }, ["RollingUpdate", "OnDelete"]));
  else if (rolling === undefined) errors.push(required(at));
  else {
    const maxUnavailable = rolling.maxUnavailable ?? 0, maxSurge = rolling.maxSurge ?? 0;
    checkIntOrPercent(errors, at.child("maxUnavailable"), maxUnavailable);
    checkIntOrPercent(errors, at.child("maxSurge"), maxSurge);
    checkAtMost100Percent(errors, at.child("maxUnavailable"), maxUnavailable);
    checkAtMost100Percent(errors, at.child("maxSurge"), maxSurge);
    const hasUnavailable = percentOrCount(maxUnavailable) !== 0, hasSurge = percentOrCount(maxSurge) !== 0;
    if (hasUnavailable && hasSurge) errors.push(invalid(at.child("maxSurge"), maxSurge, "may not be set when maxUnavailable is non-zero"));
    if (!hasUnavailable && !hasSurge) errors.push(required(at.child("maxUnavailable"), "cannot be 0 when maxSurge is 0"));
  }
}

function checkSpec(errors: Errors, set: DaemonSet): void {
  const { spec } = set, template = spec?.template ?? {}, matcher = readSelector(spec?.selector);
  checkLabelSelector(errors, SELECTOR, spec?.selector);
  if (matcher !== undefined && !matchesLabels(matcher, template.metadata?.labels ?? {})) errors.push(invalid(TEMPLATE.child("metadata", "labels"), template.metadata?.labels, "`selector` does not match template `labels`"));
  if (spec?.selector !== undefined && isEmptyLabelSelector(spec.selector)) errors.push(invalid(SELECTOR, spec.selector, "empty selector is invalid for daemonset"));
  checkPodTemplate(errors, TEMPLATE, template);
  if (template.spec?.restartPolicy !== "Always") errors.push(notSupported(TEMPLATE.child("spec", "restartPolicy"), template.spec?.restartPolicy ?? "", ["Always"]));
  if (template.spec?.activeDeadlineSeconds !== undefined) errors.push(forbiddenField(TEMPLATE.child("spec", "activeDeadlineSeconds"), "activeDeadlineSeconds in DaemonSet is not Supported"));
  checkStrategy(errors, spec?.updateStrategy ?? {});
  checkNonNegative(errors, SPEC.child("minReadySeconds"), spec?.minReadySeconds);
  checkNonNegative(errors, SPEC.child("revisionHistoryLimit"), spec?.revisionHistoryLimit);
}

export const daemonSetDefinition = defineResource<DaemonSet>({
  reference: daemonsets,
  shortNames: ["ds"],
  categories: ["all"],
  hasGeneration: true,
  generationChanged: (set, old) => !semanticEqual(set.spec, old.spec),
  defaults,
  prepareForCreate: (set) => {
    setTemplateGeneration(set, 1);
    set.status = { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 };
  },
  prepareForUpdate: (set, old) => {
    setTemplateGeneration(set, templateGenerationOf(old) + Number(!semanticEqual(set.spec?.template, old.spec?.template)));
    set.status = old.status;
  },
  prepareForStatusUpdate: (set, old) => void (set.spec = old.spec),
  validate: (set) => collect((errors) => checkSpec(errors, set)),
  validateUpdate: (set, old) => collect((errors) => {
    checkSpec(errors, set);
    checkSelectorKept(errors, set.spec?.selector, old.spec?.selector);
  }),
  validateStatusUpdate: ({ status }, old) => collect((errors) => {
    for (const count of COUNTS) checkNonNegative(errors, STATUS.child(count), status?.[count]);
    checkCollisionCount(errors, status?.collisionCount, old.status?.collisionCount);
  }),
  warnings: ({ spec }, old) => (old === undefined || !semanticEqual(spec, old.spec) ? templateWarnings(spec?.template) : []),
  columns: [
    nameColumn,
    column("Desired", ({ status }) => status?.desiredNumberScheduled ?? 0, { type: "integer", description: "On how many nodes it should run." }),
    column("Current", ({ status }) => status?.currentNumberScheduled ?? 0, { type: "integer", description: "On how many nodes it runs." }),
    column("Ready", ({ status }) => status?.numberReady ?? 0, { type: "integer", description: "On how many nodes it is ready." }),
    column("Up-to-date", ({ status }) => status?.updatedNumberScheduled ?? 0, { type: "integer", description: "On how many nodes it is of the current template." }),
    column("Available", ({ status }) => status?.numberAvailable ?? 0, { type: "integer", description: "On how many nodes it has been ready long enough." }),
    column("Node Selector", ({ spec }) => formatLabels(spec?.template?.spec?.nodeSelector), { description: "The labels of the nodes." }),
    ageColumn,
    ...containerColumns(({ spec }: DaemonSet) => spec?.template),
    column("Selector", ({ spec }) => formatLabelSelector(spec?.selector), { wide: true, description: "Which pods are its own." }),
  ],
});

/** Deployment: pods that are replaced step by step when their template changes. Counterpart: kubernetes `registry/apps/deployment`. */
import { ageColumn, column, containerColumns, nameColumn } from "../columns.ts";
import { defaultPodTemplate } from "../core/pod-template-spec.ts";
import { defineResource } from "../define-resource.ts";
import { forbiddenField, invalid, notSupported, required } from "../field-error.ts";
import { SPEC, STATUS } from "../field-path.ts";
import { formatLabelSelector } from "../helpers/label-selector.ts";
import type { Deployment, DeploymentStrategy } from "../schema/generated/models.ts";
import { deployments } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { checkNonNegative, type Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { checkAtMost100Percent, checkIntOrPercent, percentOrCount } from "../validation/int-or-percent.ts";
import { checkReplicaCounts } from "../validation/replica-status.ts";
import { checkCollisionCount, checkSelectorAndTemplate, checkSelectorKept, templateWarnings } from "./workload-validation.ts";

const STRATEGY = SPEC.child("strategy");

function defaults(deployment: Deployment): void {
  const spec = (deployment.spec ??= { selector: {}, template: {} });
  spec.replicas ??= 1;
  const strategy = (spec.strategy ??= {});
  strategy.type ||= "RollingUpdate";
  if (strategy.type === "RollingUpdate") {
    const rolling = (strategy.rollingUpdate ??= {});
    rolling.maxUnavailable ??= "25%";
    rolling.maxSurge ??= "25%";
  }
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
  defaultPodTemplate((spec.template ??= {}));
}

function checkStrategy(errors: Errors, strategy: DeploymentStrategy): void {
  const { type, rollingUpdate } = strategy, path = STRATEGY.child("rollingUpdate");
  if (type === "Recreate") {
    if (rollingUpdate !== undefined) errors.push(forbiddenField(path, "may not be specified when strategy `type` is 'Recreate'"));
  } else if (type !== "RollingUpdate") errors.push(notSupported(STRATEGY, { Type: type ?? "", RollingUpdate: rollingUpdate ?? null }, ["Recreate", "RollingUpdate"]));
  else if (rollingUpdate === undefined) errors.push(required(path, "this should be defaulted and never be nil"));
  else {
    const maxUnavailable = rollingUpdate.maxUnavailable ?? 0, maxSurge = rollingUpdate.maxSurge ?? 0;
    checkIntOrPercent(errors, path.child("maxUnavailable"), maxUnavailable);
    checkIntOrPercent(errors, path.child("maxSurge"), maxSurge);
    if (percentOrCount(maxUnavailable) === 0 && percentOrCount(maxSurge) === 0) errors.push(invalid(path.child("maxUnavailable"), maxUnavailable, "may not be 0 when `maxSurge` is 0"));
    checkAtMost100Percent(errors, path.child("maxUnavailable"), maxUnavailable);
  }
}

function checkSpec(errors: Errors, deployment: Deployment): void {
  const { spec } = deployment;
  checkNonNegative(errors, SPEC.child("replicas"), spec?.replicas);
  checkSelectorAndTemplate(errors, spec ?? {}, "deployment", "ReplicaSet");
  checkStrategy(errors, spec?.strategy ?? {});
  checkNonNegative(errors, SPEC.child("minReadySeconds"), spec?.minReadySeconds);
  checkNonNegative(errors, SPEC.child("revisionHistoryLimit"), spec?.revisionHistoryLimit);
  const deadline = spec?.progressDeadlineSeconds;
  checkNonNegative(errors, SPEC.child("progressDeadlineSeconds"), deadline);
  if (deadline !== undefined && deadline <= (spec?.minReadySeconds ?? 0)) errors.push(invalid(SPEC.child("progressDeadlineSeconds"), deadline, "must be greater than minReadySeconds"));
}

export const deploymentDefinition = defineResource<Deployment>({
  reference: deployments,
  shortNames: ["deploy"],
  categories: ["all"],
  scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas", labelSelectorPath: ".spec.selector" },
  hasGeneration: true,
  // Annotations count too: the controller copies them to the replica sets.
  generationChanged: (deployment, old) => !semanticEqual(deployment.spec, old.spec) || !semanticEqual(deployment.metadata.annotations ?? {}, old.metadata.annotations ?? {}),
  defaults,
  prepareForCreate: (deployment) => void (deployment.status = {}),
  prepareForUpdate: (deployment, old) => void (deployment.status = old.status),
  prepareForStatusUpdate: (deployment, old) => {
    deployment.spec = old.spec;
    deployment.metadata.labels = old.metadata.labels;
  },
  validate: (deployment) => collect((errors) => checkSpec(errors, deployment)),
  validateUpdate: (deployment, old) => collect((errors) => {
    checkSpec(errors, deployment);
    checkSelectorKept(errors, deployment.spec?.selector, old.spec?.selector);
  }),
  validateStatusUpdate: ({ status }, old) => collect((errors) => {
    checkReplicaCounts(errors, STATUS, status ?? {});
    checkNonNegative(errors, STATUS.child("unavailableReplicas"), status?.unavailableReplicas);
    checkCollisionCount(errors, status?.collisionCount, old.status?.collisionCount);
  }),
  warnings: ({ spec }, old) => (old === undefined || !semanticEqual(spec, old.spec) ? templateWarnings(spec?.template) : []),
  columns: [
    nameColumn,
    column("Ready", ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`, { description: "Number of the pod with ready state" }),
    column("Up-to-date", ({ status }) => status?.updatedReplicas ?? 0, { description: "How many pods are of the current template." }),
    column("Available", ({ status }) => status?.availableReplicas ?? 0, { description: "How many pods have been ready long enough." }),
    ageColumn,
    ...containerColumns(({ spec }: Deployment) => spec?.template),
    column("Selector", ({ spec }) => formatLabelSelector(spec?.selector), { wide: true, description: "Which pods are its own." }),
  ],
});

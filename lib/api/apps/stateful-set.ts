/** StatefulSet: pods with names and volumes of their own, in order. Counterpart: kubernetes `registry/apps/statefulset`. */
import { ageColumn, column, containerColumns, nameColumn } from "../columns.ts";
import { defaultPodTemplate } from "../core/pod-template-spec.ts";
import { defineResource } from "../define-resource.ts";
import { forbiddenField, invalid, notSupported, required } from "../field-error.ts";
import { SPEC, STATUS } from "../field-path.ts";
import type { StatefulSet, StatefulSetSpec } from "../schema/generated/models.ts";
import { statefulsets } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { checkName, checkNonNegative, type Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { checkAtMost100Percent, checkIntOrPercent, percentOrCount } from "../validation/int-or-percent.ts";
import { nameIsDnsLabel } from "../validation/names.ts";
import { checkReplicaCounts } from "../validation/replica-status.ts";
import { checkCollisionCount, checkSelectorAndTemplate, templateWarnings } from "./workload-validation.ts";

const MUTABLE = ["replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "persistentVolumeClaimRetentionPolicy", "minReadySeconds"] as const;

function defaults(set: StatefulSet): void {
  const spec = (set.spec ??= { selector: {}, template: {} });
  spec.podManagementPolicy ||= "OrderedReady";
  const strategy = (spec.updateStrategy ??= {});
  if ((strategy.type ?? "") === "") {
    strategy.type = "RollingUpdate";
    strategy.rollingUpdate ??= {};
  }
  if (strategy.type === "RollingUpdate" && strategy.rollingUpdate !== undefined) strategy.rollingUpdate.partition ??= 0;
  const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {});
  retention.whenDeleted ||= "Retain";
  retention.whenScaled ||= "Retain";
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
  defaultPodTemplate((spec.template ??= {}));
  for (const claim of spec.volumeClaimTemplates ?? []) {
    (claim.spec ??= {}).volumeMode ??= "Filesystem";
    (claim.status ??= {}).phase ||= "Pending";
    claim.apiVersion ??= "v1";
    claim.kind ??= "PersistentVolumeClaim";
  }
}

function checkStrategy(errors: Errors, spec: StatefulSetSpec): void {
  const path = SPEC.child("updateStrategy"), { type, rollingUpdate: rolling } = spec.updateStrategy ?? {}, at = path.child("rollingUpdate");
  if ((type ?? "") === "") errors.push(required(path));
  else if (type === "OnDelete") {
    if (rolling !== undefined) errors.push(invalid(at, rolling, "only allowed for updateStrategy 'RollingUpdate'"));
  } else if (type !== "RollingUpdate") errors.push(invalid(path, { Type: type, RollingUpdate: rolling ?? null }, "must be 'RollingUpdate' or 'OnDelete'"));
  else if (rolling !== undefined) {
    checkNonNegative(errors, at.child("partition"), rolling.partition);
    if (rolling.maxUnavailable === undefined) return;
    checkIntOrPercent(errors, at.child("maxUnavailable"), rolling.maxUnavailable);
    if (percentOrCount(rolling.maxUnavailable) === 0) errors.push(invalid(at.child("maxUnavailable"), rolling.maxUnavailable, "cannot be 0"));
    checkAtMost100Percent(errors, at.child("maxUnavailable"), rolling.maxUnavailable);
  }
}

function checkSpec(errors: Errors, set: StatefulSet): void {
  const spec = set.spec ?? { selector: {}, template: {} }, policy = spec.podManagementPolicy ?? "";
  if (policy === "") errors.push(required(SPEC.child("podManagementPolicy")));
  else if (policy !== "OrderedReady" && policy !== "Parallel") errors.push(invalid(SPEC.child("podManagementPolicy"), policy, "must be 'OrderedReady' or 'Parallel'"));
  checkStrategy(errors, spec);
  for (const field of ["whenDeleted", "whenScaled"] as const) {
    const value = spec.persistentVolumeClaimRetentionPolicy?.[field];
    if (value !== undefined && value !== "Retain" && value !== "Delete") errors.push(notSupported(SPEC.child("persistentVolumeClaimRetentionPolicy", field), value, ["Retain", "Delete"]));
  }
  checkNonNegative(errors, SPEC.child("replicas"), spec.replicas);
  checkNonNegative(errors, SPEC.child("minReadySeconds"), spec.minReadySeconds);
  checkNonNegative(errors, SPEC.child("ordinals.start"), spec.ordinals?.start);
  checkSelectorAndTemplate(errors, spec, "statefulset", "StatefulSet");
}

function checkUpdate(errors: Errors, set: StatefulSet, old: StatefulSet): void {
  const compared: Record<string, unknown> = { ...set.spec }, was: Record<string, unknown> = { ...old.spec };
  for (const field of MUTABLE) compared[field] = was[field];
  if (!semanticEqual(compared, was)) {
    errors.push(forbiddenField(SPEC, "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"));
  }
}

export const statefulSetDefinition = defineResource<StatefulSet>({
  reference: statefulsets,
  shortNames: ["sts"],
  categories: ["all"],
  scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas", labelSelectorPath: ".spec.selector" },
  hasGeneration: true,
  generationChanged: (set, old) => !semanticEqual(set.spec, old.spec),
  defaults,
  prepareForCreate: (set) => void (set.status = { replicas: 0 }),
  prepareForUpdate: (set, old) => void (set.status = old.status),
  prepareForStatusUpdate: (set, old) => void (set.spec = old.spec),
  validate: (set) => collect((errors) => {
    checkSpec(errors, set);
    // On create alone: sets with other names are there from before this was checked.
    if ((set.spec?.serviceName ?? "") !== "") checkName(errors, SPEC.child("serviceName"), set.spec!.serviceName!, nameIsDnsLabel);
  }),
  validateUpdate: (set, old) => collect((errors) => {
    checkSpec(errors, set);
    checkUpdate(errors, set, old);
  }),
  validateStatusUpdate: ({ status }, old) => collect((errors) => {
    checkReplicaCounts(errors, STATUS, status ?? {});
    checkCollisionCount(errors, status?.collisionCount, old.status?.collisionCount);
  }),
  warnings: ({ spec }, old) => [
    ...(old === undefined || !semanticEqual(spec, old.spec) ? templateWarnings(spec?.template) : []),
    ...((spec?.revisionHistoryLimit ?? 0) < 0 ? ["spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"] : []),
  ],
  columns: [
    nameColumn,
    column("Ready", ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`, { description: "Number of the pod with ready state" }),
    ageColumn,
    ...containerColumns(({ spec }: StatefulSet) => spec?.template),
  ],
});

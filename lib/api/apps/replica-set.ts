/** ReplicaSet: a number of like pods. Counterpart: kubernetes `registry/apps/replicaset`. */
import { ageColumn, column, containerColumns, nameColumn, replicaColumns } from "../columns.ts";
import { defaultPodTemplate } from "../core/pod-template-spec.ts";
import { defineResource } from "../define-resource.ts";
import { SPEC, STATUS } from "../field-path.ts";
import { formatLabelSelector } from "../helpers/label-selector.ts";
import type { ReplicaSet } from "../schema/generated/models.ts";
import { replicasets } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { checkNonNegative, type Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { checkReplicaCounts } from "../validation/replica-status.ts";
import { checkSelectorAndTemplate, checkSelectorKept, templateWarnings } from "./workload-validation.ts";

function defaults(set: ReplicaSet): void {
  const spec = (set.spec ??= { selector: {} });
  spec.replicas ??= 1;
  defaultPodTemplate((spec.template ??= {}));
}

function checkSpec(errors: Errors, set: ReplicaSet): void {
  const { spec } = set;
  checkNonNegative(errors, SPEC.child("replicas"), spec?.replicas);
  checkNonNegative(errors, SPEC.child("minReadySeconds"), spec?.minReadySeconds);
  checkSelectorAndTemplate(errors, spec ?? {}, "deployment", "ReplicaSet");
}

export const replicaSetDefinition = defineResource<ReplicaSet>({
  reference: replicasets,
  shortNames: ["rs"],
  categories: ["all"],
  scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas", labelSelectorPath: ".spec.selector" },
  hasGeneration: true,
  generationChanged: (set, old) => !semanticEqual(set.spec, old.spec),
  defaults,
  prepareForCreate: (set) => void (set.status = { replicas: 0 }),
  prepareForUpdate: (set, old) => void (set.status = old.status),
  prepareForStatusUpdate: (set, old) => void (set.spec = old.spec),
  validate: (set) => collect((errors) => checkSpec(errors, set)),
  validateUpdate: (set, old) => collect((errors) => {
    checkSpec(errors, set);
    checkSelectorKept(errors, set.spec?.selector, old.spec?.selector);
  }),
  validateStatusUpdate: ({ status }) => collect((errors) => checkReplicaCounts(errors, STATUS, status ?? {})),
  warnings: ({ spec }, old) => (old === undefined || !semanticEqual(spec, old.spec) ? templateWarnings(spec?.template) : []),
  columns: [
    nameColumn,
    ...replicaColumns,
    ageColumn,
    ...containerColumns(({ spec }: ReplicaSet) => spec?.template),
    column("Selector", ({ spec }) => formatLabelSelector(spec?.selector), { wide: true, description: "Which pods are its own." }),
  ],
  selectableFields: ({ status }) => ({ "status.replicas": String(status?.replicas ?? 0) }),
});

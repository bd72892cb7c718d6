/** ReplicationController: a number of like pods, in the oldest form. Counterpart: kubernetes `registry/core/replicationcontroller`. */
import { ageColumn, column, containerColumns, formatLabels, nameColumn, replicaColumns } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { required, type FieldError } from "../field-error.ts";
import { SPEC, STATUS } from "../field-path.ts";
import { selectorFromSet } from "../helpers/label-selector.ts";
import type { ReplicationController } from "../schema/generated/models.ts";
import { replicationcontrollers } from "../schema/generated/references.ts";
import { checkNonNegative } from "../validation/checks.ts";
import { checkReplicaCounts } from "../validation/replica-status.ts";
import { checkWorkloadTemplate, defaultPodTemplate } from "./pod-template-spec.ts";
import { podSpecWarnings } from "./pod-warnings.ts";

function defaults(controller: ReplicationController): void {
  const spec = (controller.spec ??= {});
  const labels = spec.template === undefined ? undefined : defaultPodTemplate(spec.template).metadata?.labels;
  if (labels !== undefined) {
    if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
    if (Object.keys(controller.metadata.labels ?? {}).length === 0) controller.metadata.labels = { ...labels };
  }
  spec.replicas ??= 1;
}

function validate(controller: ReplicationController): FieldError[] {
  const spec = controller.spec ?? {}, selector = spec.selector ?? {};
  const errors: FieldError[] = [];
  checkNonNegative(errors, SPEC.child("minReadySeconds"), spec.minReadySeconds);
  if (Object.keys(selector).length === 0) errors.push(required(SPEC.child("selector")));
  checkNonNegative(errors, SPEC.child("replicas"), spec.replicas);
  checkWorkloadTemplate(errors, SPEC.child("template"), spec.template, { selector: selectorFromSet(selector), deadlineOwner: "ReplicationController" });
  return errors;
}

export const replicationControllerDefinition = defineResource<ReplicationController>({
  reference: replicationcontrollers,
  shortNames: ["rc"],
  categories: ["all"],
  scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas", labelSelectorPath: ".spec.selector" },
  hasGeneration: true,
  defaultPropagation: "orphan",
  defaults,
  prepareForCreate: (controller) => void (controller.status = { replicas: 0 }),
  prepareForUpdate: (controller, old) => void (controller.status = old.status),
  prepareForStatusUpdate: (controller, old) => void (controller.spec = old.spec),
  validate,
  validateStatusUpdate: ({ status }) => {
    const errors: FieldError[] = [];
    checkReplicaCounts(errors, STATUS, status ?? { replicas: 0 });
    return errors;
  },
  warnings: ({ spec }, old) => (old !== undefined && old.metadata.generation === undefined ? [] : podSpecWarnings(SPEC.child("template", "spec"), spec?.template?.spec ?? { containers: [] }, spec?.template?.metadata, SPEC.child("template", "metadata"))),
  columns: [
    nameColumn,
    ...replicaColumns,
    ageColumn,
    ...containerColumns(({ spec }: ReplicationController) => spec?.template),
    column("Selector", ({ spec }) => formatLabels(spec?.selector), { wide: true, description: "The labels of the pods." }),
  ],
  selectableFields: ({ status }) => ({ "status.replicas": String(status?.replicas ?? 0) }),
});

/** ControllerRevision: one state a workload has had, kept for going back. Counterpart: kubernetes `registry/apps/controllerrevision`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { required } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { ControllerRevision } from "../schema/generated/models.ts";
import { controllerrevisions } from "../schema/generated/references.ts";
import { checkImmutable, checkNonNegative, type Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";

function check(errors: Errors, { data, revision }: ControllerRevision): void {
  if (data === undefined) errors.push(required(FieldPath.of("data"), "data is mandatory"));
  checkNonNegative(errors, FieldPath.of("revision"), revision);
}

function controllerOf({ metadata }: ControllerRevision): string {
  const owner = metadata.ownerReferences?.find((reference) => reference.controller === true);
  if (owner === undefined) return "<none>";
  const slash = owner.apiVersion.lastIndexOf("/"), group = slash < 0 ? "" : `.${owner.apiVersion.slice(0, slash)}`;
  return `${owner.kind}${group}`.toLowerCase() + `/${owner.name}`;
}

export const controllerRevisionDefinition = defineResource<ControllerRevision>({
  reference: controllerrevisions,
  validate: (object) => collect((errors) => check(errors, object)),
  validateUpdate: (object, old) => collect((errors) => {
    check(errors, object);
    checkImmutable(errors, FieldPath.of("data"), object.data, old.data);
  }),
  columns: [
    nameColumn,
    column("Controller", controllerOf, { description: "Controller of the object" }),
    column("Revision", ({ revision }) => revision ?? 0, { description: "Which of its states, counted up." }),
    ageColumn,
  ],
});

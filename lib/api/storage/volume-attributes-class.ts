/** VolumeAttributesClass: attributes of volumes that may change later. Counterpart: kubernetes `registry/storage/volumeattributesclass`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { forbiddenField, required } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { VolumeAttributesClass } from "../schema/generated/models.ts";
import { volumeattributesclasses } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import type { Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { PARAMETERS, checkParameters, checkProvisioner } from "./storage-validation.ts";

const DRIVER_NAME = FieldPath.of("driverName");

function checkClass(errors: Errors, one: VolumeAttributesClass): void {
  checkProvisioner(errors, DRIVER_NAME, one.driverName);
  checkParameters(errors, one.parameters);
  if (Object.keys(one.parameters ?? {}).length === 0) errors.push(required(PARAMETERS, "must contain at least one key/value pair"));
}

export const volumeAttributesClassDefinition = defineResource<VolumeAttributesClass>({
  reference: volumeattributesclasses,
  shortNames: ["vac"],
  notRunYet: true,
  validate: (one) => collect((errors) => checkClass(errors, one)),
  validateUpdate: (one, old) => collect((errors) => {
    if (one.driverName !== old.driverName) errors.push(forbiddenField(DRIVER_NAME, "updates to driverName are forbidden."));
    if (!semanticEqual(one.parameters ?? {}, old.parameters ?? {})) errors.push(forbiddenField(PARAMETERS, "updates to parameters are forbidden."));
    checkClass(errors, one);
  }),
  columns: [nameColumn, column("DriverName", ({ driverName }) => driverName ?? "", { description: "The driver it is for." }), ageColumn],
});

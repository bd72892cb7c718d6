/** DeviceClass: devices of a kind, and how they are set up. Counterpart: kubernetes `registry/resource/deviceclass`. */
import { defineResource } from "../define-resource.ts";
import { invalid, type FieldError } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import { isExtendedResourceName } from "../helpers/resource-names.ts";
import type { DeviceClass } from "../schema/generated/models.ts";
import { deviceclasses } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { LIST_MAX, checkConfiguration, checkItems, checkSelectors } from "./device-validation.ts";

function validate({ spec }: DeviceClass): FieldError[] {
  const errors: FieldError[] = [], name = spec?.extendedResourceName;
  checkSelectors(errors, SPEC.child("selectors"), spec?.selectors);
  checkItems(errors, SPEC.child("config"), spec?.config, LIST_MAX, ({ opaque }, path) => checkConfiguration(errors, path, opaque));
  if (name !== undefined && !isExtendedResourceName(name)) errors.push(invalid(SPEC.child("extendedResourceName"), name, "must be a valid extended resource name"));
  return errors;
}

export const deviceClassDefinition = defineResource<DeviceClass>({
  reference: deviceclasses,
  hasGeneration: true,
  generationChanged: (one, old) => !semanticEqual(one.spec, old.spec),
  notRunYet: true,
  validate,
});

/** ResourceClaimTemplate: claims made for pods, one each. Counterpart: kubernetes `registry/resource/resourceclaimtemplate`. */
import { defineResource } from "../define-resource.ts";
import { SPEC } from "../field-path.ts";
import type { ResourceClaimTemplate } from "../schema/generated/models.ts";
import { resourceclaimtemplates } from "../schema/generated/references.ts";
import { checkImmutable } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { checkTemplateObjectMeta } from "../validation/object-meta.ts";
import { checkClaimSpec, defaultClaim } from "./claim-validation.ts";

export const resourceClaimTemplateDefinition = defineResource<ResourceClaimTemplate>({
  reference: resourceclaimtemplates,
  notRunYet: true,
  defaults: ({ spec }) => defaultClaim(spec?.spec),
  validate: ({ spec }) => collect((errors) => {
    checkTemplateObjectMeta(errors, SPEC.child("metadata"), spec?.metadata);
    checkClaimSpec(errors, SPEC.child("spec"), spec?.spec);
  }),
  validateUpdate: ({ spec }, old) => collect((errors) => checkImmutable(errors, SPEC, spec, old.spec)),
});

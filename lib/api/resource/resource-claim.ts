/** ResourceClaim: devices somebody needs. Counterpart: kubernetes `registry/resource/resourceclaim`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { keepMetadata } from "../helpers/status-metadata.ts";
import { SPEC } from "../field-path.ts";
import type { ResourceV1ResourceClaim } from "../schema/generated/models.ts";
import { resourceclaims } from "../schema/generated/references.ts";
import { checkImmutable } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { checkClaimSpec, checkClaimStatus, defaultClaim } from "./claim-validation.ts";

function stateCell({ metadata, status }: ResourceV1ResourceClaim): string {
  const isDeleted = metadata.deletionTimestamp !== undefined, states = isDeleted ? ["deleted"] : [];
  if (status?.allocation !== undefined) states.push("allocated", ...((status.reservedFor ?? []).length > 0 ? ["reserved"] : []));
  else if (!isDeleted) states.push("pending");
  return states.join(",");
}

export const resourceClaimDefinition = defineResource<ResourceV1ResourceClaim>({
  reference: resourceclaims,
  notRunYet: true,
  defaults: ({ spec }) => defaultClaim(spec),
  prepareForCreate: (claim) => void (claim.status = {}),
  prepareForUpdate: (claim, old) => void (claim.status = old.status),
  prepareForStatusUpdate: (claim, old) => {
    claim.spec = old.spec;
    keepMetadata(claim, old);
  },
  validate: ({ spec }) => collect((errors) => checkClaimSpec(errors, SPEC, spec)),
  validateUpdate: ({ spec }, old) => collect((errors) => checkImmutable(errors, SPEC, spec, old.spec)),
  validateStatusUpdate: (claim, old) => collect((errors) => checkClaimStatus(errors, claim, old)),
  columns: [nameColumn, column("State", stateCell, { description: "A summary of the current state (allocated, pending, reserved, etc.)." }), ageColumn],
});

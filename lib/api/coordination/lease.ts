/** Lease: who holds a task, and until when. Counterpart: kubernetes `registry/coordination/lease`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { forbiddenField, invalid, notSupported, type FieldError } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import type { Lease } from "../schema/generated/models.ts";
import { leases } from "../schema/generated/references.ts";
import { NEGATIVE, checkLabelKey, type Errors } from "../validation/checks.ts";

const STRATEGIES = ["OldestEmulationVersion"];

/** Without a slash one of Kubernetes' own, with one a name of whoever owns the domain. Upstream tells faults at `strategy.strategy`. */
function checkStrategy(errors: Errors, strategy: string): void {
  const path = SPEC.child("strategy", "strategy");
  if (strategy.includes("/")) checkLabelKey(errors, path, strategy);
  else if (!STRATEGIES.includes(strategy)) errors.push(notSupported(path, strategy, STRATEGIES));
}

function validate(lease: Lease): FieldError[] {
  const errors: FieldError[] = [], spec = lease.spec ?? {};
  const { leaseDurationSeconds: seconds, leaseTransitions: transitions, strategy, preferredHolder } = spec;
  if (seconds !== undefined && seconds <= 0) errors.push(invalid(SPEC.child("leaseDurationSeconds"), seconds, "must be greater than 0"));
  if (transitions !== undefined && transitions < 0) errors.push(invalid(SPEC.child("leaseTransitions"), transitions, NEGATIVE));
  if (strategy !== undefined) checkStrategy(errors, strategy);
  if ((preferredHolder ?? "") !== "" && (strategy ?? "") === "") errors.push(forbiddenField(SPEC.child("preferredHolder"), "may only be specified if `strategy` is defined"));
  return errors;
}

export const leaseDefinition = defineResource<Lease>({
  reference: leases,
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  validate,
  columns: [nameColumn, column("Holder", (lease) => lease.spec?.holderIdentity ?? "", { description: "Who holds it now." }), ageColumn],
});

/** CSIDriver: how a storage driver wants to be treated. Counterpart: kubernetes `registry/storage/csidriver`. */
import { ageColumn, column, nameColumn, orNone } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { duplicate, invalid, notSupported, required } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import type { CSIDriver, CSIDriverSpec } from "../schema/generated/models.ts";
import { csidrivers } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { checkImmutable, checkOptionalOneOf, type Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";

const TOKEN_SECONDS_MIN = 600, TOKEN_SECONDS_MAX = 2 ** 32, UPDATE_PERIOD_SECONDS_MIN = 10;

function defaults(driver: CSIDriver): void {
  const spec = (driver.spec ??= {});
  spec.attachRequired ??= true;
  spec.podInfoOnMount ??= false;
  spec.storageCapacity ??= false;
  spec.fsGroupPolicy ??= "ReadWriteOnceWithFSType";
  if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ["Persistent"];
  spec.requiresRepublish ??= false;
  spec.seLinuxMount ??= false;
  spec.serviceAccountTokenInSecrets ??= false;
}

function checkSpec(errors: Errors, spec: CSIDriverSpec): void {
  const period = spec.nodeAllocatableUpdatePeriodSeconds;
  if (spec.attachRequired === undefined) errors.push(required(SPEC.child("attachedRequired"))); // Upstream's spelling.
  if (spec.podInfoOnMount === undefined) errors.push(required(SPEC.child("podInfoOnMount")));
  if (spec.storageCapacity === undefined) errors.push(required(SPEC.child("storageCapacity")));
  checkOptionalOneOf(errors, SPEC.child("fsGroupPolicy"), spec.fsGroupPolicy, ["File", "None", "ReadWriteOnceWithFSType"]);
  checkTokenRequests(errors, spec);
  for (const mode of spec.volumeLifecycleModes ?? []) {
    if (mode !== "Persistent" && mode !== "Ephemeral") errors.push(notSupported(SPEC.child("volumeLifecycleModes"), mode, ["Persistent", "Ephemeral"]));
  }
  if (spec.seLinuxMount === undefined) errors.push(required(SPEC.child("seLinuxMount")));
  if (period !== undefined && period < UPDATE_PERIOD_SECONDS_MIN) errors.push(invalid(SPEC.child("nodeAllocatableUpdatePeriodSeconds"), period, "must be greater than or equal to 10 seconds"));
}

function checkTokenRequests(errors: Errors, { tokenRequests = [] }: CSIDriverSpec): void {
  const audiences = new Set<string>();
  tokenRequests.forEach(({ audience, expirationSeconds: seconds }, i) => {
    const path = SPEC.child("tokenRequests").index(i);
    if (audiences.has(audience)) {
      errors.push(duplicate(path.child("audience"), audience));
      return;
    }
    audiences.add(audience);
    if (seconds === undefined) return;
    if (seconds < TOKEN_SECONDS_MIN) errors.push(invalid(path.child("expirationSeconds"), seconds, "may not specify a duration less than 10 minutes"));
    if (seconds > TOKEN_SECONDS_MAX) errors.push(invalid(path.child("expirationSeconds"), seconds, "may not specify a duration larger than 2^32 seconds"));
  });
}

export const csiDriverDefinition = defineResource<CSIDriver>({
  reference: csidrivers,
  hasGeneration: true,
  generationChanged: (driver, old) => !semanticEqual(driver.spec, old.spec),
  allowUnconditionalUpdate: false,
  notRunYet: true,
  defaults,
  validate: ({ spec }) => collect((errors) => checkSpec(errors, spec ?? {})),
  validateUpdate: ({ spec }, old) => collect((errors) => {
    checkSpec(errors, spec ?? {});
    checkImmutable(errors, SPEC.child("attachedRequired"), spec?.attachRequired, old.spec.attachRequired);
    checkImmutable(errors, SPEC.child("volumeLifecycleModes"), spec?.volumeLifecycleModes, old.spec.volumeLifecycleModes);
  }),
  columns: [
    nameColumn,
    column("AttachRequired", ({ spec }) => spec?.attachRequired ?? true, { type: "boolean", description: "Whether volumes are attached before they are mounted." }),
    column("PodInfoOnMount", ({ spec }) => spec?.podInfoOnMount ?? false, { type: "boolean", description: "Whether the driver is told of the pod." }),
    column("StorageCapacity", ({ spec }) => spec?.storageCapacity ?? false, { type: "boolean", description: "Whether the driver tells how much room it has." }),
    column("TokenRequests", ({ spec }) => spec?.tokenRequests?.map((request) => request.audience).join(",") ?? "<unset>", { description: "Audiences of the tokens the driver is given." }),
    column("RequiresRepublish", ({ spec }) => spec?.requiresRepublish ?? false, { type: "boolean", description: "Whether volumes are published again and again." }),
    column("Modes", ({ spec }) => orNone((spec?.volumeLifecycleModes ?? []).join(",")), { description: "Kinds of volumes the driver has." }),
    ageColumn,
  ],
});

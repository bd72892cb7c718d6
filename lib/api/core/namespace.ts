/** Namespace: a room of names. Counterpart: kubernetes `registry/core/namespace`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { invalid, type FieldError } from "../field-error.ts";
import { SPEC, STATUS } from "../field-path.ts";
import type { Namespace } from "../schema/generated/models.ts";
import { namespaces } from "../schema/generated/references.ts";
import { collect } from "../validation/collect.ts";
import { nameIsDnsLabel } from "../validation/names.ts";
import { checkFinalizerName } from "../validation/object-meta.ts";

const NAME_LABEL = "kubernetes.io/metadata.name";
const FINALIZERS = SPEC.child("finalizers");

function defaults(namespace: Namespace): void {
  namespace.spec ??= {};
  (namespace.status ??= {}).phase ||= "Active";
  const name = namespace.metadata.name ?? "";
  if (name !== "") (namespace.metadata.labels ??= {})[NAME_LABEL] = name;
}

/** The namespace goes away only once its contents are gone, which this finalizer stands for. */
function prepareForCreate(namespace: Namespace): void {
  const finalizers = ((namespace.spec ??= {}).finalizers ??= []);
  if (!finalizers.includes("kubernetes")) finalizers.push("kubernetes");
  namespace.status = { phase: "Active" };
}

function validateStatusUpdate({ metadata, status }: Namespace): FieldError[] {
  const path = STATUS.child("Phase"), phase = status?.phase ?? "";
  if (metadata.deletionTimestamp === undefined) return phase === "Active" ? [] : [invalid(path, phase, "may only be 'Active' if `deletionTimestamp` is empty")];
  return phase === "Terminating" ? [] : [invalid(path, phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")];
}

export const namespaceDefinition = defineResource<Namespace>({
  reference: namespaces,
  shortNames: ["ns"],
  validateName: nameIsDnsLabel,
  defaults,
  prepareForCreate,
  prepareForUpdate: (namespace, old) => {
    namespace.spec = { ...namespace.spec, finalizers: old.spec?.finalizers };
    namespace.status = old.status;
  },
  prepareForStatusUpdate: (namespace, old) => void (namespace.spec = old.spec),
  validate: ({ spec }) => collect((errors) => spec?.finalizers?.forEach((finalizer) => checkFinalizerName(errors, FINALIZERS, FINALIZERS, finalizer))),
  validateStatusUpdate,
  subresourceUpdates: {
    finalize: {
      prepare: (namespace, old) => void (namespace.status = old.status),
      validate: ({ spec }) => collect((errors) => spec?.finalizers?.forEach((finalizer, i) => checkFinalizerName(errors, FINALIZERS.index(i), FINALIZERS.index(i), finalizer))),
    },
  },
  columns: [nameColumn, column("Status", ({ status }) => status?.phase ?? "", { description: "The status of the namespace" }), ageColumn],
  selectableFields: ({ metadata, status }) => ({ "status.phase": status?.phase ?? "", name: metadata.name ?? "" }),
});

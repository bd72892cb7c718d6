/** ServiceAccount: who a pod is to the API. Counterpart: kubernetes `registry/core/serviceaccount`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import type { ServiceAccount } from "../schema/generated/models.ts";
import { serviceaccounts } from "../schema/generated/references.ts";

const MOUNTABLE = "kubernetes.io/enforce-mountable-secrets";

/** Of a reference to a secret only the name means anything. */
function keepNames(account: ServiceAccount): void {
  if (account.secrets !== undefined) account.secrets = account.secrets.map(({ name }) => (name === undefined ? {} : { name }));
}

export const serviceAccountDefinition = defineResource<ServiceAccount>({
  reference: serviceaccounts,
  shortNames: ["sa"],
  prepareForCreate: keepNames,
  prepareForUpdate: keepNames,
  warnings: ({ metadata }, old) => (metadata.annotations?.[MOUNTABLE] !== undefined && old?.metadata.annotations?.[MOUNTABLE] === undefined
    ? [`metadata.annotations[${MOUNTABLE}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`] : []),
  columns: [nameColumn, column("Secrets", (account) => account.secrets?.length ?? 0, { description: "How many secrets its pods may use." }), ageColumn],
});

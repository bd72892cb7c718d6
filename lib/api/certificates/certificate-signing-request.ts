/** CertificateSigningRequest: somebody asks for a certificate. Counterpart: kubernetes `registry/certificates/certificates`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { humanDuration } from "../helpers/human-duration.ts";
import { toTimestamp } from "../helpers/timestamps.ts";
import type { StrategyContext } from "../resource-definition.ts";
import type { CertificateSigningRequest } from "../schema/generated/models.ts";
import { certificatesigningrequests } from "../schema/generated/references.ts";
import { collect } from "../validation/collect.ts";
import { nameIsPathSegment } from "../validation/names.ts";
import { checkRequest, checkRequestUpdate } from "./csr-validation.ts";

/** Who asks is what authentication says, not what the body says. */
function prepareForCreate(request: CertificateSigningRequest, { user, userInfo }: StrategyContext): void {
  const spec = (request.spec ??= { request: "", signerName: "" });
  const { uid, groups = [], extra = {} } = userInfo ?? {};
  spec.username = user;
  for (const field of ["uid", "groups", "extra"] as const) delete spec[field];
  if (uid !== undefined && uid !== "") spec.uid = uid;
  if (groups.length > 0) spec.groups = [...groups];
  if (Object.keys(extra).length > 0) spec.extra = Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]]));
  request.status = {};
}

/** Fills in when a condition was written and when it last changed. */
function stampConditions(request: CertificateSigningRequest, old: CertificateSigningRequest, now: Date): void {
  for (const condition of request.status?.conditions ?? []) {
    condition.lastUpdateTime ??= toTimestamp(now);
    condition.lastTransitionTime ??= old.status?.conditions?.find(({ type, status }) => type === condition.type && status === condition.status)?.lastTransitionTime ?? toTimestamp(now);
  }
}

function conditionCell({ status }: CertificateSigningRequest): string {
  const types = new Set((status?.conditions ?? []).map((condition) => condition.type));
  const decision = types.has("Denied") ? "Denied" : types.has("Approved") ? "Approved" : "Pending";
  return `${decision}${types.has("Failed") ? ",Failed" : ""}${(status?.certificate ?? "") === "" ? "" : ",Issued"}`;
}

export const certificateSigningRequestDefinition = defineResource<CertificateSigningRequest>({
  reference: certificatesigningrequests,
  shortNames: ["csr"],
  validateName: nameIsPathSegment,
  prepareForCreate,
  prepareForUpdate: (request, old) => {
    request.spec = old.spec;
    request.status = old.status;
  },
  prepareForStatusUpdate: (request, old, { now }) => {
    request.spec = old.spec;
    stampConditions(request, old, now);
  },
  validate: (request) => collect((errors) => checkRequest(errors, request, undefined)),
  validateUpdate: (request, old) => collect((errors) => checkRequestUpdate(errors, request, old, {})),
  validateStatusUpdate: (request, old) => collect((errors) => checkRequestUpdate(errors, request, old, { certificate: true })),
  subresourceUpdates: {
    approval: {
      prepare: (request, old, { now }) => {
        request.spec = old.spec;
        const { certificate } = old.status ?? {};
        request.status = { ...request.status, ...(certificate === undefined ? {} : { certificate }) };
        if (certificate === undefined) delete request.status.certificate;
        stampConditions(request, old, now);
      },
      validate: (request, old) => collect((errors) => checkRequestUpdate(errors, request, old, { approval: true })),
    },
  },
  columns: [
    nameColumn,
    ageColumn,
    column("SignerName", ({ spec }) => (spec?.signerName ?? "") || "<none>", { description: "Who is asked." }),
    column("Requestor", ({ spec }) => spec?.username ?? "", { description: "Who asks." }),
    column("RequestedDuration", ({ spec }) => (spec?.expirationSeconds === undefined ? "<none>" : humanDuration(spec.expirationSeconds * 1000)), { description: "For how long." }),
    column("Condition", conditionCell, { description: "What has been decided." }),
  ],
  selectableFields: ({ spec }) => ({ "spec.signerName": spec?.signerName ?? "" }),
});

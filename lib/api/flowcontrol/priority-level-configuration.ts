/** PriorityLevelConfiguration: how many requests run at once, and how many may wait. Counterpart: kubernetes `registry/flowcontrol/prioritylevelconfiguration`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { keepMetadata } from "../helpers/status-metadata.ts";
import { forbiddenField, invalid, notSupported, required } from "../field-error.ts";
import { SPEC, STATUS, type FieldPath } from "../field-path.ts";
import type { ExemptPriorityLevelConfiguration, LimitedPriorityLevelConfiguration, LimitResponse, PriorityLevelConfiguration, PriorityLevelConfigurationSpec, QueuingConfiguration } from "../schema/generated/models.ts";
import { prioritylevelconfigurations } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import type { Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { inclusiveRangeError } from "../validation/names.ts";
import { checkTypedConditions } from "./flow-conditions.ts";

const SHARES_DEFAULT = 30, QUEUES_MAX = 10_000_000, HASH_BITS_MAX = 60;
const LIMITED = SPEC.child("limited"), EXEMPT = SPEC.child("exempt");

function defaults({ spec }: PriorityLevelConfiguration): void {
  const { limited, exempt } = spec ?? {};
  if (exempt !== undefined) {
    exempt.nominalConcurrencyShares ??= 0;
    exempt.lendablePercent ??= 0;
  }
  if (limited === undefined) return;
  limited.nominalConcurrencyShares ??= SHARES_DEFAULT;
  limited.lendablePercent ??= 0;
  const queuing = limited.limitResponse?.queuing;
  if (queuing === undefined) return;
  queuing.handSize ||= 8;
  queuing.queues ||= 64;
  queuing.queueLengthLimit ||= 50;
}

function checkSpec(errors: Errors, name: string, spec: PriorityLevelConfigurationSpec): void {
  const { type, limited, exempt } = spec;
  if ((name === "exempt") !== (type === "Exempt")) errors.push(invalid(SPEC.child("type"), type ?? "", "type must be 'Exempt' if and only if name is 'exempt'"));
  switch (type) {
    case "Exempt":
      if (limited !== undefined) errors.push(forbiddenField(LIMITED, "must be nil if the type is not Limited"));
      if (exempt !== undefined) checkShares(errors, EXEMPT, exempt);
      break;
    case "Limited":
      if (exempt !== undefined) errors.push(forbiddenField(EXEMPT, "must be nil if the type is Limited"));
      if (limited === undefined) errors.push(required(LIMITED, "must not be empty when type is Limited"));
      else checkLimited(errors, limited);
      break;
    default: errors.push(notSupported(SPEC.child("type"), type ?? "", ["Exempt", "Limited"]));
  }
}

function checkShares(errors: Errors, path: FieldPath, { nominalConcurrencyShares: shares = 0, lendablePercent: percent = 0 }: ExemptPriorityLevelConfiguration): void {
  if (shares < 0) errors.push(invalid(path.child("nominalConcurrencyShares"), shares, "must be a non-negative integer"));
  if (percent < 0 || percent > 100) errors.push(invalid(path.child("lendablePercent"), percent, inclusiveRangeError(0, 100)));
}

function checkLimited(errors: Errors, limited: LimitedPriorityLevelConfiguration): void {
  const { borrowingLimitPercent: borrowing, limitResponse = {} as Partial<LimitResponse> } = limited, path = LIMITED.child("limitResponse"), { type, queuing } = limitResponse;
  checkShares(errors, LIMITED, limited);
  if (borrowing !== undefined && borrowing < 0) errors.push(invalid(LIMITED.child("borrowingLimitPercent"), borrowing, "if specified, must be a non-negative integer"));
  if (type === "Reject") {
    if (queuing !== undefined) errors.push(forbiddenField(path.child("queuing"), "must be nil if limited.limitResponse.type is not Limited"));
  } else if (type !== "Queue") errors.push(notSupported(path.child("type"), type ?? "", ["Queue", "Reject"]));
  else if (queuing === undefined) errors.push(required(path.child("queuing"), "must not be empty if limited.limitResponse.type is Limited"));
  else checkQueuing(errors, path.child("queuing"), queuing);
}

function checkQueuing(errors: Errors, path: FieldPath, { queues = 0, handSize = 0, queueLengthLimit = 0 }: QueuingConfiguration): void {
  if (queueLengthLimit <= 0) errors.push(invalid(path.child("queueLengthLimit"), queueLengthLimit, "must be positive"));
  if (queues <= 0) errors.push(invalid(path.child("queues"), queues, "must be positive"));
  else if (queues > QUEUES_MAX) errors.push(invalid(path.child("queues"), queues, `must not be greater than ${QUEUES_MAX}`));
  const bits = Math.ceil(Math.log2(queues) * handSize);
  if (handSize <= 0) errors.push(invalid(path.child("handSize"), handSize, "must be positive"));
  else if (handSize > queues) errors.push(invalid(path.child("handSize"), handSize, `should not be greater than queues (${queues})`));
  else if (bits > HASH_BITS_MAX) errors.push(invalid(path.child("handSize"), handSize, `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${HASH_BITS_MAX}`));
}

const queuingCell = (field: keyof QueuingConfiguration) => ({ spec }: PriorityLevelConfiguration): string | number => spec?.limited?.limitResponse?.queuing?.[field] ?? "<none>";

export const priorityLevelConfigurationDefinition = defineResource<PriorityLevelConfiguration>({
  reference: prioritylevelconfigurations,
  hasGeneration: true,
  generationChanged: (level, old) => !semanticEqual(level.spec, old.spec),
  allowUnconditionalUpdate: false,
  notRunYet: true,
  defaults,
  prepareForCreate: (level) => void (level.status = {}),
  prepareForUpdate: (level, old) => void (level.status = old.status),
  prepareForStatusUpdate: (level, old) => {
    level.spec = old.spec;
    keepMetadata(level, old);
  },
  validate: ({ metadata, spec }) => collect((errors) => checkSpec(errors, metadata.name ?? "", spec ?? { type: "" })),
  validateStatusUpdate: ({ status }) => collect((errors) => checkTypedConditions(errors, STATUS.child("conditions"), status?.conditions)),
  columns: [
    nameColumn,
    column("Type", ({ spec }) => spec?.type ?? "", { description: "Whether its requests are limited at all." }),
    column("NominalConcurrencyShares", ({ spec }) => spec?.limited?.nominalConcurrencyShares ?? "<none>", { description: "Its share of the requests that run at once." }),
    column("Queues", queuingCell("queues"), { description: "How many queues it has." }),
    column("HandSize", queuingCell("handSize"), { description: "How many queues a flow may use." }),
    column("QueueLengthLimit", queuingCell("queueLengthLimit"), { description: "How many requests wait in one queue." }),
    ageColumn,
  ],
});

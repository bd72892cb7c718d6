/** Event: something that happened to an object. Counterpart: kubernetes `registry/core/event`. Stored in this form, whichever version wrote it. */
import { column } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { ageSince } from "../helpers/human-duration.ts";
import type { Column } from "../resource-definition.ts";
import type { CoreV1Event } from "../schema/generated/models.ts";
import { events } from "../schema/generated/references.ts";
import { collect } from "../validation/collect.ts";
import { checkEvent } from "./event-validation.ts";

const isSet = (text: string | undefined): text is string => text !== undefined && text !== "";

function firstSeen(event: CoreV1Event, now: Date): string {
  return ageSince(isSet(event.firstTimestamp) ? event.firstTimestamp : event.eventTime, now);
}
function lastSeen(event: CoreV1Event, now: Date): string {
  if (event.series !== undefined) return ageSince(event.series.lastObservedTime, now);
  return isSet(event.lastTimestamp) ? ageSince(event.lastTimestamp, now) : firstSeen(event, now);
}
function about({ involvedObject }: CoreV1Event): string {
  const kind = (involvedObject?.kind ?? "").toLowerCase();
  return isSet(involvedObject?.name) ? `${kind}/${involvedObject.name}` : kind;
}
function source(event: CoreV1Event): string {
  const component = isSet(event.source?.component) ? event.source.component : (event.reportingComponent ?? "");
  const instance = isSet(event.source?.host) ? event.source.host : (event.reportingInstance ?? "");
  return instance === "" ? component : `${component}, ${instance}`;
}

export const eventColumns: readonly Column<CoreV1Event>[] = [
  column("Last Seen", lastSeen, { description: "When it last happened." }),
  column("Type", (event) => event.type ?? "", { description: "Normal or Warning." }),
  column("Reason", (event) => event.reason ?? "", { description: "Why, in one word." }),
  column("Object", about, { description: "What it happened to." }),
  column("Subobject", (event) => event.involvedObject?.fieldPath ?? "", { wide: true, description: "Which part of that." }),
  column("Source", source, { wide: true, description: "Who saw it." }),
  column("Message", (event) => (event.message ?? "").trim(), { description: "What happened." }),
  column("First Seen", firstSeen, { wide: true, description: "When it first happened." }),
  column("Count", (event) => (event.series === undefined ? event.count || 1 : (event.series.count ?? 0)), { wide: true, description: "How often it happened." }),
  { name: "Name", type: "string", format: "name", priority: 1, description: "The name, unique within its namespace.", cell: ({ metadata }) => metadata.name ?? "" },
];

export function eventFields(event: CoreV1Event): Record<string, string> {
  const { involvedObject: object } = event;
  return {
    "involvedObject.kind": object?.kind ?? "", "involvedObject.namespace": object?.namespace ?? "", "involvedObject.name": object?.name ?? "", "involvedObject.uid": object?.uid ?? "",
    "involvedObject.apiVersion": object?.apiVersion ?? "", "involvedObject.resourceVersion": object?.resourceVersion ?? "", "involvedObject.fieldPath": object?.fieldPath ?? "",
    reason: event.reason ?? "", reportingComponent: event.reportingComponent ?? "", source: isSet(event.source?.component) ? event.source.component : (event.reportingComponent ?? ""), type: event.type ?? "",
  };
}

export const eventDefinition = defineResource<CoreV1Event>({
  reference: events,
  shortNames: ["ev"],
  allowCreateOnUpdate: true,
  validate: (event) => collect((errors) => checkEvent(errors, event)),
  columns: eventColumns,
  selectableFields: eventFields,
});

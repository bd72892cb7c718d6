/**
 * Event of events.k8s.io: the same stored thing as the core group's, under newer names and stricter rules.
 * Counterpart: kubernetes `apis/events/v1/conversion.go` and `registry/core/event`.
 */
import { eventColumns, eventFields } from "../core/event.ts";
import { checkEvent, checkNewEvent, checkNewEventUpdate } from "../core/event-validation.ts";
import { defineResource } from "../define-resource.ts";
import type { Column } from "../resource-definition.ts";
import type { CoreV1Event, EventsV1Event } from "../schema/generated/models.ts";
import { events, eventsEvents } from "../schema/generated/references.ts";
import { collect } from "../validation/collect.ts";

/** Leaves out what is not set. */
function compact<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

export function toCoreEvent(event: EventsV1Event): CoreV1Event {
  return compact<CoreV1Event>({
    apiVersion: "v1", kind: "Event", metadata: event.metadata, involvedObject: event.regarding ?? {}, reason: event.reason, message: event.note, source: event.deprecatedSource ?? {},
    firstTimestamp: event.deprecatedFirstTimestamp, lastTimestamp: event.deprecatedLastTimestamp, count: event.deprecatedCount, type: event.type, eventTime: event.eventTime,
    series: event.series, action: event.action, related: event.related, reportingComponent: event.reportingController ?? "", reportingInstance: event.reportingInstance ?? "",
  });
}

export function fromCoreEvent(event: CoreV1Event): EventsV1Event {
  return compact<EventsV1Event>({
    apiVersion: "events.k8s.io/v1", kind: "Event", metadata: event.metadata, regarding: event.involvedObject, reason: event.reason, note: event.message, deprecatedSource: event.source,
    deprecatedFirstTimestamp: event.firstTimestamp, deprecatedLastTimestamp: event.lastTimestamp, deprecatedCount: event.count, type: event.type, eventTime: event.eventTime,
    series: event.series === undefined ? undefined : { count: event.series.count ?? 0, lastObservedTime: event.series.lastObservedTime ?? "" },
    action: event.action, related: event.related, reportingController: event.reportingComponent, reportingInstance: event.reportingInstance,
  } as EventsV1Event);
}

/** Fields selectors may name, under this group's names. */
function selectableFields(event: EventsV1Event): Record<string, string> {
  return Object.fromEntries(Object.entries(eventFields(toCoreEvent(event))).map(([field, value]) => [field.replace(/^involvedObject\./, "regarding.").replace(/^reportingComponent$/, "reportingController"), value]));
}

const asCore = (one: Column<CoreV1Event>): Column<EventsV1Event> => ({ ...one, cell: (event, now) => one.cell(toCoreEvent(event), now) });

export const eventsV1EventDefinition = defineResource<EventsV1Event>({
  reference: eventsEvents,
  shortNames: ["ev"],
  allowCreateOnUpdate: true,
  storage: { reference: events, toStorage: toCoreEvent, fromStorage: (stored) => fromCoreEvent(stored as CoreV1Event) },
  validate: (event) => collect((errors) => {
    checkEvent(errors, toCoreEvent(event));
    checkNewEvent(errors, toCoreEvent(event));
  }),
  validateUpdate: (event, old) => collect((errors) => {
    checkEvent(errors, toCoreEvent(event));
    checkNewEventUpdate(errors, toCoreEvent(event), toCoreEvent(old));
  }),
  columns: eventColumns.map(asCore),
  selectableFields,
});

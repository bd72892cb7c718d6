import test from "ava";
import { eventDefinition } from "../../../../lib/api/core/event.ts";
import { eventsV1EventDefinition, fromCoreEvent, toCoreEvent } from "../../../../lib/api/events/event.ts";
import { faults, prepared, row } from "../run-definition.ts";

const core = { metadata: { name: "e", namespace: "default" }, involvedObject: { kind: "Pod", name: "p", namespace: "default" }, reason: "Started", message: "Container started", type: "Normal", source: { component: "kubelet", host: "n1" }, count: 2, firstTimestamp: "2026-05-01T11:50:00Z", lastTimestamp: "2026-05-01T11:58:00Z" };

test("the core event comes back from events.k8s.io as it was", (t) => {
  const event = prepared(eventDefinition, core), other = fromCoreEvent(event);
  t.is(other.apiVersion, "events.k8s.io/v1");
  t.is(other.note, "Container started");
  t.is(other.deprecatedCount, 2);
  const back = toCoreEvent(other);
  t.deepEqual({ ...back, reportingComponent: undefined, reportingInstance: undefined }, { ...event, apiVersion: "v1", reportingComponent: undefined, reportingInstance: undefined });
});

test("new events must say who reports what; core ones need not", (t) => {
  t.deepEqual(faults(eventDefinition, core), []);
  const missing = faults(eventsV1EventDefinition, { metadata: { name: "e" }, regarding: { namespace: "default" }, eventTime: "2026-05-01T11:58:00.000000Z" });
  t.true(missing.some((text) => text.startsWith("reportingController: Required value")), missing.join("\n"));
  t.true(missing.some((text) => text.startsWith("action: Required value")));
});

test("rows and selectable fields are one", (t) => {
  const event = prepared(eventDefinition, core);
  t.is(row(eventDefinition, event), "2m | Normal | Started | pod/p | Container started");
  t.is(row(eventsV1EventDefinition, fromCoreEvent(event)), row(eventDefinition, event));
  t.is(eventDefinition.selectableFields?.(event)["involvedObject.name"], "p");
});

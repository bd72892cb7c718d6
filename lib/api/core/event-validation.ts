/** Events, in the terms of the core group, whichever version they came by. Counterpart: kubernetes `apis/core/validation/events.go`. */
import { invalid, required } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { CoreV1Event } from "../schema/generated/models.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { checkDnsSubdomain, checkImmutable, checkLabelKey, type Errors } from "../validation/checks.ts";
import { byteLength } from "../validation/names.ts";

const TEXT_MAX = 128;
const NOTE_MAX = 1024;
const at = (...names: readonly [string, ...string[]]): FieldPath => FieldPath.of(...names);

function checkText(errors: Errors, name: string, text: string | undefined): void {
  if ((text ?? "") === "") errors.push(required(at(name)));
  if (byteLength(text ?? "") > TEXT_MAX) errors.push(invalid(at(name), "", `can have at most ${TEXT_MAX} characters`));
}

/** What holds for every event; the newer kind says when and by whom it was seen. */
export function checkEvent(errors: Errors, event: CoreV1Event): void {
  const namespace = event.metadata.namespace ?? "", involved = event.involvedObject?.namespace ?? "", isNew = (event.eventTime ?? "") !== "";
  const allowsNone = isNew ? namespace === "default" || namespace === "kube-system" : namespace === "" || namespace === "default";
  if (involved === "" ? !allowsNone : !isNew && namespace !== involved) errors.push(invalid(at("involvedObject", "namespace"), involved, "does not match event.namespace"));
  if (isNew) {
    if ((event.reportingComponent ?? "") === "") errors.push(required(at("reportingController")));
    checkLabelKey(errors, at("reportingController"), event.reportingComponent ?? "");
    checkText(errors, "reportingInstance", event.reportingInstance);
    checkText(errors, "action", event.action);
    checkText(errors, "reason", event.reason);
    if (byteLength(event.message ?? "") > NOTE_MAX) errors.push(invalid(at("message"), "", `can have at most ${NOTE_MAX} characters`));
  }
  checkDnsSubdomain(errors, at("namespace"), namespace);
}

function checkSeries(errors: Errors, event: CoreV1Event): void {
  if (event.series === undefined) return;
  if ((event.series.count ?? 0) < 2) errors.push(invalid(at("series.count"), "", "should be at least 2"));
  if ((event.series.lastObservedTime ?? "") === "") errors.push(required(at("series.lastObservedTime")));
}

/** What is asked beside of an event created through events.k8s.io. */
export function checkNewEvent(errors: Errors, event: CoreV1Event): void {
  checkSeries(errors, event);
  if ((event.eventTime ?? "") === "") errors.push(required(at("eventTime")));
  if (event.type !== "Normal" && event.type !== "Warning") errors.push(invalid(at("type"), "", `has invalid value: ${event.type ?? ""}`));
  for (const field of ["firstTimestamp", "lastTimestamp"] as const) if ((event[field] ?? "") !== "") errors.push(invalid(at(field), "", "needs to be unset"));
  if ((event.count ?? 0) !== 0) errors.push(invalid(at("count"), "", "needs to be unset"));
  if ((event.source?.component ?? "") !== "" || (event.source?.host ?? "") !== "") errors.push(invalid(at("source"), "", "needs to be unset"));
}

/** Through events.k8s.io only the series may change. */
export function checkNewEventUpdate(errors: Errors, event: CoreV1Event, old: CoreV1Event): void {
  if (!semanticEqual(event.series, old.series)) checkSeries(errors, event);
  for (const field of ["involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count", "type", "eventTime", "action", "related"] as const) checkImmutable(errors, at(field), event[field], old[field]);
  checkImmutable(errors, at("reportingController"), event.reportingComponent, old.reportingComponent);
  checkImmutable(errors, at("reportingInstance"), event.reportingInstance, old.reportingInstance);
}

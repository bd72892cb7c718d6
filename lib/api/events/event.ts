/** Event. Counterpart: kubernetes pkg/registry/events. */
import { defineResource } from "../define-resource.ts";
import type { EventsV1Event } from "../schema/generated/models.ts";
import { eventsEvents } from "../schema/generated/references.ts";

export const eventsV1EventDefinition = defineResource<EventsV1Event>({
  reference: eventsEvents,
  shortNames: ["ev"],
  allowCreateOnUpdate: true,
});

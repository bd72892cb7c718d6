/** Event. Counterpart: kubernetes pkg/registry/core. */
import { defineResource } from "../define-resource.ts";
import type { CoreV1Event } from "../schema/generated/models.ts";
import { events } from "../schema/generated/references.ts";

export const eventDefinition = defineResource<CoreV1Event>({
  reference: events,
  shortNames: ["ev"],
  allowCreateOnUpdate: true,
});

/** IPAddress. Counterpart: kubernetes pkg/registry/networking. */
import { defineResource } from "../define-resource.ts";
import type { IPAddress } from "../schema/generated/models.ts";
import { ipaddresses } from "../schema/generated/references.ts";

export const ipAddressDefinition = defineResource<IPAddress>({
  reference: ipaddresses,
  shortNames: ["ip"],
});

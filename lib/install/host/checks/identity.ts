/** What must differ between hosts and does not where a disk was cloned: machine-id and the firmware's uuid. */
import { findingsOf, type HostFinding } from "./finding.ts";
import type { Check, IdentityFacts, OtherNode } from "./host-facts.ts";

const { error, warning, note } = findingsOf("identity");
/** Uuids some vendors put into every machine. */
const NO_UUID = /^(0{8}-0{4}-0{4}-0{4}-0{12}|f{8}-f{4}-f{4}-f{4}-f{12}|03000200-0400-0500-0006-000700080009)$/i;

export const checkIdentity: Check = ({ identity }) => [
  ...(/^[0-9a-f]{32}$/.test(identity.machineId) ? [] : [error(identity.machineId === "" || identity.machineId === "uninitialized" ? "/etc/machine-id is missing or empty" : `/etc/machine-id holds ${JSON.stringify(identity.machineId)}, wanted 32 hexadecimal digits`, 'run "systemd-machine-id-setup"', { kind: "machine-id" })]),
  ...(NO_UUID.test(identity.productUuid) ? [note(`the firmware's uuid ${identity.productUuid} is one that many machines have`, "harmless; the machine-id tells hosts apart")] : []),
];

/** Compares this host with the nodes there are; `name` is its own, which may be among them. */
export function checkClone(own: IdentityFacts, name: string, others: readonly OtherNode[]): HostFinding[] {
  const strangers = others.filter((node) => node.name !== name), uuid = own.productUuid.toLowerCase();
  const machine = strangers.find((node) => node.machineId !== "" && node.machineId === own.machineId);
  if (machine !== undefined) return [error(`this host has the machine-id of node "${machine.name}": it is a clone of it`, 'give it its own: "rm /etc/machine-id /var/lib/dbus/machine-id; systemd-machine-id-setup", then reboot')];
  const firmware = strangers.find((node) => uuid !== "" && !NO_UUID.test(uuid) && node.systemUuid.toLowerCase() === uuid);
  return firmware === undefined ? [] : [warning(`this host has the firmware uuid of node "${firmware.name}"`, "let the hypervisor give the clone a new uuid: cloud and storage software tells machines apart by it")];
}

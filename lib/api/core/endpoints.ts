/** Endpoints: the addresses behind a Service, in the older form. Counterpart: kubernetes `registry/core/endpoint`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { required, type FieldError } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { CoreV1EndpointPort, EndpointAddress, Endpoints } from "../schema/generated/models.ts";
import { endpoints } from "../schema/generated/references.ts";
import { checkDnsLabel, checkDnsSubdomain, checkLabelKey, checkOneOf, checkPortNum } from "../validation/checks.ts";
import { checkIp, checkNonSpecialIp } from "../validation/ip.ts";

const SHOWN_MAX = 3;

function checkAddress(errors: FieldError[], path: FieldPath, address: EndpointAddress): void {
  checkIp(errors, path.child("ip"), address.ip ?? "");
  if ((address.hostname ?? "") !== "") checkDnsLabel(errors, path.child("hostname"), address.hostname!);
  if (address.nodeName !== undefined) checkDnsSubdomain(errors, path.child("nodeName"), address.nodeName);
  checkNonSpecialIp(errors, path.child("ip"), address.ip ?? "");
}

function checkPort(errors: FieldError[], path: FieldPath, port: CoreV1EndpointPort, requireName: boolean): void {
  if ((port.name ?? "") !== "") checkDnsLabel(errors, path.child("name"), port.name!);
  else if (requireName) errors.push(required(path.child("name")));
  checkPortNum(errors, path.child("port"), port.port);
  checkOneOf(errors, path.child("protocol"), port.protocol, ["SCTP", "TCP", "UDP"]);
  if (port.appProtocol !== undefined) checkLabelKey(errors, path.child("appProtocol"), port.appProtocol);
}

function validate(object: Endpoints): FieldError[] {
  const errors: FieldError[] = [];
  object.subsets?.forEach((subset, i) => {
    const path = FieldPath.of("subsets").index(i), { addresses = [], notReadyAddresses = [], ports = [] } = subset;
    if (addresses.length === 0 && notReadyAddresses.length === 0) errors.push(required(path, "must specify `addresses` or `notReadyAddresses`"));
    addresses.forEach((address, j) => checkAddress(errors, path.child("addresses").index(j), address));
    notReadyAddresses.forEach((address, j) => checkAddress(errors, path.child("notReadyAddresses").index(j), address));
    ports.forEach((port, j) => checkPort(errors, path.child("ports").index(j), port, ports.length > 1));
  });
  return errors;
}

function summary({ subsets = [] }: Endpoints): string {
  if (subsets.length === 0) return "<none>";
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    ports.length === 0 ? addresses.map((address) => address.ip) : ports.flatMap((port) => addresses.map(({ ip }) => `${ip.includes(":") ? `[${ip}]` : ip}:${port.port}`)));
  const shown = all.slice(0, SHOWN_MAX).join(",");
  return all.length > SHOWN_MAX ? `${shown} + ${all.length - SHOWN_MAX} more...` : shown;
}

export const endpointsDefinition = defineResource<Endpoints>({
  reference: endpoints,
  shortNames: ["ep"],
  allowCreateOnUpdate: true,
  deprecation: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  defaults: (object) => {
    for (const subset of object.subsets ?? []) for (const port of subset.ports ?? []) port.protocol ||= "TCP";
  },
  validate,
  columns: [nameColumn, column("Endpoints", summary, { description: "The first few of the addresses and ports." }), ageColumn],
});

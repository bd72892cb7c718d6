/** EndpointSlice: some of the addresses behind a Service. Counterpart: kubernetes `registry/discovery/endpointslice`. */
import { ageColumn, column, listWithMore, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { duplicate, invalid, notSupported, required, tooMany } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { Endpoint, EndpointSlice } from "../schema/generated/models.ts";
import { endpointslices } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { checkDnsLabel, checkDnsSubdomain, checkImmutable, checkLabelKey, checkOneOf, checkText, type Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { parseIp } from "../../util/ip.ts";
import { checkIp, checkNonSpecialIp } from "../validation/ip.ts";
import { checkLabels } from "../validation/labels.ts";
import { isDns1123Label, isDns1123Subdomain, isLabelValue } from "../validation/names.ts";

const ENDPOINTS_MAX = 1000, PORTS_MAX = 20_000, ADDRESSES_MAX = 100, TOPOLOGY_LABELS_MAX = 16, HINTS_MAX = 8;
const ADDRESS_TYPE = FieldPath.of("addressType"), ENDPOINTS = FieldPath.of("endpoints"), PORTS = FieldPath.of("ports");
/** What `nodeName` and `zone` say since v1; told here only by older clients. */
const REPLACED_TOPOLOGY = ["topology.kubernetes.io/zone", "kubernetes.io/hostname"];

function defaults(slice: EndpointSlice): void {
  for (const port of slice.ports ?? []) {
    port.name ??= "";
    port.protocol ||= "TCP";
  }
}

function dropReplacedTopology(slice: EndpointSlice, old: EndpointSlice | undefined): void {
  if (old !== undefined && semanticEqual(slice.endpoints, old.endpoints)) return;
  for (const endpoint of slice.endpoints ?? []) {
    if (endpoint.deprecatedTopology === undefined) continue;
    for (const label of REPLACED_TOPOLOGY) delete endpoint.deprecatedTopology[label];
    if (Object.keys(endpoint.deprecatedTopology).length === 0) delete endpoint.deprecatedTopology;
  }
}

function checkDomain(errors: Errors, path: FieldPath, text: string): void {
  if (text === "") {
    errors.push(required(path));
    return;
  }
  const name = text.endsWith(".") ? text.slice(0, -1) : text, faults = isDns1123Subdomain(name), labels = name.split(".");
  if (faults.length > 0) errors.push(invalid(path, name, faults.join(",")));
  else if (labels.length < 2) errors.push(invalid(path, name, "should be a domain with at least two segments separated by dots"));
  else {
    for (const label of labels) {
      const labelFaults = isDns1123Label(label);
      if (labelFaults.length > 0) errors.push(invalid(path, label, labelFaults.join(",")));
    }
  }
}

function checkAddress(errors: Errors, path: FieldPath, address: string, type: string): void {
  if (type === "FQDN") checkDomain(errors, path, address);
  if (type !== "IPv4" && type !== "IPv6" || !checkIp(errors, path, address)) return;
  if (parseIp(address)?.family !== (type === "IPv4" ? 4 : 6)) errors.push(invalid(path, address, `must be a valid ${type} address`));
  checkNonSpecialIp(errors, path, address);
}

function checkHints(errors: Errors, path: FieldPath, hints: readonly { name: string }[] | undefined): void {
  if (hints === undefined) return;
  if (hints.length > HINTS_MAX) {
    errors.push(tooMany(path, hints.length, HINTS_MAX));
    return;
  }
  const seen = new Set<string>();
  hints.forEach(({ name }, i) => {
    if (seen.has(name)) errors.push(duplicate(path.index(i).child("name"), name));
    seen.add(name);
    checkText(errors, path.index(i).child("name"), name ?? "", isLabelValue);
  });
}

function checkEndpoint(errors: Errors, path: FieldPath, endpoint: Endpoint, type: string): void {
  const addresses = endpoint.addresses ?? [], at = path.child("addresses"), topology = endpoint.deprecatedTopology;
  if (addresses.length === 0) errors.push(required(at, "must contain at least 1 address"));
  else if (addresses.length > ADDRESSES_MAX) errors.push(tooMany(at, addresses.length, ADDRESSES_MAX));
  addresses.forEach((address, i) => checkAddress(errors, at.index(i), address, type));
  if (endpoint.nodeName !== undefined) checkDnsSubdomain(errors, path.child("nodeName"), endpoint.nodeName);
  if (topology !== undefined) {
    const count = Object.keys(topology).length;
    if (count > TOPOLOGY_LABELS_MAX) errors.push(tooMany(path.child("deprecatedTopology"), count, TOPOLOGY_LABELS_MAX));
    checkLabels(errors, path.child("deprecatedTopology"), topology);
  }
  if (endpoint.hostname !== undefined) checkDnsLabel(errors, path.child("hostname"), endpoint.hostname);
  checkHints(errors, path.child("hints", "forZones"), endpoint.hints?.forZones);
  checkHints(errors, path.child("hints", "forNodes"), endpoint.hints?.forNodes);
}

function checkPorts(errors: Errors, slice: EndpointSlice): void {
  const ports = slice.ports ?? [], seen = new Set<string>();
  if (ports.length > PORTS_MAX) {
    errors.push(tooMany(PORTS, ports.length, PORTS_MAX));
    return;
  }
  ports.forEach((port, i) => {
    const path = PORTS.index(i), name = port.name ?? "", { protocol } = port;
    if (name !== "") checkDnsLabel(errors, path.child("name"), name);
    if (seen.has(name)) errors.push(duplicate(path.child("name"), name));
    seen.add(name);
    if (protocol === undefined) errors.push(required(path.child("protocol")));
    else if (!["SCTP", "TCP", "UDP"].includes(protocol)) errors.push(notSupported(path.child("protocol"), protocol, ["SCTP", "TCP", "UDP"]));
    if (port.appProtocol !== undefined) checkLabelKey(errors, path.child("appProtocol"), port.appProtocol);
  });
}

function checkSlice(errors: Errors, slice: EndpointSlice): void {
  const endpoints = slice.endpoints ?? [];
  checkOneOf(errors, ADDRESS_TYPE, slice.addressType, ["FQDN", "IPv4", "IPv6"]);
  if (endpoints.length > ENDPOINTS_MAX) errors.push(tooMany(ENDPOINTS, endpoints.length, ENDPOINTS_MAX));
  else endpoints.forEach((endpoint, i) => checkEndpoint(errors, ENDPOINTS.index(i), endpoint, slice.addressType ?? ""));
  checkPorts(errors, slice);
}

/** All but metadata counts, and labels of the metadata. */
function generationChanged(slice: EndpointSlice, old: EndpointSlice): boolean {
  return !semanticEqual({ ...slice, metadata: slice.metadata.labels ?? {} }, { ...old, metadata: old.metadata.labels ?? {} });
}

function portsCell({ ports = [] }: EndpointSlice): string {
  return listWithMore(ports.map((port) => (port.port === undefined ? "*" : String(port.port))));
}

export const endpointSliceDefinition = defineResource<EndpointSlice>({
  reference: endpointslices,
  hasGeneration: true,
  generationChanged,
  defaults,
  prepareForCreate: (slice) => dropReplacedTopology(slice, undefined),
  prepareForUpdate: dropReplacedTopology,
  validate: (slice) => collect((errors) => checkSlice(errors, slice)),
  validateUpdate: (slice, old) => collect((errors) => {
    checkSlice(errors, slice);
    checkImmutable(errors, ADDRESS_TYPE, slice.addressType, old.addressType);
  }),
  warnings: (slice, old) => (old === undefined && slice.addressType === "FQDN" ? ["addressType: FQDN endpoints are deprecated"] : []),
  columns: [
    nameColumn,
    column("AddressType", (slice) => slice.addressType ?? "", { description: "What all its addresses are: FQDN, IPv4 or IPv6." }),
    column("Ports", portsCell, { description: "The first few of the ports." }),
    column("Endpoints", ({ endpoints }) => listWithMore((endpoints ?? []).flatMap((endpoint) => endpoint.addresses ?? [])), { description: "The first few of the addresses." }),
    ageColumn,
  ],
});

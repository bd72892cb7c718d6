/** NetworkPolicy: who may talk to whom. Counterpart: kubernetes `registry/networking/networkpolicy`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { forbiddenField, invalid, notSupported, required } from "../field-error.ts";
import { SPEC, type FieldPath } from "../field-path.ts";
import { formatLabelSelector } from "../helpers/label-selector.ts";
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec } from "../schema/generated/models.ts";
import { networkpolicies } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { checkPortNum, checkText, type Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { cidrContains, parseCidr } from "../../util/ip.ts";
import { checkCidr } from "../validation/ip.ts";
import { checkLabelSelector } from "../validation/labels.ts";
import { isValidPortName } from "../validation/names.ts";

const PROTOCOLS = ["TCP", "UDP", "SCTP"];
const TYPES = ["Ingress", "Egress"];

function defaults(policy: NetworkPolicy): void {
  const spec = (policy.spec ??= {});
  if ((spec.policyTypes ?? []).length === 0) spec.policyTypes = (spec.egress ?? []).length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
  for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) for (const port of rule.ports ?? []) port.protocol ??= "TCP";
}

function checkPort(errors: Errors, path: FieldPath, { protocol, port, endPort }: NetworkPolicyPort): void {
  if (protocol !== undefined && !PROTOCOLS.includes(protocol)) errors.push(notSupported(path.child("protocol"), protocol, PROTOCOLS));
  if (typeof port === "number") {
    checkPortNum(errors, path.child("port"), port);
    if (endPort === undefined) return;
    if (endPort < port) errors.push(invalid(path.child("endPort"), endPort, "must be greater than or equal to `port`"));
    checkPortNum(errors, path.child("endPort"), endPort);
    return;
  }
  if (endPort !== undefined) errors.push(invalid(path.child("endPort"), endPort, `may not be specified when \`port\` is ${port === undefined ? "not specified" : "non-numeric"}`));
  if (port !== undefined) checkText(errors, path.child("port"), port, isValidPortName);
}

/** Ranges that `kept` holds were there before and are not looked at again. */
function checkRange(errors: Errors, path: FieldPath, text: string, kept: ReadonlySet<string>): void {
  if (!kept.has(text)) checkCidr(errors, path, text);
}

function checkBlock(errors: Errors, path: FieldPath, block: IPBlock, kept: ReadonlySet<string>): void {
  if ((block.cidr ?? "") === "") {
    errors.push(required(path.child("cidr")));
    return;
  }
  checkRange(errors, path.child("cidr"), block.cidr, kept);
  const cidr = parseCidr(block.cidr);
  if (cidr === undefined) return;
  block.except?.forEach((text, i) => {
    const at = path.child("except").index(i), except = parseCidr(text);
    checkRange(errors, at, text, kept);
    if (except !== undefined && (!cidrContains(cidr, except.ip) || cidr.prefix >= except.prefix)) errors.push(invalid(at, text, "must be a strict subset of `cidr`"));
  });
}

function checkPeer(errors: Errors, path: FieldPath, peer: NetworkPolicyPeer, kept: ReadonlySet<string>): void {
  const { podSelector, namespaceSelector, ipBlock } = peer, hasSelector = podSelector !== undefined || namespaceSelector !== undefined;
  checkLabelSelector(errors, path.child("podSelector"), podSelector);
  checkLabelSelector(errors, path.child("namespaceSelector"), namespaceSelector);
  if (ipBlock !== undefined) checkBlock(errors, path.child("ipBlock"), ipBlock, kept);
  if (!hasSelector && ipBlock === undefined) errors.push(required(path, "must specify a peer"));
  else if (hasSelector && ipBlock !== undefined) errors.push(forbiddenField(path, "may not specify both ipBlock and another peer"));
}

function checkSpec(errors: Errors, spec: NetworkPolicySpec, kept: ReadonlySet<string>): void {
  const checkRule = (path: FieldPath, ports: readonly NetworkPolicyPort[] | undefined, peers: readonly NetworkPolicyPeer[] | undefined, side: "from" | "to"): void => {
    ports?.forEach((port, i) => checkPort(errors, path.child("ports").index(i), port));
    peers?.forEach((peer, i) => checkPeer(errors, path.child(side).index(i), peer, kept));
  };
  checkLabelSelector(errors, SPEC.child("podSelector"), spec.podSelector);
  spec.ingress?.forEach((rule, i) => checkRule(SPEC.child("ingress").index(i), rule.ports, rule.from, "from"));
  spec.egress?.forEach((rule, i) => checkRule(SPEC.child("egress").index(i), rule.ports, rule.to, "to"));
  const types = spec.policyTypes ?? [], path = SPEC.child("policyTypes");
  if (types.length > TYPES.length) errors.push(invalid(path, types, "may not specify more than two policyTypes"));
  else types.forEach((type, i) => { if (!TYPES.includes(type)) errors.push(notSupported(path.index(i), type, TYPES)); });
}

function rangesOf({ spec }: NetworkPolicy): ReadonlySet<string> {
  const peers = [...(spec.ingress ?? []).flatMap((rule) => rule.from ?? []), ...(spec.egress ?? []).flatMap((rule) => rule.to ?? [])];
  return new Set(peers.flatMap(({ ipBlock }) => (ipBlock === undefined ? [] : [ipBlock.cidr, ...(ipBlock.except ?? [])])));
}

export const networkPolicyDefinition = defineResource<NetworkPolicy>({
  reference: networkpolicies,
  shortNames: ["netpol"],
  hasGeneration: true,
  generationChanged: (policy, old) => !semanticEqual(policy.spec, old.spec),
  notRunYet: true,
  defaults,
  validate: ({ spec }) => collect((errors) => checkSpec(errors, spec ?? {}, new Set())),
  validateUpdate: ({ spec }, old) => collect((errors) => checkSpec(errors, spec ?? {}, rangesOf(old))),
  columns: [nameColumn, column("Pod-Selector", ({ spec }) => formatLabelSelector(spec?.podSelector), { description: "Which pods it is for." }), ageColumn],
});

/**
 * NodeRestriction: a kubelet writes its own Node, the status of its own pods, tokens of pods bound to it, and its own
 * lease and CSINode. What it may read is the Node authorizer's business.
 * Counterpart: `plugin/pkg/admission/noderestriction`.
 */
import { isDeepStrictEqual } from "node:util";
import type { ResourceDefinition } from "../../api/resource-definition.ts";
import { csidrivers, nodes, persistentvolumeclaims, persistentvolumes, pods } from "../../api/schema/generated/references.ts";
import type { AuthenticationV1TokenRequest, PersistentVolumeClaim, Pod, ResourceSlice } from "../../api/schema/generated/models.ts";
import { conflict, notFound } from "../../api/status-error.ts";
import { nodeOf } from "../authorization/node-authorizer.ts";
import { podReferences } from "../authorization/pod-references.ts";
import type { AdmissionAttributes, AdmissionOperation, AdmissionPlugin, CacheReader } from "../contracts.ts";
import { admissionForbidden, admittedName } from "./admission-error.ts";
import { checkNodeWrite } from "./node-restriction-labels.ts";

const RESOURCES = new Set(["pods.", "nodes.", "persistentvolumeclaims.", "serviceaccounts.", "leases.coordination.k8s.io", "csinodes.storage.k8s.io", "resourceslices.resource.k8s.io"]);
const quote = (text: string): string => JSON.stringify(text);

export class NodeRestriction implements AdmissionPlugin {
  readonly name = "NodeRestriction";
  readonly #cache: CacheReader;
  constructor(cache: CacheReader) { this.#cache = cache; }

  handles(operation: AdmissionOperation, definition: ResourceDefinition): boolean {
    return operation !== "CONNECT" && RESOURCES.has(`${definition.plural}.${definition.group}`);
  }

  admit(attributes: AdmissionAttributes): void {
    const node = nodeOf(attributes.user);
    if (node === undefined) return;
    if (node === "") throw admissionForbidden(attributes, `could not determine node from user ${quote(attributes.user.name)}`);
    switch (attributes.definition.plural) {
      case "pods": return this.#pods(node, attributes);
      case "nodes": return checkNodeWrite(node, attributes);
      case "persistentvolumeclaims": return claimStatus(node, attributes);
      case "serviceaccounts": return this.#token(node, attributes);
      case "leases": return ownName(node, attributes, "can only access node lease with the same name as the requesting node");
      case "csinodes": return ownName(node, attributes, "can only access CSINode with the same name as the requesting node");
      case "resourceslices": return resourceSlice(node, attributes);
    }
  }

  #pods(node: string, attributes: AdmissionAttributes): void {
    switch (attributes.subresource) {
      case "": return this.#pod(node, attributes);
      case "status": return podStatus(node, attributes);
      case "eviction":
        if (this.#podOf(attributes).spec?.nodeName !== node) throw admissionForbidden(attributes, `node ${node} can only evict pods with spec.nodeName set to itself`);
        return;
      default: throw admissionForbidden(attributes, `unexpected pod subresource ${quote(attributes.subresource)}, only 'status' and 'eviction' are allowed`);
    }
  }

  #podOf(attributes: AdmissionAttributes): Pod {
    const name = admittedName(attributes), pod = this.#cache.get(pods, attributes.namespace, name);
    if (pod === undefined) throw notFound(pods, name);
    return pod;
  }

  #pod(node: string, attributes: AdmissionAttributes): void {
    if (attributes.operation === "DELETE") {
      if (this.#podOf(attributes).spec?.nodeName !== node) throw admissionForbidden(attributes, `node ${quote(node)} can only delete pods with spec.nodeName set to itself`);
      return;
    }
    if (attributes.operation !== "CREATE") throw admissionForbidden(attributes, `unexpected operation ${quote(attributes.operation)}, node ${quote(node)} can only create and delete mirror pods`);
    this.#mirrorPod(node, attributes);
  }

  #mirrorPod(node: string, attributes: AdmissionAttributes): void {
    const pod = attributes.object as Pod, who = `node ${quote(node)}`, refuse = (why: string): never => { throw admissionForbidden(attributes, why); };
    if (pod.metadata.annotations?.["kubernetes.io/config.mirror"] === undefined) refuse(`pod does not have "kubernetes.io/config.mirror" annotation, ${who} can only create mirror pods`);
    if (pod.spec?.nodeName !== node) refuse(`${who} can only create pods with spec.nodeName set to itself`);
    const owners = pod.metadata.ownerReferences ?? [], owner = owners[0];
    if (owners.length > 1) refuse(`${who} can only create pods with a single owner reference set to itself`);
    if (owner === undefined || owner.apiVersion !== "v1" || owner.kind !== "Node" || owner.name !== node) return refuse(`${who} can only create pods with an owner reference set to itself`);
    if (owner.controller !== true) refuse(`${who} can only create pods with a controller owner reference set to itself`);
    if (owner.blockOwnerDeletion === true) refuse(`${who} must not set blockOwnerDeletion on an owner reference`);
    const found = this.#cache.get(nodes, "", node);
    if (found === undefined) throw notFound(nodes, node);
    if (owner.uid !== found.metadata?.uid) refuse(`node ${node} UID mismatch: expected ${owner.uid} got ${found.metadata?.uid}`);
    for (const reference of podReferences(pod)) {
      const kind = reference.slice(0, reference.indexOf(":"));
      refuse(`${who} can not create pods that reference ${kind === "serviceaccount" ? "a service account" : `${kind}s`}`);
    }
  }

  #token(node: string, attributes: AdmissionAttributes): void {
    if (attributes.operation !== "CREATE" || attributes.subresource !== "token") return;
    const request = attributes.object as AuthenticationV1TokenRequest, bound = request.spec?.boundObjectRef, name = bound?.name ?? "";
    if (bound === undefined || bound.apiVersion !== "v1" || bound.kind !== "Pod" || name === "") throw admissionForbidden(attributes, "node requested token not bound to a pod");
    if ((bound.uid ?? "") === "") throw admissionForbidden(attributes, "node requested token with a pod binding without a uid");
    const pod = this.#cache.get(pods, attributes.namespace, name);
    if (pod === undefined) throw notFound(pods, name);
    if (pod.metadata.uid !== bound.uid) throw conflict(pods, name, `the UID in the bound object reference (${bound.uid}) does not match the UID in record. The object might have been deleted and then recreated`);
    if (pod.spec?.nodeName !== node) throw admissionForbidden(attributes, "node requested token bound to a pod scheduled on a different node");
    for (const audience of request.spec?.audiences ?? []) {
      if (!this.#audiences(pod).has(audience)) throw admissionForbidden(attributes, `audience ${quote(audience)} not found in pod spec volume`);
    }
  }

  /** Audiences the pod's volumes ask tokens for: projected ones, and those of the CSI drivers it uses. */
  #audiences(pod: Pod): Set<string> {
    const found = new Set<string>(), drivers = new Set<string>(), namespace = pod.metadata.namespace ?? "";
    for (const volume of pod.spec?.volumes ?? []) {
      for (const source of volume.projected?.sources ?? []) if (source.serviceAccountToken !== undefined) found.add(source.serviceAccountToken.audience ?? "");
      if (volume.csi !== undefined) drivers.add(volume.csi.driver);
      const claim = volume.persistentVolumeClaim?.claimName ?? (volume.ephemeral === undefined ? undefined : `${pod.metadata.name}-${volume.name}`);
      const bound = claim === undefined ? undefined : this.#cache.get(persistentvolumeclaims, namespace, claim)?.spec?.volumeName;
      const driver = bound === undefined ? undefined : this.#cache.get(persistentvolumes, "", bound)?.spec?.csi?.driver;
      if (driver !== undefined) drivers.add(driver);
    }
    for (const driver of drivers) for (const request of this.#cache.get(csidrivers, "", driver)?.spec?.tokenRequests ?? []) found.add(request.audience);
    return found;
  }
}

function podStatus(node: string, attributes: AdmissionAttributes): void {
  if (attributes.operation !== "UPDATE") throw admissionForbidden(attributes, `unexpected operation ${quote(attributes.operation)}`);
  const old = attributes.oldObject as Pod, pod = attributes.object as Pod, who = `node ${quote(node)}`;
  if (old.spec?.nodeName !== node) throw admissionForbidden(attributes, `${who} can only update pod status for pods with spec.nodeName set to itself`);
  if (!isDeepStrictEqual({ ...old.metadata.labels }, { ...pod.metadata.labels })) throw admissionForbidden(attributes, `${who} cannot update labels through pod status`);
  if (!isDeepStrictEqual(old.status?.resourceClaimStatuses ?? [], pod.status?.resourceClaimStatuses ?? [])) throw admissionForbidden(attributes, `${who} cannot update resource claim statuses`);
}

/** Of a claim a node reports its size and conditions, nothing else. */
function claimStatus(node: string, attributes: AdmissionAttributes): void {
  if (attributes.subresource !== "status") throw admissionForbidden(attributes, "may only update PVC status");
  if (attributes.operation !== "UPDATE") throw admissionForbidden(attributes, `unexpected operation ${quote(attributes.operation)}`);
  const rest = (object: unknown): unknown => {
    const { metadata, status, ...others } = object as PersistentVolumeClaim;
    const { resourceVersion: _version, managedFields: _fields, ...meta } = metadata;
    const { capacity: _capacity, conditions: _conditions, allocatedResourceStatuses: _statuses, allocatedResources: _resources, ...left } = status ?? {};
    return { ...others, metadata: meta, status: left };
  };
  if (!isDeepStrictEqual(rest(attributes.object), rest(attributes.oldObject))) throw admissionForbidden(attributes, `node ${quote(node)} is not allowed to update fields other than status.capacity and status.conditions`);
}

function ownName(node: string, attributes: AdmissionAttributes, why: string): void {
  if (attributes.operation === "CREATE" && attributes.subresource === "" && admittedName(attributes) !== node) throw admissionForbidden(attributes, why);
}

function resourceSlice(node: string, attributes: AdmissionAttributes): void {
  const slice = (attributes.object ?? attributes.oldObject) as ResourceSlice | undefined;
  if (attributes.operation === "CREATE" && slice?.spec?.nodeName !== node) throw admissionForbidden(attributes, "can only create ResourceSlice with the same NodeName as the requesting node");
}

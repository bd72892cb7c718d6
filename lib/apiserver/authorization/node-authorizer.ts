/**
 * The Node authorizer: a kubelet reads what the pods bound to its node need, and writes what is its own.
 * Never denies: what it does not allow, RBAC may. Counterpart: `plugin/pkg/auth/authorizer/node/node_authorizer.go`.
 */
import { parseFieldSelector } from "../../api/helpers/field-selector.ts";
import { resourceslices, volumeattachments } from "../../api/schema/generated/references.ts";
import type { PolicyRule } from "../../api/schema/generated/models.ts";
import type { Authorizer, CacheReader, Decision, RequestAttributes, UserInfo } from "../contracts.ts";
import type { NodeGraph } from "./node-graph.ts";
import { rulesAllow } from "./rbac-rules.ts";

export const NODE_USER_PREFIX = "system:node:", NODES_GROUP = "system:nodes";
type Verdict = { decision: Decision; reason: string };
const ALLOW: Verdict = { decision: "allow", reason: "" };
const no = (reason: string): Verdict => ({ decision: "no-opinion", reason });

/** The node a user is: its name, "" for a member of system:nodes that names none, undefined for anybody else. */
export function nodeOf(user: UserInfo): string | undefined {
  if (!user.name.startsWith(NODE_USER_PREFIX) || !user.groups.includes(NODES_GROUP)) return undefined;
  return user.name.slice(NODE_USER_PREFIX.length);
}

export class NodeAuthorizer implements Authorizer {
  readonly #graph: NodeGraph;
  readonly #cache: CacheReader;
  readonly #rules: readonly PolicyRule[];
  /** `rules`: what every node may do; those of the ClusterRole `system:node`. */
  constructor(deps: { graph: NodeGraph; cache: CacheReader }, rules: readonly PolicyRule[]) {
    this.#graph = deps.graph;
    this.#cache = deps.cache;
    this.#rules = rules;
  }

  authorize(attributes: RequestAttributes): Verdict {
    const node = nodeOf(attributes.user);
    if (node === undefined) return no("");
    if (node === "") return no(`unknown node for user ${JSON.stringify(attributes.user.name)}`);
    if (attributes.isResourceRequest) {
      const verdict = this.#authorizeResource(node, attributes);
      if (verdict !== undefined) return verdict;
    }
    return rulesAllow(this.#rules, attributes) ? ALLOW : no("");
  }

  /** The kinds whose access differs from node to node; undefined for the rest. */
  #authorizeResource(node: string, a: RequestAttributes): Verdict | undefined {
    switch (`${a.resource}.${a.apiGroup}`) {
      case "secrets.": return this.#readNamed(node, "secret", a);
      case "configmaps.": return this.#readNamed(node, "configmap", a);
      case "persistentvolumeclaims.": {
        const related = this.#graph.concerns(node, "persistentvolumeclaim", a.namespace, a.name);
        return a.subresource === "status" ? statusUpdate(node, a, related) : getOnly(node, a, related);
      }
      case "persistentvolumes.": return getOnly(node, a, this.#graph.volumeConcerns(node, a.name));
      case "resourceclaims.resource.k8s.io": return getOnly(node, a, this.#graph.concerns(node, "resourceclaim", a.namespace, a.name));
      case "volumeattachments.storage.k8s.io": return getOnly(node, a, this.#cache.get(volumeattachments, "", a.name)?.spec?.nodeName === node);
      case "serviceaccounts.": return this.#serviceAccount(node, a);
      case "leases.coordination.k8s.io": return lease(node, a);
      case "csinodes.storage.k8s.io": return csiNode(node, a);
      case "resourceslices.resource.k8s.io": return this.#resourceSlice(node, a);
      case "nodes.": return nodeObject(node, a, this.#rules);
      case "pods.": return this.#pod(node, a);
      default: return undefined;
    }
  }

  #readNamed(node: string, kind: "secret" | "configmap", a: RequestAttributes): Verdict {
    if (!["get", "list", "watch"].includes(a.verb)) return no("can only read resources of this type");
    if (a.subresource !== "") return no("cannot read subresource");
    if (a.namespace === "") return no("can only read namespaced object of this type");
    return related(node, a, this.#graph.concerns(node, kind, a.namespace, a.name));
  }

  #serviceAccount(node: string, a: RequestAttributes): Verdict {
    const concerned = this.#graph.concerns(node, "serviceaccount", a.namespace, a.name);
    if (a.subresource === "" && a.verb === "get") return related(node, a, concerned);
    if (a.verb !== "create" || a.name === "") return no("can only create tokens for individual service accounts");
    if (a.subresource !== "token") return no("can only create token subresource of serviceaccount");
    return related(node, a, concerned);
  }

  #resourceSlice(node: string, a: RequestAttributes): Verdict {
    if (a.subresource !== "") return no("cannot authorize ResourceSlice subresources");
    switch (a.verb) {
      case "create": return ALLOW; // The NodeRestriction plugin looks at the object.
      case "get": case "update": case "patch": case "delete":
        return related(node, a, this.#cache.get(resourceslices, "", a.name)?.spec?.nodeName === node);
      case "list": case "watch": case "deletecollection":
        return selects(a, "spec.nodeName", node) ? ALLOW : no("can only list/watch/deletecollection resourceslices with nodeName field selector");
      default: return no("only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection");
    }
  }

  #pod(node: string, a: RequestAttributes): Verdict | undefined {
    if (a.subresource !== "") return undefined; // By the rules; the NodeRestriction plugin looks at whose pod it is.
    if (a.verb === "get") return related(node, a, this.#graph.podIsOn(node, a.namespace, a.name));
    if (a.verb === "list" || a.verb === "watch") return selects(a, "spec.nodeName", node) ? ALLOW : no("can only list/watch pods with spec.nodeName field selector");
    return undefined;
  }
}

function related(node: string, a: RequestAttributes, concerned: boolean): Verdict {
  if (a.name === "") return no("No Object name found");
  return concerned ? ALLOW : no(`no relationship found between node '${node}' and this object`);
}

function getOnly(node: string, a: RequestAttributes, concerned: boolean): Verdict {
  if (a.verb !== "get") return no("can only get individual resources of this type");
  return a.subresource === "" ? related(node, a, concerned) : no("cannot get subresource");
}

function statusUpdate(node: string, a: RequestAttributes, concerned: boolean): Verdict {
  return ["get", "update", "patch"].includes(a.verb) ? related(node, a, concerned) : no("can only get/update/patch this type");
}

const OWN_VERBS = ["get", "create", "update", "patch", "delete"];

function lease(node: string, a: RequestAttributes): Verdict {
  if (!OWN_VERBS.includes(a.verb)) return no("can only get, create, update, patch, or delete a node lease");
  if (a.namespace !== "kube-node-lease") return no('can only access leases in the "kube-node-lease" system namespace');
  // The name of what is created is only in its body: the NodeRestriction plugin looks.
  return a.verb === "create" || a.name === node ? ALLOW : no("can only access node lease with the same name as the requesting node");
}

function csiNode(node: string, a: RequestAttributes): Verdict {
  if (!OWN_VERBS.includes(a.verb)) return no("can only get, create, update, patch, or delete a CSINode");
  if (a.subresource !== "") return no("cannot authorize CSINode subresources");
  return a.verb === "create" || a.name === node ? ALLOW : no("can only access CSINode with the same name as the requesting node");
}

function nodeObject(node: string, a: RequestAttributes, rules: readonly PolicyRule[]): Verdict {
  if (a.subresource === "" && ["get", "list", "watch"].includes(a.verb) && a.name !== node) return no(`node '${node}' cannot read '${a.name}', only its own Node object`);
  return rulesAllow(rules, a) ? ALLOW : no("");
}

function selects(a: RequestAttributes, field: string, value: string): boolean {
  if (a.fieldSelector === undefined || a.fieldSelector === "") return false;
  try { return parseFieldSelector(a.fieldSelector).requirements.some((each) => each.field === field && each.operator === "=" && each.value === value); }
  catch { return false; } // The registry refuses it with the right words.
}

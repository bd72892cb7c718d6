/**
 * The operations of a resource, before they are written as OpenAPI 2 or 3: paths, methods, parameters, bodies, answers.
 * Counterpart: the apiserver's `endpoints/installer.go`.
 */
import type { ResourceDefinition } from "../resource-definition.ts";
import { resourceSchemaOf } from "../schema/schema.ts";
import { kindsOf, listModelOf, type GroupVersionKind } from "./definitions.ts";
import { modelOf } from "../schema/schema.ts";

export type Method = "get" | "put" | "post" | "patch" | "delete" | "head" | "options";

export interface Operation {
  readonly method: Method;
  /** `x-kubernetes-action`: list, get, post, put, patch, delete, deletecollection, connect. */
  readonly action: string;
  readonly id: string;
  readonly description: string;
  readonly gvk: GroupVersionKind;
  /** Names of query parameters, see `parameters.ts`. */
  readonly query: readonly string[];
  /** Model of the body; "Patch" for patches. */
  readonly body: string | undefined;
  /** Model of the answer; "" for plain text. */
  readonly answer: string;
  readonly codes: readonly number[];
  readonly watchable: boolean;
}
export interface PathOperations {
  readonly path: string;
  /** `{namespace}` and `{name}` that occur in the path. */
  readonly pathParameters: readonly string[];
  readonly operations: readonly Operation[];
}

const WRITE_QUERY = ["dryRun", "fieldManager", "fieldValidation"];
const LIST_QUERY = ["allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion", "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch"];
const DELETE_QUERY = ["dryRun", "gracePeriodSeconds", "ignoreStoreReadErrorWithClusterBreakingPotential", "orphanDependents", "propagationPolicy"];
const COLLECTION_QUERY = [...new Set([...LIST_QUERY, ...DELETE_QUERY])].filter((name) => name !== "watch" && name !== "allowWatchBookmarks").sort();

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `rbac.authorization.k8s.io/v1` -> `RbacAuthorizationV1`; the core group -> `CoreV1`. */
export function idPrefix(group: string, version: string): string {
  const name = group === "" ? "core" : group.replace(/\.k8s\.io$/, "");
  return name.split(".").map(capital).join("") + capital(version);
}

/** The tag of a group and version: `rbacAuthorization_v1`. */
export function tagOf(group: string, version: string): string {
  const name = idPrefix(group, version).slice(0, -version.length);
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}_${version}`;
}

/** `/api/v1` or `/apis/apps/v1`. */
export const rootPath = (group: string, version: string): string => (group === "" ? `/api/${version}` : `/apis/${group}/${version}`);

interface Subresource { readonly name: string; readonly verbs: readonly string[]; readonly model: string }

/** Subresources the schema and the definition both have. */
function subresourcesOf(resource: ResourceDefinition): Subresource[] {
  const known = resourceSchemaOf(resource);
  return resource.subresources.map((name) => ({ name, verbs: known?.subresources[name]?.verbs ?? ["get"], model: known?.subresources[name]?.model ?? "" }));
}

/** Writes operations of one resource. */
class Builder {
  readonly #resource: ResourceDefinition;
  readonly #prefix: string;
  readonly #gvk: GroupVersionKind;
  constructor(resource: ResourceDefinition) {
    this.#resource = resource;
    this.#prefix = idPrefix(resource.group, resource.version);
    this.#gvk = { group: resource.group, version: resource.version, kind: resource.kind };
  }

  #id(verb: string, middle = ""): string {
    return `${verb}${this.#prefix}${middle}${this.#resource.namespaced ? "Namespaced" : ""}${this.#resource.kind}`;
  }

  #operation(method: Method, action: string, id: string, description: string, rest: Partial<Operation>): Operation {
    return { method, action, id, description, gvk: this.#gvk, query: [], body: undefined, answer: this.#resource.model, codes: [200], watchable: false, ...rest };
  }

  #has(verb: string): boolean { return this.#resource.verbs.includes(verb); }

  collection(): Operation[] {
    const { kind, model } = this.#resource, list = listModelOf(model) ?? model;
    return [
      this.#has("list") && this.#operation("get", "list", this.#id("list"), `list or watch objects of kind ${kind}`, { query: LIST_QUERY, answer: list, watchable: true }),
      this.#has("create") && this.#operation("post", "post", this.#id("create"), `create ${article(kind)} ${kind}`, { query: WRITE_QUERY, body: model, codes: [200, 201, 202] }),
      this.#has("deletecollection") && this.#operation("delete", "deletecollection", this.#id("delete", "Collection"), `delete collection of ${kind}`, { query: COLLECTION_QUERY, body: "DeleteOptions", answer: "Status" }),
    ].filter((operation) => operation !== false);
  }

  allNamespaces(): Operation {
    const { kind, model } = this.#resource;
    return this.#operation("get", "list", `list${this.#prefix}${kind}ForAllNamespaces`, `list or watch objects of kind ${kind}`, { query: LIST_QUERY, answer: listModelOf(model) ?? model, watchable: true });
  }

  item(): Operation[] {
    const { kind, model } = this.#resource;
    const deleteAnswer = ["Pod", "PersistentVolume", "PersistentVolumeClaim", "Service", "ServiceAccount", "PodTemplate", "ResourceQuota"].includes(kind) ? model : "Status";
    return [
      this.#has("get") && this.#operation("get", "get", this.#id("read"), `read the specified ${kind}`, {}),
      this.#has("update") && this.#operation("put", "put", this.#id("replace"), `replace the specified ${kind}`, { query: WRITE_QUERY, body: model, codes: [200, 201] }),
      this.#has("patch") && this.#operation("patch", "patch", this.#id("patch"), `partially update the specified ${kind}`, { query: [...WRITE_QUERY, "force"], body: "Patch", codes: [200, 201] }),
      this.#has("delete") && this.#operation("delete", "delete", this.#id("delete"), `delete ${article(kind)} ${kind}`, { query: DELETE_QUERY, body: "DeleteOptions", answer: deleteAnswer, codes: [200, 202] }),
    ].filter((operation) => operation !== false);
  }

  subresource({ name, verbs, model }: Subresource): Operation[] {
    const { kind } = this.#resource, suffix = capital(name), gvk = (model === "" ? undefined : kindsOf(modelOf(model))[0]) ?? this.#gvk;
    const one = (verb: string, method: Method, action: string, idVerb: string, description: string, rest: Partial<Operation>): Operation | false =>
      verbs.includes(verb) && { ...this.#operation(method, action, this.#id(idVerb) + suffix, description, { answer: model, ...rest }), gvk };
    if (model === "" && name !== "log") {
      const methods: Partial<Record<string, Method>> = { get: "get", create: "post", update: "put", patch: "patch", delete: "delete" };
      return verbs.flatMap((verb) => {
        const method = methods[verb];
        if (method === undefined) return [];
        // A kind of their own, as upstream: kubectl asks any patch of a kind whether it knows fieldValidation.
        const options = { group: "", version: "v1", kind: `${kind}${name === "portforward" ? "PortForward" : suffix}Options` };
        return [this.#operation(method, "connect", this.#id(`connect${capital(method)}`) + suffix, `connect ${method.toUpperCase()} requests to ${name} of ${kind}`, { answer: "", gvk: options })];
      });
    }
    const logQuery = name === "log" ? ["container", "follow", "limitBytes", "previous", "sinceSeconds", "stream", "tailLines", "timestamps"] : [];
    return [
      one("get", "get", "get", "read", `read ${name} of the specified ${kind}`, { query: logQuery }),
      one("update", "put", "put", "replace", `replace ${name} of the specified ${kind}`, { query: WRITE_QUERY, body: model, codes: [200, 201] }),
      one("patch", "patch", "patch", "patch", `partially update ${name} of the specified ${kind}`, { query: [...WRITE_QUERY, "force"], body: "Patch", codes: [200, 201] }),
      one("create", "post", "post", "create", `create ${name} of ${article(kind)} ${kind}`, { query: WRITE_QUERY, body: model, codes: [200, 201, 202] }),
    ].filter((operation) => operation !== false);
  }
}

const article = (kind: string): string => (/^[AEIOU]/.test(kind) ? "an" : "a");

/** Every path of a resource with its operations. */
export function pathsOf(resource: ResourceDefinition): PathOperations[] {
  const builder = new Builder(resource), root = rootPath(resource.group, resource.version);
  const base = `${root}${resource.namespaced ? "/namespaces/{namespace}" : ""}/${resource.plural}`, scope = resource.namespaced ? ["namespace"] : [];
  const paths: PathOperations[] = [
    ...(resource.namespaced && resource.verbs.includes("list") ? [{ path: `${root}/${resource.plural}`, pathParameters: [], operations: [builder.allNamespaces()] }] : []),
    { path: base, pathParameters: scope, operations: builder.collection() },
    { path: `${base}/{name}`, pathParameters: ["name", ...scope], operations: builder.item() },
    ...subresourcesOf(resource).map((sub) => ({ path: `${base}/{name}/${sub.name}`, pathParameters: ["name", ...scope], operations: builder.subresource(sub) })),
  ];
  return paths.filter((path) => path.operations.length > 0);
}

/** Models the operations speak of. */
export function modelsOf(paths: readonly PathOperations[]): Set<string> {
  const names = paths.flatMap((path) => path.operations.flatMap((operation) => [operation.body ?? "", operation.answer]));
  return new Set([...names.filter((name) => name !== "" && name !== "Patch"), "APIResourceList", "DeleteOptions", "Status", "WatchEvent"]);
}

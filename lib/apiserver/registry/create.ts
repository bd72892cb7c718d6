/** Creating an object. Counterpart: apiserver `registry/rest/create.go` and `registry/generic/registry/store.go` Create. */
import { randomUUID } from "node:crypto";
import { toTimestamp } from "../../api/helpers/timestamps.ts";
import { invalidError } from "../../api/field-error.ts";
import type { KubeObject } from "../../api/resource-definition.ts";
import { StatusError, alreadyExists, badRequest, hasReason, noFreeName } from "../../api/status-error.ts";
import { cloneJson } from "../../api/patch/json-value.ts";
import { validateObjectMeta } from "../../api/validation/object-meta.ts";
import { RevisionConflictError } from "../../storage/store.ts";
import { Turns } from "../../util/turns.ts";
import type { AdmissionAttributes, WriteTransaction } from "../contracts.ts";
import type { Entry } from "../cache/entry.ts";
import { generatedName, type Resource, type WriteContext } from "./resource.ts";
import { track } from "./tracked-write.ts";

/** Names thrown for one request, should the first be taken. Source: `maxNameGenerationCreateAttempts` of apiserver `registry/generic/registry/store.go`. */
const GENERATE_TRIES_MAX = 8;

const NOT_FOR_CLIENTS = ["resourceVersion", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"] as const;

/** What the server alone decides of the metadata of a new object. */
function stampMetadata(resource: Resource, object: KubeObject, namespace: string, now: Date): void {
  const meta = object.metadata;
  if (meta.resourceVersion !== undefined && meta.resourceVersion !== "" && meta.resourceVersion !== "0") throw new StatusError("", "resourceVersion should not be set on objects to be created", { code: 500 });
  for (const field of NOT_FOR_CLIENTS) if (meta[field] !== undefined) delete meta[field];
  if (namespace !== "") meta.namespace = namespace;
  else if (meta.namespace === "") delete meta.namespace;
  if ((meta.name ?? "") === "" && (meta.generateName ?? "") !== "") meta.name = freeName(resource, namespace, meta.generateName!);
  meta.uid = randomUUID();
  meta.creationTimestamp = toTimestamp(now);
  if (resource.definition.hasGeneration) meta.generation = 1;
}

/** A generated name that nobody has yet. */
function freeName(resource: Resource, namespace: string, prefix: string): string {
  for (let tries = 1; ; tries++) {
    const name = generatedName(prefix);
    if (tries === GENERATE_TRIES_MAX || !resource.cache.has(resource.key(namespace, name))) return name;
  }
}

/** The namespace an object may name is the one of the URL. Throws BadRequest. */
export function checkNamespace(object: KubeObject, namespace: string): void {
  const named = object.metadata.namespace;
  if (named !== undefined && named !== "" && named !== namespace) throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
}

/**
 * Creates `object`, a decoded body this function may change; `tracked`: its managedFields are settled. Throws StatusError: Invalid, AlreadyExists and what admission says.
 * A generated name that another request has taken in the meantime, here or on another server, is thrown again.
 */
export async function createObject(resource: Resource, object: KubeObject, namespace: string, context: WriteContext, tracked = false): Promise<Entry> {
  const { name, generateName } = object.metadata;
  if ((name ?? "") !== "" || (generateName ?? "") === "") return createOnce(resource, object, namespace, context, tracked);
  for (let tries = 1; ; tries++) {
    // A try leaves its marks: defaults, an address of its own.
    try { return await createOnce(resource, cloneJson(object), namespace, context, tracked); }
    catch (error) {
      if (!hasReason(error, "AlreadyExists")) throw error;
      if (tries === GENERATE_TRIES_MAX) throw noFreeName(resource.definition, error.details?.name ?? "");
    }
  }
}

async function createOnce(resource: Resource, object: KubeObject, namespace: string, context: WriteContext, tracked: boolean): Promise<Entry> {
  const { definition, deps } = resource, { admission } = deps;
  const turns = new Turns(), now = deps.clock.now(), strategy = { now, user: context.user.name, userInfo: context.user };
  checkNamespace(object, namespace);
  definition.defaults?.(object);
  stampMetadata(resource, object, namespace, now);
  const tracking = tracked ? undefined : track(resource, object, undefined, "", context.fieldManager, now);
  if (tracking !== undefined) await tracking;
  else if (turns.isLong) await turns.pause();
  definition.prepareForCreate?.(object, strategy);
  const meta = object.metadata;
  const attributes: AdmissionAttributes = {
    operation: "CREATE", definition, subresource: "", namespace, name: meta.name ?? "", object, oldObject: undefined,
    user: context.user, dryRun: context.dryRun, addWarning: context.addWarning,
  };
  const admitted = admission.handles("CREATE", definition, "");
  if (admitted) {
    await admission.admit(attributes);
    definition.defaults?.(object);
  }
  const transactions: WriteTransaction[] = [];
  let succeeded = false;
  try {
    for (const hook of resource.hooks) if (hook.beginCreate !== undefined) transactions.push(await hook.beginCreate(object, context.dryRun));
    if (turns.isLong) await turns.pause();
    const errors = [...validateObjectMeta(meta, definition), ...(definition.validate?.(object) ?? [])];
    if (errors.length > 0) throw invalidError(definition.group, definition.kind, meta.name ?? "", errors);
    if (admitted) await admission.validate(attributes);
    for (const text of definition.warnings?.(object, undefined) ?? []) context.addWarning(text);
    if (turns.isLong) await turns.pause();
    const entry = await put(resource, object, context);
    if (definition.notRunYet === true) context.addWarning(`${definition.kind}: stored but not yet run by this release`);
    succeeded = true;
    return entry;
  } finally { for (const transaction of transactions) transaction.finish(succeeded); }
}

async function put(resource: Resource, object: KubeObject, context: WriteContext): Promise<Entry> {
  const { name } = object.metadata;
  if (resource.cache.has(resource.key(object.metadata.namespace ?? "", name))) throw alreadyExists(resource.definition, name);
  const form = resource.storedForm(object);
  if (context.dryRun) return resource.preview(form, 0);
  try { return await resource.put(form, 0); }
  catch (error) { if (error instanceof RevisionConflictError) throw alreadyExists(resource.definition, name); throw error; }
}

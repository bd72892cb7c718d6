/** Changes the server makes of its own: read, change, compare-and-swap, past the strategies that clients' updates go through. */
import type { KubeObject } from "../../api/resource-definition.ts";
import { conflict } from "../../api/status-error.ts";
import { RevisionConflictError } from "../../storage/store.ts";
import type { Entry } from "../cache/entry.ts";
import type { Resource } from "./resource.ts";
import { MODIFIED } from "./update.ts";

const TRIES_MAX = 20;

/** Applies `change` to a new copy of the object until no other writer comes between. Throws StatusError, and what `change` throws. */
export async function modifyObject<T extends KubeObject>(resource: Resource, namespace: string, name: string, change: (object: T) => void, dryRun = false): Promise<Entry> {
  for (let tries = 1; ; tries++) {
    const stored = resource.find(namespace, name), object = resource.decode(stored) as T;
    change(object);
    const form = resource.storedForm(object);
    if (dryRun) return resource.preview(form, stored.revision);
    try { return await resource.put(form, stored.revision); }
    catch (error) {
      if (!(error instanceof RevisionConflictError)) throw error;
      if (tries === TRIES_MAX) throw conflict(resource.definition, name, MODIFIED);
    }
  }
}

/** Indexes of the shared pod informer that several controllers read. Naming them in one place keeps them one. */
import { controllerOf } from "../../api/helpers/owner-references.ts";
import { pods } from "../../api/schema/generated/references.ts";
import type { Pod } from "../../api/schema/generated/models.ts";
import type { Informer } from "../../runtime/informer.ts";
import type { IndexFunction } from "../../runtime/store.ts";
import type { SharedInformers } from "../../runtime/shared-informers.ts";
import type { HasMeta } from "../../client/client.ts";

/** By uid of the controlling owner. */
export const CONTROLLER_INDEX = "controllerUid";
/** By namespace, only what nobody controls. */
export const ORPHAN_INDEX = "orphansOfNamespace";
/** By node name. */
export const NODE_INDEX = "nodeName";

export const ownerIndexes = <T extends HasMeta>(): Record<string, IndexFunction<T>> => ({
  [CONTROLLER_INDEX]: (object) => { const owner = controllerOf(object); return owner === undefined ? [] : [owner.uid]; },
  [ORPHAN_INDEX]: (object) => (controllerOf(object) === undefined ? [object.metadata.namespace ?? ""] : []),
});

/** The shared pod informer with all of them. */
export const podInformer = (informers: SharedInformers): Informer<Pod> =>
  informers.get(pods, { indexes: { ...ownerIndexes<Pod>(), [NODE_INDEX]: (pod) => (pod.spec.nodeName === undefined || pod.spec.nodeName === "" ? [] : [pod.spec.nodeName]) } });

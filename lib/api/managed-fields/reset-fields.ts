/**
 * Fields a request cannot own: what it cannot write, and what is not tracked at all.
 * Counterpart: the `GetResetFields` of upstream's strategies.
 */
import { LEAF, SELF, setOf, withoutSubtrees, type FieldSet } from "./field-set.ts";

/** Never tracked. */
export const UNTRACKED: FieldSet = setOf(
  ["f:apiVersion"], ["f:kind"], ["f:metadata"],
  ...["name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields", "resourceVersion"].map((name) => ["f:metadata", `f:${name}`]),
);

/** What is left of a set. */
export type FieldFilter = (set: FieldSet) => FieldSet;

const except = (...paths: string[][]): FieldFilter => {
  const reset = setOf(...paths);
  return (set) => withoutSubtrees(set, reset);
};

/** `*` stands for any element. */
type Pattern = readonly string[];

function under(set: FieldSet, patterns: readonly Pattern[]): FieldSet {
  const kept: Record<string, FieldSet> = {};
  for (const element in set) {
    if (element === SELF) continue;
    const rests = patterns.filter(([first]) => first === element || first === "*").map((pattern) => pattern.slice(1));
    if (rests.length === 0) continue;
    const node = rests.some((rest) => rest.length === 0) ? set[element]! : under(set[element]!, rests);
    // A member on the way to what is kept goes: it matches none of the patterns.
    if (node === set[element] || Object.keys(node).length > 0) kept[element] = node;
  }
  return kept;
}

/** Nothing but what lies at or under one of the patterns. */
const only = (...patterns: Pattern[]): FieldFilter => (set) => (set === LEAF ? set : under(set, patterns));

const everything: FieldFilter = (set) => set, noStatus = except(["f:status"]), noSpec = except(["f:spec"]), neitherSpecNorMetadata = except(["f:metadata"], ["f:spec"]);

/** By resource and subresource, where upstream's strategies are not the usual ones. */
const SPECIAL: Readonly<Record<string, FieldFilter>> = {
  "deployments.apps/status": except(["f:spec"], ["f:metadata", "f:labels"]),
  "pods/status": except(["f:spec"], ["f:metadata", "f:deletionTimestamp"], ["f:metadata", "f:ownerReferences"]),
  "pods/ephemeralcontainers": only(["f:spec", "f:ephemeralContainers"]),
  "pods/resize": only(...["f:containers", "f:initContainers"].flatMap((list) => ["f:resources", "f:resizePolicy"].map((field) => ["f:spec", list, "*", field]))),
  "certificatesigningrequests.certificates.k8s.io": except(["f:spec"], ["f:status"]),
  "certificatesigningrequests.certificates.k8s.io/status": except(["f:spec"], ["f:status", "f:conditions"]),
  "certificatesigningrequests.certificates.k8s.io/approval": except(["f:spec"], ["f:status", "f:certificate"]),
  "apiservices.apiregistration.k8s.io/status": neitherSpecNorMetadata,
  "flowschemas.flowcontrol.apiserver.k8s.io/status": neitherSpecNorMetadata,
  "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io/status": neitherSpecNorMetadata,
  "resourceclaims.resource.k8s.io/status": neitherSpecNorMetadata,
  "validatingadmissionpolicies.admissionregistration.k8s.io/status": neitherSpecNorMetadata,
  "volumeattachments.storage.k8s.io/status": neitherSpecNorMetadata,
  scale: everything,
};

export interface WrittenPart {
  /** `plural[.group]`, or "scale" for a Scale; undefined: any usual one. */
  readonly resource?: string | undefined;
  /** "" for the object itself. */
  readonly subresource: string;
  /** Whether the resource has a status subresource: then writes to the object do not own status. */
  readonly hasStatus: boolean;
}

/** What a write to this part of a resource may own. */
export function ownable({ resource, subresource, hasStatus }: WrittenPart): FieldFilter {
  const special = resource === undefined ? undefined : SPECIAL[resource === "scale" || subresource === "" ? resource : `${resource}/${subresource}`];
  if (special !== undefined) return special;
  if (subresource === "") return hasStatus ? noStatus : everything;
  return subresource === "status" ? noSpec : noStatus;
}


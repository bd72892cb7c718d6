/** Fields a request cannot own: what it cannot write, and what is not tracked at all. */
import { setOf, type FieldSet } from "./field-set.ts";

/** Never tracked. */
export const UNTRACKED: FieldSet = setOf(
  ["f:apiVersion"], ["f:kind"], ["f:metadata"],
  ...["name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields", "resourceVersion"].map((name) => ["f:metadata", `f:${name}`]),
);

const STATUS = setOf(["f:status"]), SPEC = setOf(["f:spec"]), NONE = setOf();

/** What writes to `subresource` ("" for the object itself) leave alone, by upstream's usual strategies. */
export function resetFields(subresource: string, hasStatus: boolean): FieldSet {
  if (subresource === "") return hasStatus ? STATUS : NONE;
  return subresource === "status" ? SPEC : STATUS;
}

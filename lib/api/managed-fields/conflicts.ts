/** Conflicts of a server-side apply, as upstream words them. Counterpart: apimachinery `managedfields/internal/conflict.go`. */
import { StatusError } from "../status-error.ts";
import type { Manager } from "./managers.ts";
import { printPath } from "./path-element.ts";

export type Conflicts = readonly { readonly manager: Manager; readonly path: readonly string[] }[];

function printManager({ name, subresource, operation, apiVersion }: Manager): string {
  const shown = `${JSON.stringify(name)}${subresource === "" ? "" : ` with subresource ${JSON.stringify(subresource)}`}`;
  return operation === "Update" ? `${shown} using ${apiVersion}` : shown;
}

function messageOf(conflicts: Conflicts): string {
  if (conflicts.length === 1) return `Apply failed with 1 conflict: conflict with ${printManager(conflicts[0]!.manager)}: ${printPath(conflicts[0]!.path)}`;
  const byManager = Map.groupBy(conflicts, (conflict) => conflict.manager);
  const lines = [...byManager].flatMap(([manager, list]) => [`conflicts with ${printManager(manager)}:`, ...list.map(({ path }) => `- ${printPath(path)}`)]);
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join("\n")}`;
}

/** The 409 answer. `conflicts` come ordered by manager. */
export function applyConflict(conflicts: Conflicts): StatusError {
  const causes = conflicts.map(({ manager, path }) => ({ reason: "FieldManagerConflict", message: `conflict with ${printManager(manager)}`, field: printPath(path) }));
  return new StatusError("Conflict", messageOf(conflicts), { details: { causes } });
}

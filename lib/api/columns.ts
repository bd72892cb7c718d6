/** Columns many resources share, and the texts in their cells. Counterpart: kubernetes `printers/internalversion`. */
import { ageSince } from "./helpers/human-duration.ts";
import type { Column, KubeObject } from "./resource-definition.ts";
import type { PodTemplateSpec } from "./schema/generated/models.ts";

export const nameColumn: Column<KubeObject> = {
  name: "Name", type: "string", format: "name", description: "The name, unique within its namespace.",
  cell: (object) => object.metadata.name ?? "",
};

export const ageColumn: Column<KubeObject> = {
  name: "Age", type: "string", description: "How long ago the object was created.",
  cell: (object, now) => ageSince(object.metadata.creationTimestamp, now),
};

/** In place of the age, where upstream has no printer for a kind. */
export const createdAtColumn: Column<KubeObject> = {
  name: "Created At", type: "date", description: "When the object was created.",
  cell: (object) => object.metadata.creationTimestamp ?? "",
};

export interface ColumnOptions<T> { /** Shown only with `-o wide`. */ wide?: boolean; type?: Column<T>["type"]; description?: string }

/** A column of one's own; text unless `type` says otherwise. */
export const column = <T>(name: string, cell: (object: T, now: Date) => string | number | boolean, options: ColumnOptions<T> = {}): Column<T> => ({
  name, type: options.type ?? "string", description: options.description ?? "", priority: options.wide === true ? 1 : 0, cell,
});

/** Names and images of a template's containers, for `-o wide`. */
export const containerColumns = <T>(template: (object: T) => PodTemplateSpec | undefined, wide = true): readonly Column<T>[] => [
  column("Containers", (object: T) => (template(object)?.spec?.containers ?? []).map((container) => container.name).join(","), { wide, description: "Names of the template's containers." }),
  column("Images", (object: T) => (template(object)?.spec?.containers ?? []).map((container) => container.image ?? "").join(","), { wide, description: "Images of the template's containers." }),
];

interface Replicated { spec?: { replicas?: number | undefined } | undefined; status?: { replicas?: number | undefined; readyReplicas?: number | undefined } | undefined }
/** How many pods a set wants, has, and has ready. */
export const replicaColumns: readonly Column<Replicated>[] = [
  column("Desired", ({ spec }) => spec?.replicas ?? 0, { type: "integer", description: "How many pods are wanted." }),
  column("Current", ({ status }) => status?.replicas ?? 0, { type: "integer", description: "How many pods there are." }),
  column("Ready", ({ status }) => status?.readyReplicas ?? 0, { type: "integer", description: "How many pods are ready." }),
];

/** `a=b,c=d` in order of keys; `<none>` when there are none. */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const keys = Object.keys(labels ?? {}).sort();
  return keys.length === 0 ? "<none>" : keys.map((key) => `${key}=${labels![key]}`).join(",");
}

/** The first few of a list, and how many more there are. */
export function listWithMore(items: readonly string[], max = 3): string {
  const shown = items.slice(0, max).join(",");
  if (items.length > max) return `${shown} + ${items.length - max} more...`;
  return shown === "" ? "<unset>" : shown;
}

export const orNone = (text: string | undefined): string => (text === undefined || text === "" ? "<none>" : text);
export const orUnset = (text: string | number | undefined): string => (text === undefined ? "<unset>" : String(text));

/** Columns many resources share. Counterpart: kubernetes `printers/internalversion` and apiserver `registry/rest/table`. */
import { ageSince } from "./helpers/human-duration.ts";
import type { Column, KubeObject } from "./resource-definition.ts";

export const nameColumn: Column<KubeObject> = {
  name: "Name", type: "string", format: "name",
  description: "The name, unique within its namespace.",
  cell: (object) => object.metadata.name ?? "",
};

export const ageColumn: Column<KubeObject> = {
  name: "Age", type: "string",
  description: "How long ago the object was created.",
  cell: (object, now) => ageSince(object.metadata.creationTimestamp, now),
};

/** A text column; `wide`: only with `-o wide`. */
export const column = <T>(name: string, cell: (object: T, now: Date) => string | number, options: { wide?: boolean; type?: Column<T>["type"]; description?: string } = {}): Column<T> => ({
  name, type: options.type ?? "string", description: options.description ?? "", priority: options.wide === true ? 1 : 0, cell,
});

/** Columns many resources share. Counterpart: kubernetes `printers/internalversion` and apiserver `registry/rest/table`. */
import { ageSince } from "./helpers/human-duration.ts";
import type { Column, KubeObject } from "./resource-definition.ts";

export const nameColumn: Column<KubeObject> = {
  name: "Name", type: "string", format: "name",
  description: "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names",
  cell: (object) => object.metadata.name ?? "",
};

export const ageColumn: Column<KubeObject> = {
  name: "Age", type: "string",
  description: "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC. Populated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
  cell: (object, now) => ageSince(object.metadata.creationTimestamp, now),
};

/** A text column; `wide`: only with `-o wide`. */
export const column = <T>(name: string, cell: (object: T, now: Date) => string | number, options: { wide?: boolean; type?: Column<T>["type"]; description?: string } = {}): Column<T> => ({
  name, type: options.type ?? "string", description: options.description ?? "", priority: options.wide === true ? 1 : 0, cell,
});

/** Binding: puts a pod on a node; never stored. Counterpart: kubernetes `registry/core/pod/storage` (BindingREST). */
import { defineResource } from "../define-resource.ts";
import { notSupported, required } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { Binding } from "../schema/generated/models.ts";
import { bindings } from "../schema/generated/references.ts";
import { collect } from "../validation/collect.ts";
import { nameIsPathSegment } from "../validation/names.ts";

export const bindingDefinition = defineResource<Binding>({
  reference: bindings,
  validateName: nameIsPathSegment,
  validate: ({ target }) => collect((errors) => {
    const kind = target?.kind ?? "";
    if (kind !== "" && kind !== "Node") errors.push(notSupported(FieldPath.of("target", "kind"), kind, ["Node", "<empty>"]));
    if ((target?.name ?? "") === "") errors.push(required(FieldPath.of("target", "name")));
  }),
});

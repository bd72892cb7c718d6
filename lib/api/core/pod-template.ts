/** PodTemplate: a template on its own, for controllers that look it up. Counterpart: kubernetes `registry/core/podtemplate`. */
import { containerColumns, column, formatLabels, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { FieldPath } from "../field-path.ts";
import type { PodTemplate } from "../schema/generated/models.ts";
import { podtemplates } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { collect } from "../validation/collect.ts";
import { checkPodTemplate, defaultPodTemplate } from "./pod-template-spec.ts";
import { podSpecWarnings } from "./pod-warnings.ts";

const TEMPLATE = FieldPath.of("template");

export const podTemplateDefinition = defineResource<PodTemplate>({
  reference: podtemplates,
  hasGeneration: true,
  generationChanged: (object, old) => !semanticEqual(object.template, old.template),
  defaults: (object) => void defaultPodTemplate((object.template ??= {})),
  validate: ({ template }) => collect((errors) => checkPodTemplate(errors, TEMPLATE, template ?? {})),
  warnings: ({ template }) => podSpecWarnings(TEMPLATE.child("spec"), template?.spec ?? { containers: [] }, template?.metadata, TEMPLATE.child("metadata")),
  columns: [
    nameColumn,
    ...containerColumns(({ template }: PodTemplate) => template, false),
    column("Pod Labels", ({ template }) => formatLabels(template?.metadata?.labels), { description: "The labels for the pod template." }),
  ],
});

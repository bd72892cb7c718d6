/** IngressClass: which controller serves which ingresses. Counterpart: kubernetes `registry/networking/ingressclass`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { forbiddenField, notSupported, required, tooLong } from "../field-error.ts";
import { SPEC } from "../field-path.ts";
import type { IngressClass, IngressClassParametersReference } from "../schema/generated/models.ts";
import { ingressclasses } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { checkDomainPrefixedPath, checkImmutable, checkName, type Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { byteLength, nameIsDnsLabel } from "../validation/names.ts";
import { checkLocalReference } from "./ingress-validation.ts";

const CONTROLLER_MAX = 250;
const CONTROLLER = SPEC.child("controller"), PARAMETERS = SPEC.child("parameters");

function checkParameters(errors: Errors, parameters: IngressClassParametersReference): void {
  const { scope, namespace } = parameters, path = PARAMETERS.child("namespace");
  checkLocalReference(errors, PARAMETERS, parameters);
  if (scope === undefined) errors.push(required(PARAMETERS.child("scope")));
  else if (scope === "Cluster") {
    if (namespace !== undefined) errors.push(forbiddenField(path, "`parameters.scope` is set to 'Cluster'"));
  } else if (scope !== "Namespace") errors.push(notSupported(PARAMETERS.child("scope"), scope, ["Cluster", "Namespace"]));
  else if (namespace === undefined) errors.push(required(path, "`parameters.scope` is set to 'Namespace'"));
  else checkName(errors, path, namespace, nameIsDnsLabel);
}

function checkClass(errors: Errors, { spec }: IngressClass): void {
  const controller = spec?.controller ?? "";
  if (byteLength(controller) > CONTROLLER_MAX) errors.push(tooLong(CONTROLLER, CONTROLLER_MAX));
  checkDomainPrefixedPath(errors, CONTROLLER, controller);
  if (spec?.parameters !== undefined) checkParameters(errors, spec.parameters);
}

function parametersCell({ spec }: IngressClass): string {
  const parameters = spec?.parameters;
  if (parameters === undefined) return "<none>";
  return `${parameters.kind}${parameters.apiGroup === undefined ? "" : `.${parameters.apiGroup}`}/${parameters.name}`;
}

export const ingressClassDefinition = defineResource<IngressClass>({
  reference: ingressclasses,
  hasGeneration: true,
  generationChanged: (one, old) => !semanticEqual(one.spec, old.spec),
  defaults: ({ spec }) => {
    if (spec?.parameters !== undefined) spec.parameters.scope ??= "Cluster";
  },
  validate: (one) => collect((errors) => checkClass(errors, one)),
  validateUpdate: (one, old) => collect((errors) => {
    checkImmutable(errors, CONTROLLER, one.spec?.controller, old.spec?.controller);
    checkClass(errors, one);
  }),
  columns: [
    nameColumn,
    column("Controller", ({ spec }) => spec?.controller ?? "", { description: "The controller that serves ingresses of this class." }),
    column("Parameters", parametersCell, { description: "Where that controller finds more of its configuration." }),
    ageColumn,
  ],
});

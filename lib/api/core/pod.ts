/** Pod: containers that share a network, volumes and a fate. Counterpart: kubernetes `registry/core/pod`. */
import { defineResource } from "../define-resource.ts";
import { forbiddenField, type FieldError } from "../field-error.ts";
import { METADATA, SPEC } from "../field-path.ts";
import type { Pod } from "../schema/generated/models.ts";
import { pods } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { checkImageSpaces } from "./container-validation.ts";
import { checkPodAnnotations, checkPodAnnotationUpdate, checkProfilesMatch, checkTokenNeedsAccount } from "./pod-annotation-validation.ts";
import { podColumns } from "./pod-columns.ts";
import { defaultPod } from "./pod-defaults.ts";
import { checkPodSpec } from "./pod-spec-validation.ts";
import { checkPodStatus } from "./pod-status-validation.ts";
import { prepareEphemeralUpdate, preparePodForCreate, preparePodStatusUpdate, prepareResize } from "./pod-strategy.ts";
import { checkEphemeralUpdate, checkPodSpecUpdate, checkResize } from "./pod-update-validation.ts";
import { podWarnings } from "./pod-warnings.ts";

const ANNOTATIONS = METADATA.child("annotations");

/** What holds for a pod at any time. */
function checkPod(pod: Pod): FieldError[] {
  const errors: FieldError[] = [], spec = pod.spec ?? { containers: [] };
  checkPodAnnotations(errors, ANNOTATIONS, pod.metadata.annotations, spec);
  checkPodSpec(errors, SPEC, spec, { podMeta: pod.metadata, isPod: true });
  checkTokenNeedsAccount(errors, SPEC, spec);
  for (const list of ["containers", "initContainers"] as const) spec[list]?.forEach((container, i) => checkImageSpaces(errors, SPEC.child(list).index(i), container));
  return errors;
}

function validateCreate(pod: Pod): FieldError[] {
  const errors = checkPod(pod), spec = pod.spec ?? { containers: [] };
  if ((spec.ephemeralContainers?.length ?? 0) > 0) errors.push(forbiddenField(SPEC.child("ephemeralContainers"), "cannot be set on create"));
  if ((spec.nodeName ?? "") !== "" && (spec.schedulingGates?.length ?? 0) > 0) errors.push(forbiddenField(SPEC.child("nodeName"), "cannot be set until all schedulingGates have been cleared"));
  checkProfilesMatch(errors, SPEC, pod.metadata, spec);
  return errors;
}

function validateUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors = checkPod(pod);
  checkPodAnnotationUpdate(errors, ANNOTATIONS, pod.metadata.annotations, old.metadata.annotations);
  checkPodSpecUpdate(errors, pod.spec ?? { containers: [] }, old.spec ?? { containers: [] });
  return errors;
}

function validateStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = [];
  checkPodAnnotationUpdate(errors, ANNOTATIONS, pod.metadata.annotations, old.metadata.annotations);
  checkPodAnnotations(errors, ANNOTATIONS, pod.metadata.annotations, pod.spec ?? { containers: [] });
  checkPodStatus(errors, pod, old);
  return errors;
}

/** A pod that runs nowhere, or not any more, needs no grace. */
function graceSeconds(pod: Pod): number {
  if ((pod.spec?.nodeName ?? "") === "" || pod.status?.phase === "Failed" || pod.status?.phase === "Succeeded") return 0;
  const seconds = pod.spec?.terminationGracePeriodSeconds ?? 0;
  return seconds < 0 ? 1 : seconds;
}

export const podDefinition = defineResource<Pod>({
  reference: pods,
  shortNames: ["po"],
  categories: ["all"],
  hasGeneration: true,
  generationChanged: (pod, old) => pod.spec !== old.spec && !semanticEqual(pod.spec, old.spec),
  defaultGraceSeconds: graceSeconds,
  defaults: defaultPod,
  prepareForCreate: preparePodForCreate,
  prepareForUpdate: (pod, old) => void (pod.status = old.status),
  prepareForStatusUpdate: preparePodStatusUpdate,
  validate: validateCreate,
  validateUpdate,
  validateStatusUpdate,
  subresourceUpdates: {
    ephemeralcontainers: { prepare: prepareEphemeralUpdate, validate: (pod, old) => checkEphemeralUpdate(checkPod(pod), pod, old) },
    resize: { prepare: prepareResize, validate: (pod, old) => checkResize(checkPod(pod), pod, old) },
  },
  warnings: podWarnings,
  columns: podColumns,
  selectableFields: ({ spec, status }) => ({
    "spec.nodeName": spec?.nodeName ?? "",
    "spec.restartPolicy": spec?.restartPolicy ?? "",
    "spec.schedulerName": spec?.schedulerName ?? "",
    "spec.serviceAccountName": spec?.serviceAccountName ?? "",
    "spec.hostNetwork": String(spec?.hostNetwork === true),
    "status.phase": status?.phase ?? "",
    "status.podIP": status?.podIPs?.[0]?.ip ?? status?.podIP ?? "",
    "status.nominatedNodeName": status?.nominatedNodeName ?? "",
  }),
});

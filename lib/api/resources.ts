/**
 * Every resource of the GA groups of Kubernetes 1.36, in one array, and how to find one.
 * Start here to see what the API server serves; each entry is one file under `lib/api/<group>/`.
 */
import type { ResourceDefinition } from "./resource-definition.ts";
import type { ResourceReference } from "./reference.ts";
import { bindingDefinition } from "./core/binding.ts";
import { componentStatusDefinition } from "./core/component-status.ts";
import { configMapDefinition } from "./core/config-map.ts";
import { endpointsDefinition } from "./core/endpoints.ts";
import { eventDefinition } from "./core/event.ts";
import { limitRangeDefinition } from "./core/limit-range.ts";
import { namespaceDefinition } from "./core/namespace.ts";
import { nodeDefinition } from "./core/node.ts";
import { persistentVolumeClaimDefinition } from "./core/persistent-volume-claim.ts";
import { persistentVolumeDefinition } from "./core/persistent-volume.ts";
import { podDefinition } from "./core/pod.ts";
import { podTemplateDefinition } from "./core/pod-template.ts";
import { replicationControllerDefinition } from "./core/replication-controller.ts";
import { resourceQuotaDefinition } from "./core/resource-quota.ts";
import { secretDefinition } from "./core/secret.ts";
import { serviceAccountDefinition } from "./core/service-account.ts";
import { serviceDefinition } from "./core/service.ts";
import { controllerRevisionDefinition } from "./apps/controller-revision.ts";
import { daemonSetDefinition } from "./apps/daemon-set.ts";
import { deploymentDefinition } from "./apps/deployment.ts";
import { replicaSetDefinition } from "./apps/replica-set.ts";
import { statefulSetDefinition } from "./apps/stateful-set.ts";
import { mutatingAdmissionPolicyDefinition } from "./admissionregistration/mutating-admission-policy.ts";
import { mutatingAdmissionPolicyBindingDefinition } from "./admissionregistration/mutating-admission-policy-binding.ts";
import { mutatingWebhookConfigurationDefinition } from "./admissionregistration/mutating-webhook-configuration.ts";
import { validatingAdmissionPolicyDefinition } from "./admissionregistration/validating-admission-policy.ts";
import { validatingAdmissionPolicyBindingDefinition } from "./admissionregistration/validating-admission-policy-binding.ts";
import { validatingWebhookConfigurationDefinition } from "./admissionregistration/validating-webhook-configuration.ts";
import { customResourceDefinitionDefinition } from "./apiextensions/custom-resource-definition.ts";
import { apiServiceDefinition } from "./apiregistration/api-service.ts";
import { selfSubjectReviewDefinition } from "./authentication/self-subject-review.ts";
import { tokenReviewDefinition } from "./authentication/token-review.ts";
import { localSubjectAccessReviewDefinition } from "./authorization/local-subject-access-review.ts";
import { selfSubjectAccessReviewDefinition } from "./authorization/self-subject-access-review.ts";
import { selfSubjectRulesReviewDefinition } from "./authorization/self-subject-rules-review.ts";
import { subjectAccessReviewDefinition } from "./authorization/subject-access-review.ts";
import { horizontalPodAutoscalerDefinition } from "./autoscaling/horizontal-pod-autoscaler.ts";
import { horizontalPodAutoscalerV2Definition } from "./autoscaling/horizontal-pod-autoscaler-v2.ts";
import { cronJobDefinition } from "./batch/cron-job.ts";
import { jobDefinition } from "./batch/job.ts";
import { certificateSigningRequestDefinition } from "./certificates/certificate-signing-request.ts";
import { leaseDefinition } from "./coordination/lease.ts";
import { endpointSliceDefinition } from "./discovery/endpoint-slice.ts";
import { eventsV1EventDefinition } from "./events/event.ts";
import { flowSchemaDefinition } from "./flowcontrol/flow-schema.ts";
import { priorityLevelConfigurationDefinition } from "./flowcontrol/priority-level-configuration.ts";
import { ingressClassDefinition } from "./networking/ingress-class.ts";
import { ingressDefinition } from "./networking/ingress.ts";
import { ipAddressDefinition } from "./networking/ip-address.ts";
import { networkPolicyDefinition } from "./networking/network-policy.ts";
import { serviceCidrDefinition } from "./networking/service-cidr.ts";
import { runtimeClassDefinition } from "./node/runtime-class.ts";
import { podDisruptionBudgetDefinition } from "./policy/pod-disruption-budget.ts";
import { clusterRoleBindingDefinition } from "./rbac/cluster-role-binding.ts";
import { clusterRoleDefinition } from "./rbac/cluster-role.ts";
import { roleBindingDefinition } from "./rbac/role-binding.ts";
import { roleDefinition } from "./rbac/role.ts";
import { deviceClassDefinition } from "./resource/device-class.ts";
import { resourceClaimDefinition } from "./resource/resource-claim.ts";
import { resourceClaimTemplateDefinition } from "./resource/resource-claim-template.ts";
import { resourceSliceDefinition } from "./resource/resource-slice.ts";
import { priorityClassDefinition } from "./scheduling/priority-class.ts";
import { csiDriverDefinition } from "./storage/csi-driver.ts";
import { csiNodeDefinition } from "./storage/csi-node.ts";
import { csiStorageCapacityDefinition } from "./storage/csi-storage-capacity.ts";
import { storageClassDefinition } from "./storage/storage-class.ts";
import { volumeAttachmentDefinition } from "./storage/volume-attachment.ts";
import { volumeAttributesClassDefinition } from "./storage/volume-attributes-class.ts";

export const resources: readonly ResourceDefinition[] = [
  bindingDefinition, componentStatusDefinition, configMapDefinition, endpointsDefinition, eventDefinition, limitRangeDefinition, namespaceDefinition, nodeDefinition, persistentVolumeClaimDefinition, persistentVolumeDefinition, podDefinition, podTemplateDefinition, replicationControllerDefinition, resourceQuotaDefinition, secretDefinition, serviceAccountDefinition, serviceDefinition,
  controllerRevisionDefinition, daemonSetDefinition, deploymentDefinition, replicaSetDefinition, statefulSetDefinition,
  mutatingAdmissionPolicyDefinition, mutatingAdmissionPolicyBindingDefinition, mutatingWebhookConfigurationDefinition, validatingAdmissionPolicyDefinition, validatingAdmissionPolicyBindingDefinition, validatingWebhookConfigurationDefinition,
  customResourceDefinitionDefinition,
  apiServiceDefinition,
  selfSubjectReviewDefinition, tokenReviewDefinition,
  localSubjectAccessReviewDefinition, selfSubjectAccessReviewDefinition, selfSubjectRulesReviewDefinition, subjectAccessReviewDefinition,
  horizontalPodAutoscalerDefinition, horizontalPodAutoscalerV2Definition,
  cronJobDefinition, jobDefinition,
  certificateSigningRequestDefinition,
  leaseDefinition,
  endpointSliceDefinition,
  eventsV1EventDefinition,
  flowSchemaDefinition, priorityLevelConfigurationDefinition,
  ingressClassDefinition, ingressDefinition, ipAddressDefinition, networkPolicyDefinition, serviceCidrDefinition,
  runtimeClassDefinition,
  podDisruptionBudgetDefinition,
  clusterRoleBindingDefinition, clusterRoleDefinition, roleBindingDefinition, roleDefinition,
  deviceClassDefinition, resourceClaimDefinition, resourceClaimTemplateDefinition, resourceSliceDefinition,
  priorityClassDefinition,
  csiDriverDefinition, csiNodeDefinition, csiStorageCapacityDefinition, storageClassDefinition, volumeAttachmentDefinition, volumeAttributesClassDefinition,
];

const byPlural = new Map(resources.map((r) => [`${r.group}/${r.version}/${r.plural}`, r]));
const byKind = new Map(resources.map((r) => [`${r.group}/${r.version}/${r.kind}`, r]));

/** The definition behind a URL's group, version and plural. */
export const findResource = (group: string, version: string, plural: string): ResourceDefinition | undefined => byPlural.get(`${group}/${version}/${plural}`);

/** The definition of an object's apiVersion (as group and version) and kind. */
export const findKind = (group: string, version: string, kind: string): ResourceDefinition | undefined => byKind.get(`${group}/${version}/${kind}`);

/** The definition of a reference; throws when it is none of ours. */
export function definitionOf(reference: ResourceReference): ResourceDefinition {
  const found = findResource(reference.group, reference.version, reference.plural);
  if (found === undefined) throw new Error(`Cannot find resource "${reference.group}/${reference.version}/${reference.plural}": it is not built in`);
  return found;
}

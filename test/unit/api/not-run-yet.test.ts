/** Definitions against what acts on them: nobody is told "stored only" of a kind that runs, or the other way round. */
import test from "ava";
import { CONTROLLERS, NOT_BUILT } from "../../../cmd/kube-controller-manager/controllers.ts";
import { resources } from "../../../lib/api/resources.ts";
import { admissionPlugins } from "../../../lib/apiserver/admission/plugins.ts";
import { FakeCache } from "../apiserver/fake-cache.ts";

/** The controller without which a kind does nothing. */
const CONTROLLER: Record<string, string> = {
  CertificateSigningRequest: "certificatesigningrequest-signing-controller", CronJob: "cronjob-controller", DaemonSet: "daemonset-controller", Deployment: "deployment-controller", Endpoints: "endpoints-controller",
  EndpointSlice: "endpointslice-controller", HorizontalPodAutoscaler: "horizontal-pod-autoscaler-controller", Job: "job-controller", Namespace: "namespace-controller", PersistentVolume: "persistentvolume-binder-controller",
  PersistentVolumeClaim: "persistentvolume-binder-controller", PodDisruptionBudget: "disruption-controller", ReplicaSet: "replicaset-controller", ReplicationController: "replicationcontroller-controller",
  ResourceClaim: "resourceclaim-controller", ResourceQuota: "resourcequota-controller", ServiceCIDR: "service-cidr-controller", StatefulSet: "statefulset-controller", VolumeAttachment: "persistentvolume-attach-detach-controller",
};
/** The admission plugin without which a kind does nothing. */
const ADMISSION: Record<string, string> = {
  LimitRange: "LimitRanger", PriorityClass: "Priority", RuntimeClass: "RuntimeClass", IngressClass: "DefaultIngressClass", MutatingAdmissionPolicy: "MutatingAdmissionPolicy",
  MutatingWebhookConfiguration: "MutatingAdmissionWebhook", ValidatingAdmissionPolicy: "ValidatingAdmissionPolicy", ValidatingWebhookConfiguration: "ValidatingAdmissionWebhook",
};

test("notRunYet is set on exactly the kinds whose controller or admission plugin is not there", (t) => {
  const running = new Set([...CONTROLLERS.map((controller) => controller.name), ...admissionPlugins(new FakeCache()).map((plugin) => plugin.name)]);
  for (const definition of resources) {
    const runner = CONTROLLER[definition.kind] ?? ADMISSION[definition.kind];
    if (runner !== undefined) t.is(definition.notRunYet === true, !running.has(runner), `${definition.kind}: ${runner}`);
  }
});

test("NOT_BUILT holds no controller that is there, and every one a kind waits for", (t) => {
  for (const { name, alias } of CONTROLLERS) t.false(NOT_BUILT.has(name) || NOT_BUILT.has(alias), name);
  for (const name of Object.values(CONTROLLER)) t.true(NOT_BUILT.has(name) || CONTROLLERS.some((controller) => controller.name === name), name);
});

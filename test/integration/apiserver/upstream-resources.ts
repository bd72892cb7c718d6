/**
 * What upstream's server lists in discovery, read off `api/discovery/aggregated_v2.json` and `api/discovery/api__v1.json` of
 * kubernetes/kubernetes: generally available versions only, since the others are off by default. In upstream's order.
 *
 * A line is a resource: plural, kind, `N` in namespaces or `C` in none, short names, categories, verbs; then its subresources, each with
 * its verbs and, where it is not the parent's, its kind. `*` stands for the eight verbs of a stored object.
 */
const STORED = "create delete deletecollection get list patch update watch", CHANGED = "get patch update", PROXIED = "create delete get patch update";

const TABLE = `
# v1
bindings                Binding                N - - create
componentstatuses       ComponentStatus        C cs - get,list
configmaps              ConfigMap              N cm - *
endpoints               Endpoints              N ep - *
events                  Event                  N ev - *
limitranges             LimitRange             N limits - *
namespaces              Namespace              C ns - create,delete,get,list,patch,update,watch finalize=update status
nodes                   Node                   C no - * proxy=proxied:NodeProxyOptions status
persistentvolumeclaims  PersistentVolumeClaim  N pvc - * status
persistentvolumes       PersistentVolume       C pv - * status
pods                    Pod                    N po all * attach=create,get:PodAttachOptions binding=create:Binding ephemeralcontainers eviction=create:policy/v1/Eviction exec=create,get:PodExecOptions log=get portforward=create,get:PodPortForwardOptions proxy=proxied:PodProxyOptions resize status
podtemplates            PodTemplate            N - - *
replicationcontrollers  ReplicationController  N rc all * scale=changed:autoscaling/v1/Scale status
resourcequotas          ResourceQuota          N quota - * status
secrets                 Secret                 N - - *
serviceaccounts         ServiceAccount         N sa - * token=create:authentication.k8s.io/v1/TokenRequest
services                Service                N svc all * proxy=proxied:ServiceProxyOptions status
# apiregistration.k8s.io/v1
apiservices             APIService             C - api-extensions * status
# apps/v1
controllerrevisions     ControllerRevision     N - - *
daemonsets              DaemonSet              N ds all * status
deployments             Deployment             N deploy all * scale=changed:autoscaling/v1/Scale status
replicasets             ReplicaSet             N rs all * scale=changed:autoscaling/v1/Scale status
statefulsets            StatefulSet            N sts all * scale=changed:autoscaling/v1/Scale status
# events.k8s.io/v1
events                  Event                  N ev - *
# authentication.k8s.io/v1
selfsubjectreviews      SelfSubjectReview      C - - create
tokenreviews            TokenReview            C - - create
# authorization.k8s.io/v1
localsubjectaccessreviews LocalSubjectAccessReview N - - create
selfsubjectaccessreviews  SelfSubjectAccessReview  C - - create
selfsubjectrulesreviews   SelfSubjectRulesReview   C - - create
subjectaccessreviews      SubjectAccessReview      C - - create
# autoscaling/v2
horizontalpodautoscalers HorizontalPodAutoscaler N hpa all * status
# autoscaling/v1
horizontalpodautoscalers HorizontalPodAutoscaler N hpa all * status
# batch/v1
cronjobs                CronJob                N cj all * status
jobs                    Job                    N - all * status
# certificates.k8s.io/v1
certificatesigningrequests CertificateSigningRequest C csr - * approval status
# networking.k8s.io/v1
ingressclasses          IngressClass           C - - *
ingresses               Ingress                N ing - * status
ipaddresses             IPAddress              C ip - *
networkpolicies         NetworkPolicy          N netpol - *
servicecidrs            ServiceCIDR            C - - * status
# policy/v1
poddisruptionbudgets    PodDisruptionBudget    N pdb - * status
# rbac.authorization.k8s.io/v1
clusterrolebindings     ClusterRoleBinding     C - - *
clusterroles            ClusterRole            C - - *
rolebindings            RoleBinding            N - - *
roles                   Role                   N - - *
# storage.k8s.io/v1
csidrivers              CSIDriver              C - - *
csinodes                CSINode                C - - *
csistoragecapacities    CSIStorageCapacity     N - - *
storageclasses          StorageClass           C sc - *
volumeattachments       VolumeAttachment       C - - * status
volumeattributesclasses VolumeAttributesClass  C vac - *
# admissionregistration.k8s.io/v1
mutatingadmissionpolicies         MutatingAdmissionPolicy          C - api-extensions *
mutatingadmissionpolicybindings   MutatingAdmissionPolicyBinding   C - api-extensions *
mutatingwebhookconfigurations     MutatingWebhookConfiguration     C - api-extensions *
validatingadmissionpolicies       ValidatingAdmissionPolicy        C - api-extensions * status
validatingadmissionpolicybindings ValidatingAdmissionPolicyBinding C - api-extensions *
validatingwebhookconfigurations   ValidatingWebhookConfiguration   C - api-extensions *
# apiextensions.k8s.io/v1
customresourcedefinitions CustomResourceDefinition C crd,crds api-extensions * status
# scheduling.k8s.io/v1
priorityclasses         PriorityClass          C pc - *
# coordination.k8s.io/v1
leases                  Lease                  N - - *
# node.k8s.io/v1
runtimeclasses          RuntimeClass           C - - *
# discovery.k8s.io/v1
endpointslices          EndpointSlice          N - - *
# resource.k8s.io/v1
deviceclasses           DeviceClass            C - - *
resourceclaims          ResourceClaim          N - - * status
resourceclaimtemplates  ResourceClaimTemplate  N - - *
resourceslices          ResourceSlice          C - - *
# flowcontrol.apiserver.k8s.io/v1
flowschemas                 FlowSchema                 C - - * status
prioritylevelconfigurations PriorityLevelConfiguration C - - * status
`;

export interface UpstreamKind { readonly group: string; readonly version: string; readonly kind: string }
export interface UpstreamSubresource { readonly name: string; readonly verbs: readonly string[]; /** Group and version empty where they are the parent's. */ readonly kind: UpstreamKind }
export interface UpstreamResource {
  readonly groupVersion: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly UpstreamSubresource[];
}

const list = (text: string): string[] => (text === "-" ? [] : text.split(","));
const VERBS: Record<string, string> = { "*": STORED, changed: CHANGED, proxied: PROXIED };
const verbsOf = (text: string): string[] => (Object.hasOwn(VERBS, text) ? VERBS[text]!.split(" ") : text.split(","));

function subresourceOf(text: string, parentKind: string): UpstreamSubresource {
  const [name, rest = "changed"] = text.split("="), [verbs, kind = parentKind] = rest.split(":"), parts = kind.split("/");
  return { name: name!, verbs: verbsOf(verbs!), kind: parts.length === 1 ? { group: "", version: "", kind } : { group: parts[0]!, version: parts[1]!, kind: parts[2]! } };
}

/** All resources, in upstream's order of groups, versions and names. */
export function upstreamResources(): UpstreamResource[] {
  const found: UpstreamResource[] = [];
  let groupVersion = "";
  for (const line of TABLE.trim().split("\n")) {
    const [plural, kind, scope, shortNames, categories, verbs, ...subresources] = line.split(/ +/);
    if (plural === "#") { groupVersion = kind!; continue; }
    found.push({
      groupVersion, plural: plural!, kind: kind!, namespaced: scope === "N", shortNames: list(shortNames!), categories: list(categories!), verbs: verbsOf(verbs!),
      subresources: subresources.map((text) => subresourceOf(text, kind!)),
    });
  }
  return found;
}

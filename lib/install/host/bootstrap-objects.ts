/** What a cluster must hold so that hosts can join it: pure. Counterpart: kubeadm `phases/bootstraptoken`. */
import type { ClusterRole, ClusterRoleBinding, ConfigMap, PolicyRule, RbacV1Subject, Role, RoleBinding } from "../../api/schema/generated/models.ts";
import { makeKubeconfig } from "../../client/kubeconfig.ts";
import { stringify } from "yaml";
import { TOKEN_GROUP } from "./bootstrap-token.ts";
import { type ClusterSettings, SETTINGS_CONFIG_MAP } from "./cluster-settings.ts";

const API = "rbac.authorization.k8s.io", V1 = `${API}/v1`, CSR = "system:certificates.k8s.io:certificatesigningrequests";
const group = (name: string): RbacV1Subject => ({ apiGroup: API, kind: "Group", name });
const user = (name: string): RbacV1Subject => ({ apiGroup: API, kind: "User", name });
const bindCluster = (name: string, role: string, ...subjects: RbacV1Subject[]): ClusterRoleBinding => ({ apiVersion: V1, kind: "ClusterRoleBinding", metadata: { name }, roleRef: { apiGroup: API, kind: "ClusterRole", name: role }, subjects });
const clusterRole = (name: string, ...rules: PolicyRule[]): ClusterRole => ({ apiVersion: V1, kind: "ClusterRole", metadata: { name }, rules });
const readConfigMap = (name: string, namespace: string, configMap: string, ...subjects: RbacV1Subject[]): [Role, RoleBinding] => [
  { apiVersion: V1, kind: "Role", metadata: { name, namespace }, rules: [{ apiGroups: [""], resources: ["configmaps"], resourceNames: [configMap], verbs: ["get"] }] },
  { apiVersion: V1, kind: "RoleBinding", metadata: { name, namespace }, roleRef: { apiGroup: API, kind: "Role", name }, subjects },
];

export interface BootstrapObjects { readonly clusterRoles: ClusterRole[]; readonly clusterRoleBindings: ClusterRoleBinding[]; readonly roles: Role[]; readonly roleBindings: RoleBinding[]; readonly configMaps: ConfigMap[] }

export function bootstrapObjects(settings: ClusterSettings, authorityPem: string): BootstrapObjects {
  const joining = group(TOKEN_GROUP), nodes = group("system:nodes");
  const info = readConfigMap("kubeadm:bootstrap-signer-clusterinfo", "kube-public", "cluster-info", user("system:anonymous"));
  const config = readConfigMap("kaji:nodes-config", "kube-system", SETTINGS_CONFIG_MAP, joining, nodes);
  // For discovery only: where the cluster is and whom to trust, nothing about who one is.
  const found = makeKubeconfig({ cluster: "", server: settings.server, user: "", ca: authorityPem, context: "" });
  const kubeconfig = stringify({ ...found, users: [], contexts: [], "current-context": "" });
  return {
    clusterRoles: [
      clusterRole("kubeadm:get-nodes", { apiGroups: [""], resources: ["nodes"], verbs: ["get"] }),
      // Beyond kubeadm: who joins compares its machine-id with those there are.
      clusterRole("kaji:compare-nodes", { apiGroups: [""], resources: ["nodes"], verbs: ["list"] }),
      clusterRole("kaji:proxy-client", { apiGroups: ["certificates.k8s.io"], resources: ["certificatesigningrequests"], verbs: ["create", "get", "list", "watch"] },
        { apiGroups: ["certificates.k8s.io"], resources: ["certificatesigningrequests/proxyclient"], verbs: ["create"] }),
      clusterRole("kaji:kubelet-serving-approver", { apiGroups: ["certificates.k8s.io"], resources: ["signers"], resourceNames: ["kubernetes.io/kubelet-serving", "kubernetes.io/kube-apiserver-client"], verbs: ["approve"] },
        { apiGroups: [""], resources: ["nodes"], verbs: ["get", "list", "watch"] }),
    ],
    clusterRoleBindings: [
      bindCluster("kubeadm:kubelet-bootstrap", "system:node-bootstrapper", joining),
      bindCluster("kubeadm:node-autoapprove-bootstrap", `${CSR}:nodeclient`, joining),
      bindCluster("kubeadm:node-autoapprove-certificate-rotation", `${CSR}:selfnodeclient`, nodes),
      bindCluster("kubeadm:get-nodes", "kubeadm:get-nodes", joining),
      bindCluster("kaji:compare-nodes", "kaji:compare-nodes", joining),
      bindCluster("kaji:proxy-client", "kaji:proxy-client", nodes, user("system:kube-proxy")),
      bindCluster("kaji:kubelet-serving-approver", "kaji:kubelet-serving-approver", { kind: "ServiceAccount", name: "certificate-controller", namespace: "kube-system" }),
    ],
    roles: [info[0], config[0]], roleBindings: [info[1], config[1]],
    configMaps: [
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "cluster-info", namespace: "kube-public" }, data: { kubeconfig } },
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: SETTINGS_CONFIG_MAP, namespace: "kube-system" }, data: { settings: JSON.stringify(settings, null, 2) } },
    ],
  };
}

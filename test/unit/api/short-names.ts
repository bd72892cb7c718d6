/** Short names as `kubectl api-resources` of 1.36 lists them. */
export const ALL_SHORT_NAMES: Readonly<Record<string, string>> = {
  "/v1/componentstatuses": "cs", "/v1/configmaps": "cm", "/v1/endpoints": "ep", "/v1/events": "ev", "/v1/limitranges": "limits", "/v1/namespaces": "ns", "/v1/nodes": "no",
  "/v1/persistentvolumeclaims": "pvc", "/v1/persistentvolumes": "pv", "/v1/pods": "po", "/v1/replicationcontrollers": "rc", "/v1/resourcequotas": "quota", "/v1/serviceaccounts": "sa", "/v1/services": "svc",
  "apiextensions.k8s.io/v1/customresourcedefinitions": "crd,crds", "apps/v1/daemonsets": "ds", "apps/v1/deployments": "deploy", "apps/v1/replicasets": "rs", "apps/v1/statefulsets": "sts",
  "autoscaling/v1/horizontalpodautoscalers": "hpa", "autoscaling/v2/horizontalpodautoscalers": "hpa", "batch/v1/cronjobs": "cj", "certificates.k8s.io/v1/certificatesigningrequests": "csr",
  "events.k8s.io/v1/events": "ev", "networking.k8s.io/v1/ingresses": "ing", "networking.k8s.io/v1/ipaddresses": "ip", "networking.k8s.io/v1/networkpolicies": "netpol", "policy/v1/poddisruptionbudgets": "pdb",
  "scheduling.k8s.io/v1/priorityclasses": "pc", "storage.k8s.io/v1/storageclasses": "sc", "storage.k8s.io/v1/volumeattributesclasses": "vac",
};

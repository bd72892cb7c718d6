/** Labels of the IPAddress objects of Services. Counterpart: `networking/v1` well_known_labels.go and `pkg/registry/core/service/ipallocator`. */

export const MANAGED_BY_LABEL = "ipaddress.kubernetes.io/managed-by", FAMILY_LABEL = "ipaddress.kubernetes.io/ip-family";
/** The value of the first, where the object shows a Service's address. */
export const ALLOCATOR = "ipallocator.k8s.io";

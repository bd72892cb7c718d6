/** Services as quotas count them. Counterpart: kubernetes `pkg/quota/v1/evaluator/core/services.go`. */
import type { Service } from "../schema/generated/models.ts";
import type { QuotaEvaluator } from "./evaluator.ts";

const COUNT = "count/services";
const NAMES = new Set([COUNT, "services", "services.nodeports", "services.loadbalancers"]);

/** Node ports are given later than this is asked, so it counts what will be given. */
function nodePorts({ spec }: Service): number {
  const ports = spec?.ports ?? [];
  if (spec?.type === "NodePort") return ports.length;
  if (spec?.type !== "LoadBalancer") return 0;
  return spec.allocateLoadBalancerNodePorts === false ? ports.filter(({ nodePort = 0 }) => nodePort !== 0).length : ports.length;
}

const countedType = ({ spec }: Service): string => (spec?.type === "NodePort" || spec?.type === "LoadBalancer" ? spec.type : "");

export const serviceQuota: QuotaEvaluator<Service> = {
  group: "", plural: "services",
  handles: (operation, subresource) => subresource === "" && (operation === "CREATE" || operation === "UPDATE"),
  matching: (names) => names.filter((name) => NAMES.has(name)),
  inScope: () => false,
  usage: (service) => ({ [COUNT]: "1", services: "1", "services.nodeports": String(nodePorts(service)), "services.loadbalancers": service.spec?.type === "LoadBalancer" ? "1" : "0" }),
  frees: (old, service) => countedType(old) !== countedType(service),
};

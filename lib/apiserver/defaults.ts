/** The admission chain and the write hooks a server has unless told otherwise. */
import { createAdmissionChain, type AdmissionOptions } from "./admission/plugins.ts";
import { ServiceAllocator } from "./allocation/service-allocator.ts";
import { RbacEscalationCheck } from "./authorization/escalation.ts";
import type { ApiServerOptions } from "./server.ts";

/** Upstream's plugins in upstream's order, then the check that nobody grants what he does not hold. */
export const defaultAdmission = (options: Omit<AdmissionOptions, "last" | "authorizer" | "writer" | "clock">): ApiServerOptions["admission"] => ({ cache, auth, writer, clock }) =>
  createAdmissionChain(cache, { ...options, authorizer: auth.authorizer, writer, clock, last: auth.checksEscalation ? [new RbacEscalationCheck({ index: auth.rbac, authorizer: auth.authorizer })] : [] });

export interface HookOptions {
  /** Range of Service addresses, or one of each IP family. */
  readonly serviceCidrs: readonly string[];
  /** Ports of NodePort Services. */
  readonly nodePortRange?: string;
}

/** Services get their addresses and node ports. */
export const defaultHooks = ({ serviceCidrs, nodePortRange = "30000-32767" }: HookOptions): ApiServerOptions["hooks"] => ({ cache, signal }) => {
  const services = new ServiceAllocator({ cache }, { clusterIpRanges: serviceCidrs, nodePortRange });
  signal.addEventListener("abort", services.start(), { once: true });
  return [services];
};

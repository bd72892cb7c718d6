/**
 * What must hold before a host becomes part of a cluster: facts are gathered, checks judge them, one concept a file in `checks/`.
 * Only reads; `checks/fix.ts` mends. Counterpart: kubeadm `preflight`.
 */
import { hostname } from "node:os";
import { checkClock } from "./checks/clock.ts";
import { checkControlGroups } from "./checks/control-groups.ts";
import { bySeverity, type HostFinding } from "./checks/finding.ts";
import { checkFirewall } from "./checks/firewall.ts";
import { gatherMachine } from "./checks/gather-machine.ts";
import { gatherNetwork } from "./checks/gather-network.ts";
import type { HostFacts, HostRole } from "./checks/host-facts.ts";
import { checkIdentity } from "./checks/identity.ts";
import { checkKernel } from "./checks/kernel.ts";
import { checkNames } from "./checks/names.ts";
import { checkNeighbours } from "./checks/neighbours.ts";
import { checkPorts } from "./checks/ports.ts";
import { checkPrivileges } from "./checks/privileges.ts";
import { checkResources } from "./checks/resources.ts";

export type { HostRole } from "./checks/host-facts.ts";
export class CheckError extends Error { override readonly name = "CheckError"; }
export interface CheckOptions { readonly apiPort?: number; readonly nodeName?: string | undefined; /** How far the master's clock is ahead, on a host that joins. */ readonly masterAheadMs?: number | undefined }
const API_PORT = 6_443;

export async function gatherFacts(role: HostRole, { apiPort = API_PORT, nodeName, masterAheadMs }: CheckOptions = {}): Promise<HostFacts> {
  const [machine, network] = await Promise.all([gatherMachine(masterAheadMs), gatherNetwork(role, apiPort)]);
  return { role, nodeName, ...machine, ...network };
}

/** Judges facts. Pure. Errors first. */
export function judge(facts: HostFacts, apiPort = API_PORT): HostFinding[] {
  const checks = [checkPrivileges, checkKernel, checkControlGroups, checkPorts, checkResources, checkClock, checkNames, checkIdentity, checkNeighbours, checkFirewall(apiPort)];
  return bySeverity(checks.flatMap((check) => check(facts)));
}

export const hostFindings = async (role: HostRole, options: CheckOptions = {}): Promise<HostFinding[]> => judge(await gatherFacts(role, options), options.apiPort);

/** The sentence with every error; undefined when there is none. */
export function refusal(role: HostRole, findings: readonly HostFinding[]): string | undefined {
  const errors = findings.filter((finding) => finding.severity === "error");
  return errors.length === 0 ? undefined : `Cannot make ${hostname()} a ${role}:\n${errors.map((each) => `  - ${each.problem}: ${each.advice}`).join("\n")}`;
}

/** Throws CheckError with every error that was found. */
export async function checkHost(role: HostRole, options: CheckOptions = {}): Promise<void> {
  const message = refusal(role, await hostFindings(role, options));
  if (message !== undefined) throw new CheckError(message);
}

/**
 * `kaji join`: makes this host a node of a cluster. Counterpart: kubeadm join.
 *
 * A token and a pin are enough: the pin proves the cluster, the token lets this host ask for the certificate of its node; with that it asks
 * for kube-proxy's. Run again, it finishes what an interrupted run left and changes nothing else.
 */
import type { Clock } from "../../util/clock.ts";
import type { Progress } from "../progress.ts";
import { parseToken } from "./bootstrap-token.ts";
import { gatherFacts, judge, CheckError, refusal } from "./check.ts";
import type { IdentityFacts } from "./checks/host-facts.ts";
import { enroll, type Enrolled } from "./enroll.ts";
import { hostAddress, nodeName } from "./facts.ts";
import { unreachable } from "./join-error.ts";
import { masterAheadMs } from "./master-clock.ts";
import { startNode } from "./node.ts";

export interface JoinOptions {
  /** `ADDRESS:PORT` of the API server. */
  readonly server: string; readonly token: string; readonly pins: readonly string[];
  readonly nodeName?: string | undefined; readonly nodeIp?: string | undefined; readonly bundle?: string | undefined;
}

export async function join(options: JoinOptions, deps: { clock: Clock; progress: Progress }): Promise<{ node: string; address: string }> {
  const { clock, progress } = deps, name = nodeName(options.nodeName), server = `https://${options.server}`;
  parseToken(options.token);
  let address!: string, identity!: IdentityFacts, enrolled!: Enrolled;
  await progress.step("checks", async () => {
    address = await hostAddress(options.nodeIp, new URL(server).hostname);
    const ahead = await masterAheadMs(server, clock).catch((error: unknown) => { throw unreachable(options.server, error); });
    const facts = await gatherFacts("worker", { nodeName: name, masterAheadMs: ahead }), problem = refusal("worker", judge(facts));
    if (problem !== undefined) throw new CheckError(problem);
    identity = facts.identity;
    return `address ${address}`;
  });
  await progress.step("certificates", async () => { enrolled = await enroll({ server, token: options.token, pins: options.pins, name, identity, now: clock.now() }); });
  await startNode(enrolled, { name, address, bundle: options.bundle }, deps);
  return { node: name, address };
}

/**
 * Node IPAM: gives each node its pod range (`spec.podCIDR`, `spec.podCIDRs`) out of the cluster's.
 *
 * Promises: every node's range is known before the first is given, so a restart never gives one twice; a range is kept for a node
 * from the moment it is chosen until the node is gone or the write failed for good; a node that comes back under its name gets its
 * former range while that is free, since its pods still have addresses of it.
 * Counterpart: kubernetes `pkg/controller/nodeipam/ipam/range_allocator.go`.
 */
import { nodes } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import { Controller } from "../../runtime/controller.ts";
import { CidrSet, readRange } from "./plan-cidr.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { Node } from "../../api/schema/generated/models.ts";
import { aborted } from "../../util/abort.ts";
import type { Runnable } from "../../util/runnable.ts";

export interface NodeIpamOptions {
  /** One range a family, at most two. */
  readonly clusterCidrs: readonly string[];
  readonly maskSizeV4: number;
  readonly maskSizeV6: number;
  /** Ranges of Services inside the cluster's are never given to nodes. */
  readonly serviceCidrs: readonly string[];
  readonly workers: number;
}

export function createNodeIpamController(context: ControllerContext, options: NodeIpamOptions): Runnable {
  const sets = options.clusterCidrs.map((text) => { const cidr = readRange(text); return new CidrSet(cidr, cidr.ip.family === 4 ? options.maskSizeV4 : options.maskSizeV6); });
  if (sets.length === 0 || sets.length > 2 || (sets.length === 2 && sets[0]!.family === sets[1]!.family)) throw new RangeError(`Cannot give out pod ranges: cluster CIDRs ${options.clusterCidrs.join(",")} must be one, or one of each family`);
  for (const service of options.serviceCidrs) for (const set of sets) set.occupy(service);
  const informer = context.informers.get(nodes), recorder = context.recorder("cidrAllocator");
  /** What each node holds or is about to. */
  const held = new Map<string, readonly string[]>();
  /** What nodes held that are gone, the latest last. */
  const former = new Map<string, readonly string[]>();
  const occupy = (node: Node): void => {
    const ranges = rangesOf(node);
    if (ranges.length === 0 || held.has(node.metadata.name)) return;
    held.set(node.metadata.name, ranges);
    for (const range of ranges) if (!sets.some((set) => set.occupy(range))) context.log.warn({ node: node.metadata.name, range }, "node holds a pod range outside the cluster's");
  };
  const release = (name: string): void => {
    for (const range of held.get(name) ?? []) for (const set of sets) set.release(range);
    held.delete(name);
  };

  const reconcile = async (name: string, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> => {
    const node = informer.get(name);
    if (node === undefined) {
      remember(former, name, held.get(name));
      release(name);
      return {};
    }
    if (rangesOf(node).length > 0) { occupy(node); return {}; }
    const podCIDRs: readonly (string | undefined)[] = held.get(name) ?? sets.map((set, i) => set.takeAgain(former.get(name)?.[i]) ?? set.take());
    if (podCIDRs.includes(undefined)) {
      for (const [i, range] of podCIDRs.entries()) if (range !== undefined) sets[i]!.release(range);
      recorder.event(node, "Normal", "CIDRNotAvailable", `Node ${name} status is now: CIDRNotAvailable`);
      throw new Error(`Cannot give node "${name}" a pod range: no free one is left in ${options.clusterCidrs.join(",")}`);
    }
    held.set(name, podCIDRs as string[]);
    try { await context.client.patch(nodes, { name }, "strategic", { metadata: { uid: node.metadata.uid }, spec: { podCIDR: podCIDRs[0], podCIDRs } }, {}, signal); }
    catch (error) {
      if (hasReason(error, "NotFound")) { release(name); return {}; }
      // What the server refused is free again; after a lost answer it may have been written, so it stays ours.
      if (hasReason(error, "Invalid", "Conflict", "Forbidden")) { release(name); recorder.event(node, "Normal", "CIDRAssignmentFailed", `Node ${name} status is now: CIDRAssignmentFailed`); }
      throw error;
    }
    context.log.info({ node: name, podCIDRs }, "pod range assigned");
    return {};
  };
  const controller = new Controller(context, { name: "node-ipam-controller", workers: options.workers, waitFor: [informer], reconcile });
  informer.onChange(({ object }) => controller.queue.add(object.metadata.name));
  return {
    name: controller.name,
    async run(signal) {
      await Promise.race([informer.synced, aborted(signal)]);
      for (const node of informer.list()) occupy(node);
      await controller.run(signal);
    },
  };
}

const FORMER_MAX = 1_000;
function remember(former: Map<string, readonly string[]>, name: string, ranges: readonly string[] | undefined): void {
  if (ranges === undefined) return;
  former.delete(name);
  former.set(name, ranges);
  for (const oldest of former.keys()) { if (former.size <= FORMER_MAX) break; former.delete(oldest); }
}

function rangesOf({ spec }: Node): readonly string[] {
  if (spec.podCIDRs !== undefined && spec.podCIDRs.length > 0) return spec.podCIDRs;
  return spec.podCIDR === undefined || spec.podCIDR === "" ? [] : [spec.podCIDR];
}

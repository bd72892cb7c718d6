import test from "ava";
import { conflict } from "../../../lib/api/status-error.ts";
import type { Pod, PodStatus } from "../../../lib/api/schema/generated/models.ts";
import type { Client } from "../../../lib/client/client.ts";
import { StatusWriter } from "../../../lib/kubelet/status-writer.ts";
import { ManualClock } from "../../../lib/util/clock.ts";
import { silentLogger } from "../../../lib/util/logger.ts";
import { makePod } from "./builders.ts";

interface World { writer: StatusWriter; clock: ManualClock; patches: { status: PodStatus }[]; release: () => void; hold: boolean; fail: Error | undefined; stop: AbortController }
function makeWorld(): World {
  const clock = new ManualClock(), patches: { status: PodStatus }[] = [], stop = new AbortController();
  let waiting: (() => void)[] = [], version = 100;
  const world: World = { clock, patches, hold: false, fail: undefined, stop, release: () => { for (const go of waiting) go(); waiting = []; }, writer: undefined as never };
  const patch = async (_: unknown, __: unknown, ___: unknown, body: { status: PodStatus }): Promise<Pod> => {
    patches.push(body);
    if (world.hold) await new Promise<void>((resolve) => { waiting.push(resolve); });
    if (world.fail !== undefined) throw world.fail;
    return makePod({ metadata: { resourceVersion: String(++version) }, status: { ...body.status } });
  };
  world.writer = new StatusWriter({ client: { patch } as unknown as Client, clock, log: silentLogger }, stop.signal);
  return world;
}
const phases = (world: World): (string | undefined)[] => world.patches.map((patch) => patch.status.phase);

test("StatusWriter writes what differs from the server's, once", async (t) => {
  const world = makeWorld(), pod = makePod({ status: { phase: "Pending" } });
  world.writer.set(pod, { phase: "Running" });
  await world.writer.flush("u1");
  world.writer.set(pod, { phase: "Running" });
  await world.writer.flush("u1");
  t.deepEqual(phases(world), ["Running"]);
});
test("StatusWriter skips what was overtaken while a write was under way", async (t) => {
  const world = makeWorld();
  world.hold = true;
  world.writer.set(makePod(), { phase: "Pending" });
  world.writer.set(makePod(), { phase: "Running" });
  world.writer.set(makePod(), { phase: "Succeeded" });
  world.hold = false;
  world.release();
  await world.writer.flush("u1");
  t.deepEqual(phases(world), ["Pending", "Succeeded"]);
});
test("StatusWriter writes again what another changed, and ignores news older than its own write", async (t) => {
  const world = makeWorld();
  world.writer.set(makePod({ metadata: { resourceVersion: "100" } }), { phase: "Running" });
  await world.writer.flush("u1");
  world.writer.set(makePod({ metadata: { resourceVersion: "100" }, status: { phase: "Pending" } }), { phase: "Running" });
  await world.writer.flush("u1");
  t.is(world.patches.length, 1);
  world.writer.set(makePod({ metadata: { resourceVersion: "200" }, status: { phase: "Failed" } }), { phase: "Running" });
  await world.writer.flush("u1");
  t.deepEqual(phases(world), ["Running", "Running"]);
});
test("StatusWriter tries again after a failure, and gives up on a pod that is gone", async (t) => {
  const world = makeWorld();
  world.fail = new Error("down");
  world.writer.set(makePod(), { phase: "Running" });
  await new Promise((resolve) => setImmediate(resolve));
  world.fail = undefined;
  await world.clock.advance(1_000);
  await world.writer.flush("u1");
  t.is(world.patches.length, 2);
  world.fail = conflict({ group: "", plural: "pods" }, "web", "uid");
  world.writer.set(makePod(), { phase: "Failed" });
  await world.writer.flush("u1");
  await world.clock.advance(60_000);
  t.is(world.patches.length, 3);
});

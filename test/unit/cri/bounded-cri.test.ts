import test from "ava";
import { BoundedCri, HANGS_AFTER_MS, KEEP_MS } from "../../../lib/cri/bounded-cri.ts";
import type { Cri } from "../../../lib/cri/client.ts";
import { ManualClock } from "../../../lib/util/clock.ts";

const settle = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

function makeWorld(limit: number): { cri: BoundedCri; clock: ManualClock; begun: string[]; finish: () => Promise<void> } {
  const begun: string[] = [], ends: (() => void)[] = [], clock = new ManualClock();
  const call = async (method: string, request: { config?: { hostname: string }; podSandboxId?: string; containerId?: string }): Promise<unknown> => {
    begun.push(`${method} ${request.config?.hostname ?? request.podSandboxId ?? request.containerId ?? ""}`.trim());
    if (method !== "Version") await new Promise<void>((resolve) => { ends.push(resolve); });
    if (method === "RunPodSandbox") return { podSandboxId: `sandbox of ${request.config!.hostname}` };
    return method === "CreateContainer" ? { containerId: `container in ${request.podSandboxId}` } : {};
  };
  return { cri: new BoundedCri({ call } as unknown as Cri, limit, clock), clock, begun, async finish() { ends.shift()!(); await settle(); } };
}

test("BoundedCri runs no more dear calls than its limit, and cheap ones always", async (t) => {
  const { cri, clock, begun, finish } = makeWorld(2);
  for (const hostname of ["a", "b", "c"]) void cri.call("RunPodSandbox", { config: { hostname } });
  await settle();
  await cri.call("Version", {});
  t.deepEqual(begun, ["RunPodSandbox a", "RunPodSandbox b", "Version"]);
  await finish();
  await clock.advance(KEEP_MS);
  t.is(begun.at(-1), "RunPodSandbox c");
});
test("BoundedCri lets what is nearest to running go first, then the oldest", async (t) => {
  const { cri, clock, begun, finish } = makeWorld(1);
  for (const hostname of ["a", "b", "c"]) void cri.call("RunPodSandbox", { config: { hostname } });
  void cri.call("StartContainer", { containerId: "x" });
  void cri.call("StartContainer", { containerId: "y" });
  await settle();
  for (let i = 0; i < 4; i++) { await finish(); await clock.advance(KEEP_MS); }
  t.deepEqual(begun, ["RunPodSandbox a", "StartContainer x", "StartContainer y", "RunPodSandbox b", "RunPodSandbox c"]);
});
test("BoundedCri finishes a pod before it begins the next, and keeps no place for one that does not go on", async (t) => {
  const { cri, clock, begun, finish } = makeWorld(1);
  const made = ["a", "b", "c"].map((hostname) => cri.call("RunPodSandbox", { config: { hostname } }));
  await settle();
  await finish();
  const { podSandboxId } = await made[0]!, container = cri.call("CreateContainer", { podSandboxId });
  await settle();
  await finish();
  const started = cri.call("StartContainer", await container);
  await settle();
  await finish();
  await started;
  t.deepEqual(begun, ["RunPodSandbox a", "CreateContainer sandbox of a", "StartContainer container in sandbox of a", "RunPodSandbox b"]);
  await finish();
  t.is(begun.length, 4);
  await clock.advance(KEEP_MS);
  t.is(begun.at(-1), "RunPodSandbox c");
});
test("BoundedCri lets others pass a call that hangs, and counts its place once", async (t) => {
  const { cri, clock, begun, finish } = makeWorld(1);
  for (const hostname of ["a", "b", "c"]) void cri.call("RunPodSandbox", { config: { hostname } });
  await settle();
  await clock.advance(HANGS_AFTER_MS);
  t.deepEqual(begun, ["RunPodSandbox a", "RunPodSandbox b"]);
  await finish(); // The one that hung.
  await clock.advance(KEEP_MS);
  t.is(begun.length, 2);
});
test("BoundedCri frees its place when a call fails", async (t) => {
  const cri = new BoundedCri({ call: async () => { throw new Error("no"); } } as unknown as Cri, 1, new ManualClock());
  for (let i = 0; i < 3; i++) await t.throwsAsync(cri.call("RunPodSandbox", {}), { message: "no" });
});

import test from "ava";
import { BoundedCri } from "../../../lib/cri/bounded-cri.ts";
import type { Cri } from "../../../lib/cri/client.ts";

const settle = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

function makeWorld(limit: number): { cri: BoundedCri; begun: string[]; finish: () => Promise<void> } {
  const begun: string[] = [], ends: (() => void)[] = [];
  const call = async (method: string, request: { config?: { hostname: string }; containerId?: string }): Promise<unknown> => {
    begun.push(`${method} ${request.config?.hostname ?? request.containerId ?? ""}`.trim());
    if (method !== "Version") await new Promise<void>((resolve) => { ends.push(resolve); });
    return {};
  };
  return { cri: new BoundedCri({ call } as unknown as Cri, limit), begun, async finish() { ends.shift()!(); await settle(); } };
}

test("BoundedCri runs no more dear calls than its limit, and cheap ones always", async (t) => {
  const { cri, begun, finish } = makeWorld(2);
  for (const hostname of ["a", "b", "c"]) void cri.call("RunPodSandbox", { config: { hostname } });
  await settle();
  await cri.call("Version", {});
  t.deepEqual(begun, ["RunPodSandbox a", "RunPodSandbox b", "Version"]);
  await finish();
  t.is(begun.at(-1), "RunPodSandbox c");
});
test("BoundedCri lets what is nearest to running go first, then the oldest", async (t) => {
  const { cri, begun, finish } = makeWorld(1);
  for (const hostname of ["a", "b", "c"]) void cri.call("RunPodSandbox", { config: { hostname } });
  void cri.call("StartContainer", { containerId: "x" });
  void cri.call("StartContainer", { containerId: "y" });
  await settle();
  for (let i = 0; i < 4; i++) await finish();
  t.deepEqual(begun, ["RunPodSandbox a", "StartContainer x", "StartContainer y", "RunPodSandbox b", "RunPodSandbox c"]);
});
test("BoundedCri frees its place when a call fails", async (t) => {
  const cri = new BoundedCri({ call: async () => { throw new Error("no"); } } as unknown as Cri, 1);
  for (let i = 0; i < 3; i++) await t.throwsAsync(cri.call("RunPodSandbox", {}), { message: "no" });
});

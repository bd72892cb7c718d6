import test from "ava";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { isAlive, signalProcess, startTicks } from "../../../lib/install/processes.ts";

test("isAlive() knows a process by id and start time together", async (t) => {
  const child = spawn("sleep", ["60"]);
  const ticks = (await startTicks(child.pid!))!;
  t.true(await isAlive({ pid: child.pid!, startTicks: ticks }));
  t.false(await isAlive({ pid: child.pid!, startTicks: String(Number(ticks) - 1) }));
  t.false(await signalProcess({ pid: child.pid!, startTicks: "1" }, "SIGKILL"));
  t.true(await signalProcess({ pid: child.pid!, startTicks: ticks }, "SIGKILL"));
  await once(child, "exit");
  t.false(await isAlive({ pid: child.pid!, startTicks: ticks }));
});

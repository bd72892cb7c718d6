import test from "ava";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { isAlive, signalProcess, startTicks, startTicksIn } from "../../../lib/install/processes.ts";

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

test("a zombie has ended once it is the last of its threads", (t) => {
  const line = (state: string, threads: number) => `77 (a (b) c) ${state} 1 77 77 0 -1 4194316 5 0 0 0 1 2 0 0 20 0 ${threads} 0 123456 1000 10`;
  t.is(startTicksIn(line("S", 1)), "123456");
  t.is(startTicksIn(line("Z", 3)), "123456");
  t.is(startTicksIn(line("Z", 1)), undefined);
  t.is(startTicksIn(""), undefined);
});

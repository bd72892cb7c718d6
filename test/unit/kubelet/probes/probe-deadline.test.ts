import test from "ava";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { probeDeadline } from "../../../../lib/kubelet/probes/probe-deadline.ts";

test("probeDeadline() is not late for an answer that had arrived when time was over, though nobody had looked", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const probe = connect((server.address() as AddressInfo).port, "127.0.0.1"), [[peer]] = await Promise.all([once(server, "connection") as Promise<[Socket]>, once(probe, "connect")]);
  const told: string[] = [];
  peer.end("answer");
  const answered = probeDeadline(1, () => told.push("late"));
  probe.once("data", () => { told.push("answer"); answered(); });
  const busyUntilMs = performance.now() + 50;
  while (performance.now() < busyUntilMs); // Now both are due.
  await once(probe, "close");
  t.deepEqual(told, ["answer"]);
});

test("probeDeadline() calls when nothing came", async (t) => {
  await new Promise<void>((resolve) => { probeDeadline(1, resolve); });
  t.pass();
});

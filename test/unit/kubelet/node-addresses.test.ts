import test from "ava";
import { decideAddresses, LOOK_PERIOD_MS, NodeAddresses } from "../../../lib/kubelet/node-addresses.ts";
import { sourceAddress } from "../../../lib/host/source-address.ts";
import { ManualClock } from "../../../lib/util/clock.ts";
import { silentLogger } from "../../../lib/util/logger.ts";

const told = ["192.0.2.2"], now = "192.0.2.99", gone = { told, present: ["127.0.0.1", now], towardsServer: now, current: told, goneBefore: true };

test("decideAddresses() keeps what was told while the host has it, and what is left of several", (t) => {
  t.deepEqual(decideAddresses({ ...gone, present: [now, ...told] }).addresses, told);
  t.deepEqual(decideAddresses({ ...gone, told: ["192.0.2.2", "2001:db8::2"], present: ["2001:db8::2"] }).addresses, ["2001:db8::2"]);
  t.deepEqual(decideAddresses({ ...gone, told: [], current: [now] }), { addresses: [now], gone: false });
});
test("decideAddresses() takes the address towards the API server when the told one is gone at two looks", (t) => {
  t.deepEqual(decideAddresses({ ...gone, goneBefore: false }), { addresses: told, gone: true });
  t.deepEqual(decideAddresses(gone), { addresses: [now], gone: true });
  t.deepEqual(decideAddresses({ ...gone, current: [now], present: [now, ...told] }), { addresses: told, gone: false }, "and goes back");
});
test("decideAddresses() never announces the address every machine behind NAT has, nor one that is not the host's", (t) => {
  t.deepEqual(decideAddresses({ ...gone, present: ["10.0.2.15"], towardsServer: "10.0.2.15" }).addresses, told);
  t.deepEqual(decideAddresses({ ...gone, towardsServer: "198.51.100.1" }).addresses, told);
  t.deepEqual(decideAddresses({ ...gone, towardsServer: undefined }).addresses, told);
});
test("NodeAddresses follows a new lease while it runs, says so once, and stops", async (t) => {
  const clock = new ManualClock(), stop = new AbortController();
  let present: readonly string[] = told, changes = 0;
  const addresses = new NodeAddresses({ clock, log: silentLogger, present: () => present, towardsServer: () => Promise.resolve(now), onChange: () => { changes += 1; } }, told), running = addresses.run(stop.signal);
  await clock.advance(3 * LOOK_PERIOD_MS);
  t.deepEqual([addresses.current, changes], [told, 0]);
  present = [now];
  await clock.advance(4 * LOOK_PERIOD_MS);
  t.deepEqual([addresses.current, changes], [[now], 1]);
  stop.abort();
  await t.notThrowsAsync(running);
});
test("sourceAddress() is loopback towards loopback, and nothing towards what is no host", async (t) => {
  t.is(await sourceAddress("127.0.0.1", 9), "127.0.0.1");
  t.is(await sourceAddress("no-such-host.invalid", 9), undefined);
});

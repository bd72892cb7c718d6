import test from "ava";
import { LeaderElector, LeadershipLostError, resolveLeaderElection } from "../../../lib/runtime/leader-election.ts";
import { ConnectionError } from "../../../lib/client/client.ts";
import { leases } from "../../../lib/api/schema/generated/references.ts";
import { ManualClock } from "../../../lib/util/clock.ts";
import { silentLogger } from "../../../lib/util/logger.ts";
import { FakeClient } from "./fake-client.ts";
import { turn } from "./turn.ts";

interface Candidate { leads: boolean; result: Promise<unknown>; stop: AbortController }
function candidate(client: FakeClient, clock: ManualClock, identity: string): Candidate {
  const self: Candidate = { leads: false, result: Promise.resolve(), stop: new AbortController() };
  const elector = new LeaderElector({ client, clock, log: silentLogger }, { namespace: "kube-system", name: "test", identity });
  self.result = elector.run(self.stop.signal, async (signal) => {
    self.leads = true;
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    self.leads = false;
  }).catch((error: unknown) => error);
  return self;
}
const holder = (client: FakeClient): string | undefined => client.peek(leases, "kube-system/test")?.spec.holderIdentity;

test("LeaderElector lets one of two lead", async (t) => {
  const client = new FakeClient(), clock = new ManualClock();
  const a = candidate(client, clock, "a"), b = candidate(client, clock, "b");
  for (let i = 0; i < 30; i++) { await clock.advance(1_000); t.true(a.leads !== b.leads); }
  a.stop.abort(); b.stop.abort();
  await a.result; await b.result;
});

test("LeaderElector releases the lease on a clean stop, so the other leads at its next try", async (t) => {
  const client = new FakeClient(), clock = new ManualClock();
  const a = candidate(client, clock, "a");
  await clock.advance(100);
  const b = candidate(client, clock, "b");
  await clock.advance(2_000);
  t.true(a.leads);
  a.stop.abort();
  await a.result;
  t.is(holder(client), "");
  await clock.advance(1_300);
  t.true(b.leads);
  t.is(client.peek(leases, "kube-system/test")!.spec.leaseTransitions, 1);
  b.stop.abort(); await b.result;
});

test("LeaderElector takes over from a dead leader after the lease's duration since it saw it last, not before", async (t) => {
  const client = new FakeClient(), clock = new ManualClock();
  client.seed(leases, { metadata: { namespace: "kube-system", name: "test" }, spec: { holderIdentity: "dead", leaseDurationSeconds: 8, renewTime: "2099-01-01T00:00:00.000000Z" } }); // Its clock was far ahead.
  const b = candidate(client, clock, "b");
  await turn();
  await clock.advance(7_900);
  t.false(b.leads);
  await clock.advance(1_400);
  t.true(b.leads);
  b.stop.abort(); await b.result;
});

test("LeaderElector goes on at once with a lease its own identity holds", async (t) => {
  const client = new FakeClient(), clock = new ManualClock();
  client.seed(leases, { metadata: { namespace: "kube-system", name: "test" }, spec: { holderIdentity: "a", leaseDurationSeconds: 8 } });
  const a = candidate(client, clock, "a");
  await clock.advance(1);
  t.true(a.leads);
  a.stop.abort(); await a.result;
});

test("LeaderElector stops the work and throws when it cannot renew within the deadline, before another may lead", async (t) => {
  const client = new FakeClient(), clock = new ManualClock();
  const a = candidate(client, clock, "a");
  await clock.advance(100);
  t.true(a.leads);
  for (let i = 0; i < 20; i++) { client.failNext("update", leases, new ConnectionError("Cannot connect")); client.failNext("get", leases, new ConnectionError("Cannot connect")); }
  await clock.advance(6_100); // Deadline 5 s, judged at each retry; the lease lasts 8 s.
  t.false(a.leads);
  t.true(await a.result instanceof LeadershipLostError);
});

test("LeaderElector goes on leading over a short loss of the server", async (t) => {
  const client = new FakeClient(), clock = new ManualClock();
  const a = candidate(client, clock, "a");
  await clock.advance(100);
  for (let i = 0; i < 3; i++) client.failNext("update", leases, new ConnectionError("Cannot connect"));
  await clock.advance(20_000);
  t.true(a.leads);
  a.stop.abort(); await a.result;
});

test("LeaderElector stops when another took the lease", async (t) => {
  const client = new FakeClient(), clock = new ManualClock();
  const a = candidate(client, clock, "a");
  await clock.advance(100);
  client.seed(leases, { metadata: { namespace: "kube-system", name: "test" }, spec: { holderIdentity: "thief", leaseDurationSeconds: 8 } });
  await clock.advance(1_100);
  t.false(a.leads);
  t.true(await a.result instanceof LeadershipLostError);
  t.is(holder(client), "thief");
});

test("resolveLeaderElection() refuses times that would let two lead", (t) => {
  const base = { namespace: "a", name: "b", identity: "c" };
  t.throws(() => resolveLeaderElection({ ...base, leaseDurationMs: 5_000 }), { instanceOf: RangeError, message: /leaseDuration/ });
  t.throws(() => resolveLeaderElection({ ...base, renewDeadlineMs: 1_100 }), { instanceOf: RangeError, message: /retryPeriod/ });
  t.throws(() => resolveLeaderElection({ ...base, identity: "" }), { instanceOf: RangeError });
});

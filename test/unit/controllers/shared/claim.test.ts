import test from "ava";
import { planClaims, claim } from "../../../../lib/controllers/shared/claim.ts";
import { selectorFromSet } from "../../../../lib/api/helpers/label-selector.ts";
import { pods, replicasets } from "../../../../lib/api/schema/generated/references.ts";
import { FakeClient } from "../../runtime/fake-client.ts";
import { at, makePod, makeReplicaSet } from "../build.ts";

const selector = selectorFromSet({ app: "web" }), signal = new AbortController().signal;
const names = (list: readonly { metadata: { name: string } }[]): string[] => list.map((o) => o.metadata.name);

test("planClaims() keeps its own, adopts matching orphans, releases its own that no longer match, and leaves the rest", (t) => {
  const rs = makeReplicaSet({ name: "rs" }), owner = { uid: "uid-rs" };
  const plan = planClaims(rs, selector, [
    makePod({ name: "own", owner }), makePod({ name: "strayed", owner, labels: { app: "other" } }), makePod({ name: "orphan" }), makePod({ name: "leaving", terminating: true }),
    makePod({ name: "foreign", owner: { uid: "uid-else" } }), makePod({ name: "unlike", labels: { app: "other" } }),
  ]);
  t.deepEqual([names(plan.owned), names(plan.adopt), names(plan.release)], [["own"], ["orphan"], ["strayed"]]);
});

test("planClaims() adopts and releases nothing for an owner on its way out", (t) => {
  const rs = makeReplicaSet({ name: "rs" });
  rs.metadata.deletionTimestamp = at(1);
  const plan = planClaims(rs, selector, [makePod({ name: "orphan" }), makePod({ name: "strayed", owner: { uid: "uid-rs" }, labels: { app: "x" } }), makePod({ name: "own", owner: { uid: "uid-rs" } })]);
  t.deepEqual([names(plan.owned), plan.adopt, plan.release], [["own"], [], []]);
});

test("claim() adopts by a patch that carries the pod's uid, and releases by one that removes only its own reference", async (t) => {
  const client = new FakeClient(), rs = makeReplicaSet({ name: "rs" }), orphan = makePod({ name: "orphan" }), strayed = makePod({ name: "strayed", owner: { uid: "uid-rs" }, labels: { app: "x" } });
  client.seed(replicasets, rs);
  client.seed(pods, orphan, strayed);
  const claimed = await claim(client, { owner: replicasets, object: pods }, rs, selector, [orphan, strayed], signal);
  t.deepEqual(names(claimed), ["orphan"]);
  t.is(client.peek(pods, "default/orphan")!.metadata.ownerReferences![0]!.uid, "uid-rs");
  t.deepEqual(client.peek(pods, "default/strayed")!.metadata.ownerReferences, []);
});

test("claim() adopts nothing for an owner that was deleted and made anew behind the cache's back", async (t) => {
  const client = new FakeClient(), stale = makeReplicaSet({ name: "rs" }), orphan = makePod({ name: "orphan" });
  const fresh = makeReplicaSet({ name: "rs" });
  fresh.metadata.uid = "uid-new";
  client.seed(replicasets, fresh);
  client.seed(pods, orphan);
  await t.throwsAsync(claim(client, { owner: replicasets, object: pods }, stale, selector, [orphan], signal), { message: /made anew/ });
  t.is(client.callsOf("patch", pods).length, 0);
});

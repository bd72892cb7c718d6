import test from "ava";
import { Entry } from "../../../../lib/apiserver/cache/entry.ts";
import { HistoryBudget, ResourceHistory, type CacheEvent } from "../../../../lib/apiserver/cache/history.ts";

const event = (revision: number, bytes = 10): CacheEvent => ({ type: "put", revision, entry: new Entry("/k", "", "k", revision, Buffer.alloc(bytes), 0, undefined, undefined), previous: undefined });
const revisions = (events: readonly CacheEvent[]) => events.map(({ revision }) => revision);

test("ResourceHistory.after() gives the changes behind a revision", (t) => {
  const history = new ResourceHistory(4);
  for (const revision of [5, 7, 9]) history.push(event(revision));
  t.deepEqual(revisions(history.after(4)), [5, 7, 9]);
  t.deepEqual(revisions(history.after(6)), [7, 9]);
  t.deepEqual(revisions(history.after(9)), []);
});

test("HistoryBudget forgets the oldest change of all resources first, and each knows how far back it is whole", (t) => {
  const budget = new HistoryBudget(3, 1_000), pods = new ResourceHistory(0), leases = new ResourceHistory(0);
  budget.push(pods, event(1));
  budget.push(leases, event(2));
  budget.push(leases, event(3));
  t.is(pods.start, 0);
  budget.push(leases, event(4));
  t.deepEqual([pods.start, leases.start], [1, 0]);
  t.deepEqual(revisions(leases.after(0)), [2, 3, 4]);
});

test("HistoryBudget bounds bytes, even of one huge change", (t) => {
  const budget = new HistoryBudget(100, 100), pods = new ResourceHistory(0);
  budget.push(pods, event(1, 60));
  budget.push(pods, event(2, 60));
  t.deepEqual([pods.start, revisions(pods.after(pods.start))], [1, [2]]);
  budget.push(pods, event(3, 500));
  t.is(pods.start, 3);
  budget.push(pods, event(4, 10));
  t.deepEqual(revisions(pods.after(pods.start)), [4]);
});

test("ResourceHistory stays whole over many evictions", (t) => {
  const budget = new HistoryBudget(10), pods = new ResourceHistory(0);
  for (let revision = 1; revision <= 5_000; revision++) budget.push(pods, event(revision));
  t.is(pods.start, 4_990);
  t.deepEqual(revisions(pods.after(4_995)), [4996, 4997, 4998, 4999, 5000]);
});

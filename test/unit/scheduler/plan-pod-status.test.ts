import test from "ava";
import { planPodStatus } from "../../../lib/scheduler/plan-pod-status.ts";
import { makePod } from "./builders.ts";

const now = new Date("2026-03-04T05:06:07.890Z");
const condition = { type: "PodScheduled", status: "False", reason: "Unschedulable", message: "m" } as const;

test("planPodStatus() stamps a change of status, keeps the stamp of a change of words, and is silent when nothing changes", (t) => {
  const pod = makePod("p");
  const first = planPodStatus(pod, { condition }, now) as { status: { conditions: [{ lastTransitionTime: string }] } };
  t.is(first.status.conditions[0].lastTransitionTime, "2026-03-04T05:06:07Z");
  pod.status!.conditions = [{ ...condition, lastTransitionTime: "2026-01-01T00:00:00Z" }];
  t.is(planPodStatus(pod, { condition }, now), undefined);
  t.like(planPodStatus(pod, { condition: { ...condition, message: "other" } }, now), { status: { conditions: [{ message: "other", lastTransitionTime: "2026-01-01T00:00:00Z" }] } });
});

test("planPodStatus() sets and clears the nominated node only when it differs", (t) => {
  const pod = makePod("p");
  t.is(planPodStatus(pod, { nominatedNodeName: "" }, now), undefined);
  t.deepEqual(planPodStatus(pod, { nominatedNodeName: "n" }, now), { metadata: { uid: "uid-default-p" }, status: { nominatedNodeName: "n" } });
  pod.status!.nominatedNodeName = "n";
  t.deepEqual(planPodStatus(pod, { nominatedNodeName: "" }, now), { metadata: { uid: "uid-default-p" }, status: { nominatedNodeName: null } });
});

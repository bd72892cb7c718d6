import test from "ava";
import { formatSelector } from "../../../lib/api/helpers/label-selector.ts";
import type { ReplicaSet, Service } from "../../../lib/api/schema/generated/models.ts";
import { PodInfo } from "../../../lib/scheduler/cache/pod-info.ts";
import { ownerSelector, type OwnerListers } from "../../../lib/scheduler/owner-selector.ts";
import { makePod } from "./builders.ts";

const service = (selector: Record<string, string>): Service => ({ metadata: { name: "s" }, spec: { selector } });
const listers = (more: Partial<OwnerListers>): OwnerListers => ({ services: () => [], replicationController: () => undefined, replicaSet: () => undefined, statefulSet: () => undefined, ...more });
const pod = (owner?: object): PodInfo => {
  const made = makePod("p", { labels: { app: "web", tier: "front" } });
  return new PodInfo(owner === undefined ? made : { ...made, metadata: { ...made.metadata, ownerReferences: [owner as never] } });
};
const told = (result: ReturnType<typeof ownerSelector>): string => (result === undefined ? "none" : formatSelector(result));

test("ownerSelector() joins the Services that select the pod with its controller's selector", (t) => {
  const replicaSet: ReplicaSet = { metadata: { name: "rs" }, spec: { selector: { matchLabels: { app: "web" }, matchExpressions: [{ key: "tier", operator: "Exists" }] } } };
  const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "rs", uid: "u", controller: true };
  t.is(told(ownerSelector(pod(), listers({}))), "none");
  t.is(told(ownerSelector(pod(), listers({ services: () => [service({ app: "web" }), service({ app: "db" }), service({})] }))), "app=web");
  t.is(told(ownerSelector(pod(owner), listers({ replicaSet: (key) => (key === "default/rs" ? replicaSet : undefined) }))), "app=web,tier");
  t.is(told(ownerSelector(pod({ ...owner, controller: false }), listers({ replicaSet: () => replicaSet }))), "none");
});

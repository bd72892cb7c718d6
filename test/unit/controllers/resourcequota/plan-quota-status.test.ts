import test from "ava";
import { planQuotaStatus } from "../../../../lib/controllers/resourcequota/resource-quota-controller.ts";
import type { ResourceQuota } from "../../../../lib/api/schema/generated/models.ts";

const quota = (hard: Record<string, string>, status?: ResourceQuota["status"]): ResourceQuota => ({ metadata: { name: "q", namespace: "a" }, spec: { hard }, ...(status === undefined ? {} : { status }) });

test("planQuotaStatus() fills a new status, follows what is asked, and is quiet when nothing differs", (t) => {
  t.deepEqual(planQuotaStatus(quota({ pods: "2" }), { pods: "0" }), { hard: { pods: "2" }, used: { pods: "0" } });
  t.deepEqual(planQuotaStatus(quota({}), {}), { hard: {}, used: {} });
  t.is(planQuotaStatus(quota({ cpu: "2" }, { hard: { cpu: "2000m" }, used: { cpu: "500m" } }), { cpu: "0.5" }), undefined);
  t.deepEqual(planQuotaStatus(quota({ pods: "3" }, { hard: { pods: "2", secrets: "1" }, used: { pods: "1", secrets: "1" } }), { pods: "1" }), { hard: { pods: "3" }, used: { pods: "1" } });
});

test("planQuotaStatus() keeps what was told of names nobody measures", (t) => {
  t.deepEqual(planQuotaStatus(quota({ pods: "3", "other/x": "1" }, { hard: { pods: "3", "other/x": "1" }, used: { pods: "1", "other/x": "1" } }), { pods: "2" }), { hard: { pods: "3", "other/x": "1" }, used: { pods: "2", "other/x": "1" } });
});

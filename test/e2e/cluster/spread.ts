/** Fair spread of a Service over its endpoints. */
import type { TestFn } from "ava";
import { deployments } from "../../../lib/api/schema/generated/references.ts";
import { apiClient } from "./cluster.ts";
import { countAnswers, removeWorkload, startWorkload, waitForReady } from "./workload.ts";

const NAMESPACE = "spread";
const CURLS = 3_000;
const FAIR_SHARE_MIN = 0.7;

export function registerSpread(test: TestFn): void {
  test.serial("3,000 curls reach all 10 replicas, none below 70 % of its fair share, and new replicas after a scale-up", async (t) => {
    const client = apiClient(), workload = await startWorkload(client, NAMESPACE, 10);
    const answers = await countAnswers("worker-1", workload.clusterIp, CURLS);
    t.log([...answers.values()].sort((a, b) => a - b).join(" "));
    t.is([...answers.values()].reduce((a, b) => a + b, 0), CURLS);
    t.is(answers.size, 10);
    t.true(Math.min(...answers.values()) >= (CURLS / 10) * FAIR_SHARE_MIN);
    await client.patch(deployments, { namespace: NAMESPACE, name: "web" }, "merge", { spec: { replicas: 14 } });
    await waitForReady(client, NAMESPACE, 14);
    const after = await countAnswers("worker-2", workload.clusterIp, CURLS);
    t.is(after.size, 14);
    t.true(Math.min(...after.values()) >= (CURLS / 14) * FAIR_SHARE_MIN);
    await removeWorkload(client, workload);
    client.close();
  });
}

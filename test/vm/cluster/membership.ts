/** The cluster file says who belongs: a host added to it joins, one taken out is drained, reset and gone. */
import type { TestFn } from "ava";
import { nodes, pods } from "../../../lib/api/schema/generated/references.ts";
import { waitForObjects } from "../../../lib/install/wait.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { machineDifference } from "../../machine-state.ts";
import { removeWorkload, startWorkload, waitForReady } from "../../e2e/cluster/workload.ts";
import { countAnswersOn } from "./answers.ts";
import { look } from "./leaving.ts";
import { fileHosts } from "./founding.ts";
import { cleanNodes } from "./worker-power.ts";
import { timed, vmTest, type VmLab } from "../lab.ts";
import { machine, powerOff, powerOn, waitForBoot } from "../machines.ts";
import { kajiSucceeds, writeClusterFile } from "../operator.ts";

const NAMESPACE = "members", REPLICAS = 6;

export function registerMembership(test: TestFn, lab: () => VmLab): void {
  vmTest(test, lab, "a fourth machine added to the file joins with kaji apply; taken out, it is drained, reset and gone", async (t, lab) => {
    const fourth = machine(4), client = lab.client();
    await powerOn(fourth, lab.image);
    await timed(t, "the fourth machine is up", () => waitForBoot(fourth, lab.image));
    const before = await look(lab, fourth);

    writeClusterFile([...fileHosts(lab), { name: fourth.name, address: fourth.address, role: "worker" }], lab.image.bundle);
    await timed(t, "kaji apply with it", () => kajiSucceeds(["apply", "--accept-new-host-keys"]));
    await cleanNodes(client, lab, [...lab.workers.map((vm) => vm.name), fourth.name]);
    const workload = await startWorkload(client, NAMESPACE, REPLICAS, lab.limitMs(60_000));
    t.true((await client.list(pods, { namespace: NAMESPACE })).items.some((pod) => pod.spec.nodeName === fourth.name), "it runs pods");
    t.true((await countAnswersOn(lab, fourth, workload.clusterIp, 20)).size > 1, "it reaches Services");

    writeClusterFile(fileHosts(lab), lab.image.bundle);
    await timed(t, "kaji apply without it", () => kajiSucceeds(["apply"]));
    await waitForObjects(client, nodes, undefined, (all) => !all.some((node) => node.metadata.name === fourth.name) || "its node is still there", systemClock, lab.limitMs(30_000));
    const left = await waitForReady(client, NAMESPACE, REPLICAS, lab.limitMs(60_000));
    t.false(left.some((pod) => pod.spec.nodeName === fourth.name));
    t.deepEqual(machineDifference(before, await look(lab, fourth)), []);
    await removeWorkload(client, workload);
    await powerOff(fourth);
    client.close();
  });
}

import test from "ava";
import type { NodeStatus } from "../../../lib/api/schema/generated/models.ts";
import { nodeEvents } from "../../../lib/kubelet/node-events.ts";

const status = (ready: string, memory = "False", bootID = "b1"): NodeStatus => ({
  conditions: [["MemoryPressure", memory], ["DiskPressure", "False"], ["PIDPressure", "False"], ["Ready", ready]].map(([type, value]) => ({ type: type!, status: value! })),
  nodeInfo: { bootID } as NodeStatus["nodeInfo"],
});
const told = (old: NodeStatus | undefined, fresh: NodeStatus): string[] => nodeEvents("n1", old, fresh).map(({ type, reason, message }) => `${type} ${reason}: ${message}`);

test("nodeEvents() tells of a node nothing was reported of: its pressures, and readiness where it is there", (t) => {
  const pressures = ["Normal NodeHasSufficientMemory: Node n1 status is now: NodeHasSufficientMemory", "Normal NodeHasNoDiskPressure: Node n1 status is now: NodeHasNoDiskPressure", "Normal NodeHasSufficientPID: Node n1 status is now: NodeHasSufficientPID"];
  t.deepEqual(told(undefined, status("False")), pressures);
  t.deepEqual(told(undefined, status("True")), [...pressures, "Normal NodeReady: Node n1 status is now: NodeReady"]);
});

test("nodeEvents() tells of what changed alone", (t) => {
  t.deepEqual(told(status("True"), status("True")), []);
  t.deepEqual(told(status("True"), status("False", "True")), ["Normal NodeHasInsufficientMemory: Node n1 status is now: NodeHasInsufficientMemory", "Normal NodeNotReady: Node n1 status is now: NodeNotReady"]);
  t.deepEqual(told(status("Unknown"), status("True", "False", "b2")), ["Warning Rebooted: Node n1 has been rebooted, boot id: b2", "Normal NodeReady: Node n1 status is now: NodeReady"]);
});

/**
 * What goes wrong between an operator and hosts. Every fault ends in a message with the host's name, what was found and the next step;
 * leaves nothing half-done that a second run does not finish; and takes nothing of the user's away.
 */
import test from "ava";
import { registerConnectionFaults } from "./faults/connection.ts";
import { registerHostFaults } from "./faults/host.ts";
import { registerJoinFaults } from "./faults/joining.ts";
import { registerUploadFault } from "./faults/upload.ts";
import { VmLab } from "./lab.ts";
import { moveIn } from "./operator.ts";

let lab: VmLab;
const theLab = (): VmLab => lab;
test.before(async (t) => {
  lab = await VmLab.open(t, 2);
  moveIn(lab.image);
});

registerConnectionFaults(test, theLab);
registerHostFaults(test, theLab);
registerUploadFault(test, theLab);
registerJoinFaults(test, theLab);

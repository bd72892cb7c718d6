/**
 * One cluster on three machines, from its founding to its end. Order matters: each test leaves the cluster healthy for the next, except the last.
 */
import test from "ava";
import { registerCgroups } from "./cluster/cgroups.ts";
import { registerFirstPage, registerFounding } from "./cluster/founding.ts";
import { registerLeaving, rememberMachines } from "./cluster/leaving.ts";
import { registerMasterPower } from "./cluster/master-power.ts";
import { registerMembership } from "./cluster/membership.ts";
import { registerMemory } from "./cluster/memory.ts";
import { registerUnits } from "./cluster/units.ts";
import { registerWorkerPower } from "./cluster/worker-power.ts";
import { timed, VmLab } from "./lab.ts";

let lab: VmLab;
const theLab = (): VmLab => lab;
test.before(async (t) => {
  lab = await VmLab.open(t, 3);
  await timed(t, "what is on bare machines is written down", () => rememberMachines(lab));
});

registerFounding(test, theLab);
registerMemory(test, theLab);
registerUnits(test, theLab);
registerFirstPage(test, theLab);
registerCgroups(test, theLab);
registerMembership(test, theLab);
registerWorkerPower(test, theLab);
registerMasterPower(test, theLab);
registerLeaving(test, theLab);

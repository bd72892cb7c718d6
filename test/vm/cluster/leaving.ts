/** After `kaji delete` every machine is what it was before the install: everything on it, not only what has a name of ours. */
import type { TestFn } from "ava";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { machineDifference, type MachineState, readWholeMachine } from "../../machine-state.ts";
import { timed, vmTest, type VmLab } from "../lab.ts";
import { copyTo, type Machine, STATE } from "../machines.ts";
import { kajiSucceeds } from "../operator.ts";

/** nft and its libraries out of the bundle, for the look at rules where nothing is installed; only unpacked, and gone after the look. */
const TOOLS = ["nftables", "libnftables1", "libnftnl11", "libmnl0", "libjansson4", "libxtables12", "libedit2", "libbsd0", "libmd0"];

/** Everything on a machine. */
export async function look(lab: VmLab, vm: Machine): Promise<MachineState> {
  const folder = path.join(lab.image.bundle, "packages");
  await lab.sh(vm, "mkdir -p /tmp/state-tools");
  for (const file of readdirSync(folder)) if (TOOLS.includes(file.split("_")[0]!)) await copyTo(vm, lab.image, path.join(folder, file), "/tmp/state-tools/");
  const state = await readWholeMachine((script) => lab.sh(vm, `cd /tmp/state-tools; for each in *.deb; do dpkg-deb -x $each .; done; cd /\n${script}`));
  await lab.sh(vm, "rm -rf /tmp/state-tools");
  return state;
}

const fileOf = (vm: Machine): string => path.join(STATE, `${vm.name}.before`);
/** To be called before anything is installed. Kept on this machine, so that a run with `--keep` has it still. */
export async function rememberMachines(lab: VmLab): Promise<void> {
  mkdirSync(STATE, { recursive: true });
  await Promise.all(lab.machines.filter((vm) => !existsSync(fileOf(vm))).map(async (vm) => { writeFileSync(fileOf(vm), JSON.stringify(await look(lab, vm))); }));
}

export function registerLeaving(test: TestFn, lab: () => VmLab): void {
  vmTest(test, lab, "kaji delete leaves every machine as it was before the install: files, units, users, links, routes, rules, mounts, control groups, processes, packages, settings", async (t, lab) => {
    t.log(await timed(t, "kaji delete", () => kajiSucceeds(["delete", "--yes"])));
    for (const vm of lab.machines) {
      const before = JSON.parse(readFileSync(fileOf(vm), "utf8")) as MachineState;
      t.notRegex(before["rules"]!.join("\n"), /not found|error|cannot/i, "rules could be read");
      t.true(before["files"]!.length > 5_000 && before["packages"]!.length > 50, "something was looked at");
      t.deepEqual(machineDifference(before, await look(lab, vm)), [], vm.name);
    }
  });
}

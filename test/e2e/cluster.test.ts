/**
 * One real cluster from `kaji up` to `kaji down`: three hosts with their own containerd, kubelet and proxy on this machine.
 * Serial: each part needs the cluster the first one makes, and the last one takes it away.
 */
import test from "ava";
import { clusterStatus } from "../../lib/install/status.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { expectSuccess, kaji, requireRoot } from "./cluster/cluster.ts";
import { registerHealing } from "./cluster/healing.ts";
import { registerImages } from "./cluster/images.ts";
import { registerKilling } from "./cluster/killing.ts";
import { registerKubectl } from "./cluster/kubectl-session.ts";
import { overcommitment } from "../overcommitment.ts";
import { type MachineState, readMachineState } from "../machine-state.ts";
import { registerSpread } from "./cluster/spread.ts";

let before: MachineState;

test.before(async () => {
  requireRoot();
  await kaji("down", "--keep-cache"); // What an interrupted run left.
  before = await readMachineState();
});

test.serial("kaji up ends with nginx's page fetched from a ClusterIP by a host that runs none of its pods", async (t) => {
  const { stdout } = expectSuccess(await kaji("up", "--no-egress"), "kaji up");
  t.log(stdout);
  t.regex(stdout, /http:\/\/10\.96\.\d+\.\d+\/ from worker-\d, which runs none of its pods: "Welcome to nginx/);
  t.true([...stdout.matchAll(/^ *\d+\.\d s {2}\S/gm)].length > 5, "each stage says how long it took");
  t.regex(stdout, /nginx: Ready on worker-\d, worker-\d\n/);
});

test.serial("kaji up again takes under 15 s and is harmless: every daemon keeps running", async (t) => {
  const pids = async (): Promise<unknown> => (await clusterStatus(systemClock))!.daemons.map((d) => [d.name, d.pid]);
  const was = await pids(), startMs = performance.now();
  const { stdout } = expectSuccess(await kaji("up", "--no-egress"), "the second kaji up"), seconds = (performance.now() - startMs) / 1_000;
  t.log(stdout);
  t.deepEqual(await pids(), was);
  t.true(seconds < 15 * overcommitment(), `${seconds} s`);
});

test.serial("kaji status says that everything runs, and kaji host runs a command there", async (t) => {
  t.regex(expectSuccess(await kaji("status"), "kaji status").stdout, /everything runs/);
  t.is(expectSuccess(await kaji("host", "worker-2", "--", "hostname"), "kaji host").stdout, "worker-2\n");
  t.is((await kaji("host", "worker-2", "--", "sh", "-c", "exit 7")).code, 7);
  t.regex((await kaji("host", "nowhere", "--", "true")).stderr, /There is no host "nowhere"; hosts: worker-1, worker-2, worker-3/);
});

registerKubectl(test);
registerImages(test);
registerSpread(test);
registerHealing(test);
registerKilling(test);

test.serial("kaji down leaves the machine as it was", async (t) => {
  expectSuccess(await kaji("down", "--keep-cache"), "kaji down");
  t.deepEqual(await readMachineState(), before);
});

test.after.always(async () => { await kaji("down", "--keep-cache"); });

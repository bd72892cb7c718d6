/** What the daemons take of a machine's memory with nothing running: each process's proportional share (PSS), so that shared pages count once. */
import type { TestFn } from "ava";
import { vmTest, type VmLab } from "../lab.ts";
import type { Machine } from "../machines.ts";

const MASTER_AIM_MIB = 400, WORKER_AIM_MIB = 200;
/** `NAME KIB` a line: our daemons by their first word, and the runtime that stands under a unit of ours. */
const READ = `for dir in /proc/[0-9]*; do
  set -- $(tr '\\0' ' ' < $dir/cmdline 2>/dev/null)
  case "$1" in /usr/local/bin/kaji) name=$2;; */containerd|containerd) name=containerd;; *) continue;; esac
  echo "$name $(sed -n 's/^Pss: *\\([0-9]*\\) kB/\\1/p' $dir/smaps_rollup)"
done`;

async function shares(lab: VmLab, vm: Machine): Promise<Record<string, number>> {
  const lines = (await lab.sh(vm, READ)).trim().split("\n");
  return Object.fromEntries(lines.map((line) => { const [name, kib] = line.split(" "); return [name!, Math.round(Number(kib) / 1024)]; }));
}
const sum = (parts: Record<string, number>): number => Object.values(parts).reduce((total, mib) => total + mib, 0);

export function registerMemory(test: TestFn, lab: () => VmLab): void {
  vmTest(test, lab, `with nothing running the master's daemons together take less than ${MASTER_AIM_MIB} MiB, a worker's less than ${WORKER_AIM_MIB}`, async (t, lab) => {
    const master = await shares(lab, lab.master), worker = await shares(lab, lab.workers[0]!), { containerd = 0, ...ours } = worker;
    t.log(JSON.stringify({ bench: "memory", what: "master daemons, PSS", mib: sum(master), parts: master }));
    t.log(JSON.stringify({ bench: "memory", what: "worker daemons, PSS", mib: sum(ours), parts: ours, containerdMib: containerd }));
    t.deepEqual(Object.keys(master).toSorted(), ["kube-apiserver", "kube-controller-manager", "kube-scheduler"]);
    t.deepEqual(Object.keys(worker).toSorted(), ["containerd", "kube-proxy", "kubelet"]);
    t.true(sum(master) < MASTER_AIM_MIB, `master: ${sum(master)} MiB`);
    t.true(sum(ours) < WORKER_AIM_MIB, `worker: ${sum(ours)} MiB`);
  });
}

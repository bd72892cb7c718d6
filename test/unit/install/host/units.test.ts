import test from "ava";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { MASTER_DAEMONS, NODE_DAEMONS } from "../../../../lib/install/host/daemon-flags.ts";
import { CONFIG_EXIT_CODE } from "../../../../lib/util/daemon.ts";
import { unitName } from "../../../../lib/install/host/host-paths.ts";

const folder = path.resolve(import.meta.dirname, "../../../../systemd"), read = (daemon: string): string => readFileSync(path.join(folder, unitName(daemon)), "utf8");

test("there is one unit for each daemon and for containerd, and no other", (t) => {
  t.deepEqual(readdirSync(folder).toSorted(), [...MASTER_DAEMONS, ...NODE_DAEMONS, "containerd"].map(unitName).toSorted());
});
test("every unit comes back whenever its daemon ends, without a limit, and at boot", (t) => {
  for (const daemon of [...MASTER_DAEMONS, ...NODE_DAEMONS, "containerd"]) for (const line of ["Restart=always", "StartLimitIntervalSec=0", "WantedBy=multi-user.target"]) t.true(read(daemon).includes(`\n${line}\n`), `${daemon}: ${line}`);
});
test("every unit runs its own daemon on its own file, and does not try again with one that cannot be used", (t) => {
  for (const daemon of [...MASTER_DAEMONS, ...NODE_DAEMONS]) {
    t.true(read(daemon).includes(`\nExecStart=/usr/local/bin/kaji ${daemon} --config=/etc/kaji/${daemon}.yaml\n`), daemon);
    t.true(read(daemon).includes(`\nRestartPreventExitStatus=${CONFIG_EXIT_CODE}\n`), daemon);
  }
});
test("every daemon of ours tells systemd when it is ready, and is killed when it hangs", (t) => {
  for (const daemon of [...MASTER_DAEMONS, ...NODE_DAEMONS]) for (const line of ["Type=notify", "NotifyAccess=all", "WatchdogSec=30", "WatchdogSignal=SIGKILL"]) t.true(read(daemon).includes(`\n${line}\n`), `${daemon}: ${line}`);
});
test("what runs JavaScript is never denied memory that is written and run, and the kubelet and containerd keep the host's mounts", (t) => {
  for (const daemon of [...MASTER_DAEMONS, ...NODE_DAEMONS]) t.notRegex(read(daemon), /MemoryDenyWriteExecute/, daemon);
  for (const daemon of ["kubelet", "containerd"]) t.notRegex(read(daemon), /\n(Protect|Private|ReadOnly|ReadWrite|Inaccessible)/, daemon);
});
test("containers outlive the kubelet and containerd", (t) => {
  for (const daemon of ["kubelet", "containerd"]) t.regex(read(daemon), /\nKillMode=process\n/);
});
test("the API server and the scheduler may write nothing but the store, and hold no capability they need not", (t) => {
  t.regex(read("kube-apiserver"), /ProtectSystem=strict/);
  t.regex(read("kube-apiserver"), /\nReadWritePaths=\/var\/lib\/kaji\n/);
  t.regex(read("kube-scheduler"), /\nCapabilityBoundingSet=\n/);
});
test("the controller manager may write where it renews certificates, and the API server may not", (t) => {
  t.regex(read("kube-controller-manager"), /\nReadWritePaths=\/etc\/kaji\n/);
  t.notRegex(read("kube-apiserver"), /ReadWritePaths=.*\/etc/);
});

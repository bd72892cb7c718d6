import test from "ava";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { MASTER_DAEMONS, NODE_DAEMONS } from "../../../../lib/install/host/daemon-flags.ts";
import { unitName } from "../../../../lib/install/host/host-paths.ts";

const folder = path.resolve(import.meta.dirname, "../../../../systemd"), read = (daemon: string): string => readFileSync(path.join(folder, unitName(daemon)), "utf8");

test("there is one unit for each daemon and for containerd, and no other", (t) => {
  t.deepEqual(readdirSync(folder).toSorted(), [...MASTER_DAEMONS, ...NODE_DAEMONS, "containerd"].map(unitName).toSorted());
});
test("every unit comes back whenever its daemon ends, without a limit, and at boot", (t) => {
  for (const daemon of [...MASTER_DAEMONS, ...NODE_DAEMONS, "containerd"]) for (const line of ["Restart=always", "StartLimitIntervalSec=0", "WantedBy=multi-user.target"]) t.true(read(daemon).includes(`\n${line}\n`), `${daemon}: ${line}`);
});
test("every unit reads its own flags and runs its own daemon", (t) => {
  for (const daemon of [...MASTER_DAEMONS, ...NODE_DAEMONS]) t.regex(read(daemon), new RegExp(`EnvironmentFile=/etc/kaji/${daemon}\\.env\\nExecStart=/usr/local/bin/kaji ${daemon} \\$FLAGS\\n`));
});
test("containers outlive the kubelet and containerd", (t) => {
  for (const daemon of ["kubelet", "containerd"]) t.regex(read(daemon), /\nKillMode=process\n/);
});
test("the API server and the scheduler may write nothing but the store, and hold no capability they need not", (t) => {
  t.regex(read("kube-apiserver"), /ProtectSystem=strict/);
  t.regex(read("kube-apiserver"), /\nReadWritePaths=\/var\/lib\/kaji\n/);
  t.regex(read("kube-scheduler"), /\nCapabilityBoundingSet=\n/);
});

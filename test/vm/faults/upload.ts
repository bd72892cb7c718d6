/** The network goes while files are on their way; the next run finishes, on a host that has an engine of its user's. */
import type { TestFn } from "ava";
import { until } from "../../../lib/install/wait.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { beside, cutLink, restoreLink, copyTo } from "../machines.ts";
import { tapOf } from "../network.ts";
import { timed, vmTest, type VmLab } from "../lab.ts";
import { kajiSucceeds, startKaji, writeClusterFile } from "../operator.ts";
import { readdirSync } from "node:fs";
import path from "node:path";
import { APPLY, judge, twoHosts } from "./refusal.ts";

const MID_UPLOAD_BYTES = 20_000_000, SENT_LIMIT_MS = 30_000;
/** What has gone to the machine so far. */
async function sentTo(number: number): Promise<number> {
  const { stdout } = await beside("ip", ["-j", "-s", "link", "show", tapOf(number)]);
  return (JSON.parse(stdout) as { stats64: { tx: { bytes: number } } }[])[0]!.stats64.tx.bytes;
}

/** containerd as a user has it: the distribution's, under its own unit, with an image of the user's. */
async function installUsersEngine(lab: VmLab): Promise<void> {
  const vm = lab.workers[0]!, folder = path.join(lab.image.bundle, "packages");
  await lab.sh(vm, "mkdir -p /tmp/debs");
  for (const file of readdirSync(folder)) if (/^(containerd|runc|libseccomp2|libprotobuf|libcriu|criu)/.test(file)) await copyTo(vm, lab.image, path.join(folder, file), "/tmp/debs/");
  await lab.sh(vm, "dpkg --install /tmp/debs/*.deb >/dev/null; rm -r /tmp/debs; systemctl enable --quiet --now containerd; mkdir -p /etc/containerd; echo 'version = 2' > /etc/containerd/config.toml; ctr namespaces create of-the-user");
}
const usersEngine = (lab: VmLab): Promise<string> => lab.sh(lab.workers[0]!, "systemctl is-active containerd; systemctl is-enabled containerd; ctr namespaces list -q; cat /etc/containerd/config.toml; systemctl show -p MainPID --value containerd");

export function registerUploadFault(test: TestFn, lab: () => VmLab): void {
  vmTest(test, lab, "the network cut in the middle of an upload is told; the next run finishes; the user's own container engine is left as it was", async (t, lab) => {
    const vm = lab.workers[0]!;
    await installUsersEngine(lab);
    const engine = await usersEngine(lab);
    writeClusterFile(twoHosts(lab), lab.image.bundle);
    const startBytes = await sentTo(vm.number), run = startKaji(APPLY);
    await until("an upload being half done", async () => ((await sentTo(vm.number)) - startBytes > MID_UPLOAD_BYTES ? true : undefined), systemClock, lab.limitMs(SENT_LIMIT_MS));
    await cutLink(vm);
    try { judge(t, await timed(t, "the cut is noticed", () => run.ended), { host: "vm2", found: /connection.*(lost|closed)|no answer/i, nextStep: /run.*again/i }); }
    finally { await restoreLink(vm); }
    await timed(t, "the second run", () => kajiSucceeds(APPLY));
    t.is(await usersEngine(lab), engine);
    await timed(t, "kaji delete", () => kajiSucceeds(["delete", "--yes"]));
    t.is(await usersEngine(lab), engine, "and after kaji delete");
  });
}

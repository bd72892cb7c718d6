/** The units under a real systemd: ready when they say so, restarted when they hang, shut in as far as each allows, and stopped by a file that cannot be used. */
import type { TestFn } from "ava";
import { MASTER_DAEMONS, NODE_DAEMONS } from "../../../lib/install/host/daemon-flags.ts";
import { unitName } from "../../../lib/install/host/host-paths.ts";
import { until } from "../../../lib/install/wait.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { timed, vmTest, type VmLab } from "../lab.ts";
import type { Machine } from "../machines.ts";

/** The most that `systemd-analyze security` may say, in tenths; 10.0 is no shelter at all. */
const EXPOSURE_MAX: Record<string, number> = { "kube-apiserver": 25, "kube-controller-manager": 25, "kube-scheduler": 25, "kube-proxy": 40, kubelet: 75 };

const property = async (lab: VmLab, vm: Machine, daemon: string, name: string): Promise<string> => (await lab.sh(vm, `systemctl show --property=${name} --value ${unitName(daemon)}`)).trim();

export function registerUnits(test: TestFn, lab: () => VmLab): void {
  vmTest(test, lab, "systemd: every daemon has said that it is ready, and its unit is no more exposed than it must be", async (t, vms) => {
    for (const [vm, daemons] of [[vms.master, MASTER_DAEMONS], [vms.workers[0]!, NODE_DAEMONS]] as const) {
      for (const daemon of daemons) {
        t.is(await property(vms, vm, daemon, "SubState"), "running", daemon);
        const rating = /(\d+\.\d) [A-Z]+/.exec((await vms.sh(vm, `systemd-analyze security --no-pager ${unitName(daemon)} 2>/dev/null | tail -1`)))?.[1];
        t.log(`${daemon}: exposure ${rating ?? "unknown"}`);
        t.true(Number(rating) * 10 <= EXPOSURE_MAX[daemon]!, `${daemon}: ${rating}`);
      }
      t.is((await vms.sh(vm, `systemd-analyze verify --man=no ${daemons.map((daemon) => `/etc/systemd/system/${unitName(daemon)}`).join(" ")} 2>&1 | grep kaji- || true`)).trim(), "");
    }
  });

  vmTest(test, lab, "systemd: a daemon that hangs is killed by its watchdog and started anew", async (t, vms) => {
    for (const [vm, daemon] of [[vms.master, "kube-scheduler"], [vms.workers[0]!, "kubelet"]] as const) {
      const before = await property(vms, vm, daemon, "MainPID");
      await vms.sh(vm, `kill -STOP ${before}`);
      await timed(t, `${daemon} hung, then was ready again`, () => until(`${daemon} under another process id`, async () => {
        const [pid, state] = [await property(vms, vm, daemon, "MainPID"), await property(vms, vm, daemon, "SubState")];
        return pid !== before && pid !== "0" && state === "running" ? true : undefined;
      }, systemClock, 35_000 + vms.limitMs(30_000)));
      t.regex(await vms.sh(vm, `journalctl -u ${unitName(daemon)} --no-pager -o cat`), /Watchdog timeout/);
    }
  });

  vmTest(test, lab, "systemd: a file that cannot be used stops the daemon with its line and field, once, until it is mended", async (t, vms) => {
    const vm = vms.master, file = "/etc/kaji/kube-controller-manager.yaml", unit = unitName("kube-controller-manager");
    await vms.sh(vm, `cp ${file} /root/kept.yaml; echo 'cluster-cdir: 10.0.0.0/8' >> ${file}; systemctl restart ${unit} || true`);
    t.is(await property(vms, vm, "kube-controller-manager", "ActiveState"), "failed");
    t.regex(await vms.sh(vm, `journalctl -u ${unit} --no-pager -o cat -n 20`), /Error: Cannot use \/etc\/kaji\/kube-controller-manager\.yaml, line \d+: unknown field "cluster-cdir"; did you mean "cluster-cidr"\?/);
    await vms.sh(vm, `mv /root/kept.yaml ${file}; systemctl restart ${unit}`);
    t.is(await property(vms, vm, "kube-controller-manager", "SubState"), "running");
  });
}

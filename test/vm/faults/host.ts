/** Hosts that can be reached and cannot be made members as they are. */
import type { TestFn } from "ava";
import { vmTest, type VmLab } from "../lab.ts";
import { writeClusterFile, kaji } from "../operator.ts";
import { APPLY, applyIsRefused, judge, oneHost, untouched } from "./refusal.ts";

const DAY_S = 86_400;

export function registerHostFaults(test: TestFn, lab: () => VmLab): void {
  vmTest(test, lab, "a full disk is told with what is free and what is wanted", async (t, lab) => {
    const vm = lab.master;
    await lab.sh(vm, "free=$(($(stat -f -c '%a * %S / 1048576' /var/lib))); fallocate -l $((free - 150))M /var/lib/of-the-user");
    try { await applyIsRefused(t, lab, oneHost(lab), { host: "vm1", found: /\d+ MiB free/, nextStep: /free some space/ }); }
    finally { await lab.sh(vm, "rm /var/lib/of-the-user"); }
  });

  vmTest(test, lab, "a clock that is off by a day is told, with the way to set it", async (t, lab) => {
    const vm = lab.master, shift = (seconds: number): Promise<string> => lab.sh(vm, `date -s "@$(($(date +%s) + ${seconds}))" >/dev/null`);
    await shift(DAY_S);
    try { await applyIsRefused(t, lab, oneHost(lab), { host: "vm1", found: /clock is \d+ (s|h|days?) ahead/, nextStep: /timedatectl set-ntp true/ }); }
    finally { await shift(-DAY_S); }
  });

  vmTest(test, lab, "two hosts with one name are told before either is changed", async (t, lab) => {
    const vm = lab.workers[0]!;
    await lab.sh(vm, "hostname vm1");
    try {
      judge(t, await kaji(["apply", "--master", `root@${lab.master.address}`, "--worker", `root@${vm.address}`, "--accept-new-host-keys"]), { host: vm.address, found: /have the same name "vm1"/, nextStep: /hostnamectl set-hostname/ });
      await untouched(t, lab);
    } finally { await lab.sh(vm, "hostname vm2"); }
  });

  vmTest(test, lab, "a port that is taken is told with who holds it, who goes on", async (t, lab) => {
    const vm = lab.master;
    await lab.sh(vm, "systemd-run --quiet --unit=of-the-user /usr/sbin/sshd -D -p 10257");
    writeClusterFile(oneHost(lab), lab.image.bundle);
    judge(t, await kaji(APPLY), { host: "vm1", found: /port 10257.*taken by process \d+ \(sshd/s, nextStep: /stop/ });
    t.is((await lab.sh(vm, "systemctl is-active of-the-user")).trim(), "active");
    t.is(await lab.sh(vm, "ls /etc/systemd/system | grep kaji; ls -d /etc/kaji 2>/dev/null; true"), "", "it was made no master");
    await lab.sh(vm, "systemctl stop of-the-user");
  });
}

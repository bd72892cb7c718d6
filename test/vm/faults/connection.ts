/** Faults met before a word is exchanged with the host, or while logging in. */
import type { TestFn } from "ava";
import { renameSync, rmSync } from "node:fs";
import path from "node:path";
import { ALICE_PASSWORD } from "../image.ts";
import { vmTest, type VmLab } from "../lab.ts";
import { HOME, KNOWN_HOSTS } from "../operator.ts";
import { applyIsRefused, oneHost } from "./refusal.ts";

const KEY = path.join(HOME, ".ssh/id_ed25519"), AWAY = path.join(HOME, "key-away");

export function registerConnectionFaults(test: TestFn, lab: () => VmLab): void {
  vmTest(test, lab, "an unknown host key is shown, and nothing is said to the host before it is accepted", async (t, lab) => {
    await applyIsRefused(t, lab, oneHost(lab), { host: "vm1", found: /host key is not known yet: \S+ SHA256:/, nextStep: /--accept-new-host-keys/ }, {}, ["apply"]);
  });

  vmTest(test, lab, "a wrong password is told with the host's name", async (t, lab) => {
    renameSync(KEY, AWAY);
    try { await applyIsRefused(t, lab, oneHost(lab, { user: "alice" }), { host: "vm1", found: /the password of user "alice" was refused/, nextStep: /run again with the right one, or .*authorized_keys|ssh-copy-id/ }, { KAJI_SSH_PASSWORD: "wrong" }); }
    finally { renameSync(AWAY, KEY); }
  });

  vmTest(test, lab, "a user who may not use sudo, and one whose password sudo does not take, are told so", async (t, lab) => {
    await lab.sh(lab.master, `echo 'guest:${ALICE_PASSWORD}' | chpasswd`);
    await applyIsRefused(t, lab, oneHost(lab, { user: "guest" }), { host: "vm1", found: /user "guest" (may not|is not)|not in the sudoers/, nextStep: /sudoers|root/ }, { KAJI_SUDO_PASSWORD: ALICE_PASSWORD });
    await applyIsRefused(t, lab, oneHost(lab, { user: "alice" }), { host: "vm1", found: /sudo.*password|password.*sudo/i, nextStep: /KAJI_SUDO_PASSWORD|password/ }, { KAJI_SUDO_PASSWORD: "wrong" });
  });

  vmTest(test, lab, "a host that nobody answers for is named, with its address", async (t, lab) => {
    await applyIsRefused(t, lab, oneHost(lab, { name: "nobody", address: "10.99.0.99" }), { host: "nobody", found: /10\.99\.0\.99.*no (answer|route)/s, nextStep: /check/ });
  });

  vmTest(test, lab, "a host whose key has changed is never talked to", async (t, lab) => {
    const vm = lab.master;
    await lab.sh(vm, "rm /etc/ssh/ssh_host_*; ssh-keygen -A >/dev/null; systemctl restart ssh");
    rmSync(path.join(vm.folder, "known_hosts"), { force: true }); // Of the test itself.
    await applyIsRefused(t, lab, oneHost(lab), { host: "vm1", found: /host key has CHANGED/, nextStep: /ssh-keygen -R/ });
    rmSync(KNOWN_HOSTS);
  });
}

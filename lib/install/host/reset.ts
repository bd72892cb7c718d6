/**
 * `kaji reset`: takes away from this host everything `init` and `join` made: pods, daemons, rules, links, mounts, files, packages that came with them.
 * Works on a half-made host too, and does nothing where there is nothing. Counterpart: kubeadm reset, which leaves rules and CNI files to people.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { CriClient } from "../../cri/client.ts";
import { exec } from "../../util/exec.ts";
import { selfCommand } from "../../util/self.ts";
import type { Progress } from "../progress.ts";
import { INSTALLED_FILE } from "./bundle.ts";
import { MASTER_DAEMONS } from "./daemon-flags.ts";
import { HOST_PATHS } from "./host-paths.ts";
import { removeUnits } from "./systemd.ts";

const DIRECTORIES = [HOST_PATHS.config, HOST_PATHS.data, "/run/kaji", "/var/lib/kubelet", "/var/log/pods", "/var/log/containers", "/var/lib/cni"];

/** Ends every pod of our containerd. Returns how many there were. */
async function removePods(): Promise<number> {
  if (!existsSync(HOST_PATHS.containerdSocket)) return 0;
  const cri = new CriClient(`unix://${HOST_PATHS.containerdSocket}`);
  try {
    const { items } = await cri.call("ListPodSandbox", {});
    for (const { id } of items) {
      await cri.call("StopPodSandbox", { podSandboxId: id });
      await cri.call("RemovePodSandbox", { podSandboxId: id });
    }
    return items.length;
  } finally { cri.close(); }
}

/** What is mounted below our directories, innermost first. */
async function unmountAll(): Promise<void> {
  const targets = readFileSync("/proc/self/mountinfo", "utf8").split("\n").map((line) => line.split(" ")[4] ?? "").filter((target) => DIRECTORIES.some((directory) => target.startsWith(`${directory}/`)));
  for (const target of targets.toReversed()) await exec("umount", ["-l", target]);
}

async function removePackages(): Promise<string[]> {
  const packages = existsSync(INSTALLED_FILE) ? readFileSync(INSTALLED_FILE, "utf8").split("\n").filter(Boolean) : [];
  if (packages.length > 0) await exec("dpkg", ["--purge", ...packages], { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
  return packages;
}

/** `keepPackages`: what was installed with us stays. */
export async function reset(options: { keepPackages: boolean }, deps: { progress: Progress }): Promise<void> {
  const { progress } = deps;
  await progress.step("stop daemons", async () => { const stopped = await removeUnits(["kubelet", ...MASTER_DAEMONS.toReversed(), "kube-proxy"]); return stopped.length === 0 ? "none ran" : stopped.join(" "); });
  await progress.step("stop pods", async () => {
    const ended = await removePods();
    await exec("systemctl", ["stop", "kubepods.slice"]).catch(() => undefined); // With the cgroupfs driver there is none.
    return `${ended} ended`;
  });
  await progress.step("network", async () => {
    if (!existsSync("/usr/sbin/iptables-restore")) return "no rules";
    const self = selfCommand(["kube-proxy", "--cleanup"]);
    await exec(self.command, self.args);
    return "rules, routes and links removed";
  });
  await progress.step("containerd", async () => { await removeUnits(["containerd"]); });
  await progress.step("packages", async () => { const gone = options.keepPackages ? [] : await removePackages(); return gone.length === 0 ? "none to remove" : `${gone.length} removed`; });
  await progress.step("files", async () => {
    await unmountAll();
    for (const directory of DIRECTORIES) rmSync(directory, { recursive: true, force: true });
    for (const directory of ["/etc/cni/net.d", "/etc/cni"]) if (existsSync(directory) && readdirSync(directory).length === 0) rmSync(directory, { recursive: true });
    rmSync(path.join(HOST_PATHS.binary), { force: true });
  });
}

/**
 * `kaji reset`: takes away from this host everything `init` and `join` made: pods, daemons, rules, links, routes, mounts, settings, files, packages that
 * came with them. Works on a half-made host too, run again it finishes, and it does nothing where there is nothing.
 * Counterpart: kubeadm reset, which leaves rules and CNI files to people.
 */
import { existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import path from "node:path";
import { CriClient } from "../../cri/client.ts";
import { readSysctl, writeSysctl } from "../../host/sysctl.ts";
import { exec } from "../../util/exec.ts";
import { selfCommand } from "../../util/self.ts";
import { findProgram } from "../packages.ts";
import type { Progress } from "../progress.ts";
import { MODULES_FILE, SYSCTL_FILE } from "./checks/fix.ts";
import { ENGINE_UNITS } from "./checks/neighbours.ts";
import { MASTER_DAEMONS } from "./daemon-flags.ts";
import { forgetTables, readHostBefore } from "./host-before.ts";
import { HOST_PATHS, unitName } from "./host-paths.ts";
import { unloadModules } from "./kernel-modules.ts";
import { forgetConnections, killShims, removeEmpty, removePodNetworks, removeSets, removeShimSockets, unmountBelow } from "./leftovers.ts";
import { removePackages } from "./remove-packages.ts";
import { sysctlsToRestore } from "./sysctls.ts";
import { removeUnits } from "./systemd.ts";

const DIRECTORIES = [HOST_PATHS.config, HOST_PATHS.data, "/run/kaji", "/var/lib/kubelet", "/var/log/pods", "/var/log/containers"];
/** Removed when nobody else has anything in them. */
const SHARED = ["/etc/cni/net.d", "/etc/cni", "/var/lib/cni", "/run/containerd", "/run/netns"];
const POD_TIMEOUT_MS = 60_000;

/** Ends every pod of our containerd. Returns how many there were; throws when it does not answer. */
async function removePods(): Promise<number> {
  if (existsSync(path.join(HOST_PATHS.units, unitName("containerd")))) await exec("systemctl", ["start", unitName("containerd")]);
  if (!existsSync(HOST_PATHS.containerdSocket)) return 0;
  const cri = new CriClient(`unix://${HOST_PATHS.containerdSocket}`), deadlineMs = POD_TIMEOUT_MS;
  try {
    const { items } = await cri.call("ListPodSandbox", {}, { deadlineMs });
    for (const { id } of items) {
      await cri.call("StopPodSandbox", { podSandboxId: id }, { deadlineMs });
      await cri.call("RemovePodSandbox", { podSandboxId: id }, { deadlineMs });
    }
    return items.length;
  } finally { cri.close(); }
}

/** What the configuration of a host says that its rules, routes and addresses follow from. Reads the files as text: reset must work on damaged ones. Pure. */
export function networkOf(texts: readonly string[]): { dns: string | undefined; ranges: string[] } {
  const value = (...names: string[]): string | undefined => texts.map((text) => new RegExp(`(?:${names.join("|")})["']?\\s*[=:]\\s*\\[?(?:\\s*-\\s)?\\s*["']?([0-9a-fA-F.:/]+)`).exec(text)?.[1]).find((found) => found !== undefined);
  return { dns: value("cluster-dns", "clusterDNS"), ranges: [value("cluster-cidr", "clusterCIDR"), value("service-cluster-ip-range", "serviceClusterIPRange")].filter((each) => each !== undefined) };
}

async function removeNetwork(): Promise<void> {
  const texts = existsSync(HOST_PATHS.config) ? readdirSync(HOST_PATHS.config).filter((file) => /\.(env|ya?ml)$/.test(file)).map((file) => readFileSync(path.join(HOST_PATHS.config, file), "utf8")) : [];
  const { dns, ranges } = networkOf(texts), self = selfCommand(["kube-proxy", "--cleanup", ...(dns === undefined ? [] : [`--cluster-dns=${dns}`])]);
  if ((await findProgram("ip")) !== undefined) await exec(self.command, self.args); // Where it is missing nothing was made.
  await removePodNetworks("kaji");
  await removeSets();
  await forgetConnections([...ranges, ...(dns === undefined ? [] : [dns])]);
  await forgetTables();
}

/** Settings and modules as they were before, and no file that sets them at boot. */
async function restoreKernel(): Promise<string> {
  const { sysctls: before, modules } = readHostBefore(), now = Object.fromEntries(await Promise.all(Object.keys(before).map(async (name) => [name, await readSysctl(name)] as const)));
  const engine = await Promise.all(Object.keys(ENGINE_UNITS).map((unit) => exec("systemctl", ["is-active", "--quiet", unit]).then(() => true, () => false))), wanted = sysctlsToRestore(before, now, engine.includes(true));
  for (const [name, value] of wanted) await writeSysctl(name, value).catch(() => undefined); // Taken away with its module meanwhile.
  for (const file of [MODULES_FILE, SYSCTL_FILE]) rmSync(file, { force: true });
  // With another engine here, who knows whose they are by now.
  const unloaded = modules === undefined || engine.includes(true) ? 0 : await unloadModules(modules);
  const did = [...(wanted.length === 0 ? [] : [`${wanted.length} settings put back`]), ...(unloaded === 0 ? [] : [`${unloaded} modules unloaded`])];
  return did.length === 0 ? "as before" : did.join(", ");
}

/** `keepPackages`: what was installed with us stays. */
export async function reset(options: { keepPackages: boolean }, deps: { progress: Progress }): Promise<void> {
  const { progress } = deps;
  await progress.step("stop daemons", async () => { const stopped = await removeUnits(["kubelet", ...MASTER_DAEMONS.toReversed(), "kube-proxy"]); return stopped.length === 0 ? "none ran" : stopped.join(" "); });
  await progress.step("stop pods", async () => {
    // A containerd that cannot be asked keeps nothing here: its shims are ended below.
    const ended = await removePods().catch((error: unknown) => `containerd did not end them (${(error as Error).message})`);
    await exec("systemctl", ["stop", "kubepods.slice"]).catch(() => undefined); // With the cgroupfs driver there is none.
    return typeof ended === "string" ? ended : `${ended} ended`;
  });
  await progress.step("containerd", async () => { await removeUnits(["containerd"]); killShims(); });
  await progress.step("network", async () => { await removeNetwork(); return "rules, routes and links removed"; });
  await progress.step("kernel settings", restoreKernel);
  await progress.step("packages", async () => {
    const { removed, kept } = options.keepPackages ? { removed: [], kept: [] } : await removePackages();
    return `${removed.length === 0 ? "none to remove" : `${removed.length} removed`}${kept.length === 0 ? "" : `, kept since others need them: ${kept.join(" ")}`}`;
  });
  await progress.step("files", async () => {
    await unmountBelow(DIRECTORIES);
    for (const directory of DIRECTORIES) rmSync(directory, { recursive: true, force: true });
    removeShimSockets();
    for (const directory of SHARED) removeEmpty(directory);
    rmSync(HOST_PATHS.binary, { force: true });
  });
}

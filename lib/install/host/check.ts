/** What must hold before a host becomes part of a cluster. Only reads. Counterpart: kubeadm `preflight`. */
import { existsSync } from "node:fs";
import { readFile, stat, statfs } from "node:fs/promises";
import { hostname } from "node:os";
import { exec } from "../../util/exec.ts";
import { type Finding, listenerOf } from "../preflight.ts";
import { unitName } from "./host-paths.ts";

export type HostRole = "master" | "worker";
export class CheckError extends Error { override readonly name = "CheckError"; }
const MIB = 1024 ** 2, DISK_MIN_MIB = 1024, MEMORY_MIN_MIB = 700;
/** Ports by daemon: one that is taken by our own running daemon is fine. */
const PORTS: Record<HostRole, readonly [number, string][]> = {
  master: [[10_257, "kube-controller-manager"], [10_259, "kube-scheduler"]], worker: [[10_250, "kubelet"], [10_248, "kubelet"], [10_256, "kube-proxy"], [10_249, "kube-proxy"]],
};

const error = (problem: string, advice: string): Finding => ({ severity: "error", problem, advice });
const warning = (problem: string, advice: string): Finding => ({ severity: "warning", problem, advice });

async function checkPorts(role: HostRole, apiPort: number): Promise<Finding[]> {
  const findings: Finding[] = [], wanted: [number, string][] = [...(role === "master" ? [[apiPort, "kube-apiserver"] as [number, string]] : []), ...PORTS[role]];
  for (const [port, daemon] of wanted) {
    const holder = await listenerOf(port);
    if (holder === undefined || (await exec("systemctl", ["is-active", "--quiet", unitName(daemon)]).then(() => true, () => false))) continue;
    findings.push(error(`port ${port}, which ${daemon} needs, is taken by process ${holder.pid} (${holder.command})`, "stop it"));
  }
  return findings;
}

async function checkMachine(): Promise<Finding[]> {
  const findings: Finding[] = [], read = (file: string): Promise<string> => readFile(file, "utf8").catch(() => "");
  if (!(await stat("/run/systemd/system").then(() => true, () => false))) findings.push(error("systemd does not run this host", "use a distribution with systemd"));
  const disk = await statfs("/var/lib"), freeMib = Math.floor(disk.bavail * disk.bsize / MIB);
  if (freeMib < DISK_MIN_MIB) findings.push(error(`/var/lib has ${freeMib} MiB free, wanted at least ${DISK_MIN_MIB}`, "free some space"));
  const memoryMib = Math.floor(Number(/^MemTotal:\s+(\d+)/m.exec(await read("/proc/meminfo"))?.[1] ?? 0) / 1024);
  if (memoryMib < MEMORY_MIN_MIB) findings.push(warning(`the host has ${memoryMib} MiB of memory, wanted at least ${MEMORY_MIN_MIB}`, "expect pods to be evicted"));
  if (!/^[0-9a-f]{32}$/.test((await read("/etc/machine-id")).trim())) findings.push(error("/etc/machine-id is missing or empty", 'run "systemd-machine-id-setup"'));
  const loopback = (await read("/etc/hosts")).split("\n").find((line) => /^\s*127\.0\.1\.1\s/.test(line) && line.split(/\s+/).includes(hostname()));
  if (loopback !== undefined) findings.push(warning(`/etc/hosts says that ${hostname()} is 127.0.1.1`, "harmless here, since addresses are chosen from interfaces; remove the line when other programs are misled by it"));
  if ((await read("/proc/swaps")).trim().split("\n").length > 1) findings.push(warning("swap is on", 'pods may be slow when memory is short; "swapoff -a" turns it off'));
  return findings;
}

async function checkNode(): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const module of ["overlay", "br_netfilter"]) {
    const there = module === "overlay" ? /\boverlay\b/.test(await readFile("/proc/filesystems", "utf8")) : existsSync("/proc/sys/net/bridge");
    // modprobe may come only with our packages; the containerd unit loads the modules then.
    if (!there && (await exec("modprobe", ["-n", module]).then(() => false, (e: unknown) => (e as { exitCode?: number }).exitCode === 1))) findings.push(error(`the kernel has no module "${module}"`, "install the kernel's modules"));
  }
  if (await exec("systemctl", ["is-active", "--quiet", "kubelet.service"]).then(() => true, () => false)) findings.push(error("another kubelet runs on this host (kubelet.service)", "take this host out of its other cluster first"));
  return findings;
}

/** All findings, errors first. */
export async function hostFindings(role: HostRole, apiPort: number): Promise<Finding[]> {
  const findings = (await Promise.all([checkPorts(role, apiPort), checkMachine(), role === "worker" ? checkNode() : []])).flat();
  return findings.toSorted((a, b) => a.severity.localeCompare(b.severity));
}

/** Throws CheckError with every error that was found. */
export async function checkHost(role: HostRole, apiPort: number): Promise<void> {
  const errors = (await hostFindings(role, apiPort)).filter((finding) => finding.severity === "error");
  if (errors.length > 0) throw new CheckError(`Cannot make ${hostname()} a ${role}:\n${errors.map((each) => `  - ${each.problem}: ${each.advice}`).join("\n")}`);
}

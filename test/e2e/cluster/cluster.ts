/** A real cluster on this machine, driven by its commands as a user would. */
import { chmodSync, copyFileSync, existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { exec, ExecError } from "../../../lib/util/exec.ts";
import { createClient } from "../../../lib/client/http-client.ts";
import type { Client } from "../../../lib/client/client.ts";
import { loadKubeconfig } from "../../../lib/client/kubeconfig.ts";
import { clientProgram, kubectlFor, type KubectlResult } from "../../kubectl.ts";
import { startProgram, type RunningProgram } from "../../running-program.ts";

export const root = path.resolve(import.meta.dirname, "../../..");
const node = path.join(root, "node_modules/.bin/node");
const kajiMain = path.join(root, "cmd/kaji/main.ts");
export const ADMIN_KUBECONFIG = "/etc/kaji/admin.conf";

export interface CommandResult { code: number; stdout: string; stderr: string }
/** Runs `kaji …`; never throws for its exit code. */
export async function kaji(...args: string[]): Promise<CommandResult> {
  try { return { code: 0, ...(await exec(node, [kajiMain, ...args], { timeoutMs: 300_000 })) }; }
  catch (error) {
    if (error instanceof ExecError) return { code: error.exitCode, stdout: error.stdout, stderr: error.stderr };
    throw error;
  }
}

export function requireRoot(): void {
  if (process.getuid!() !== 0) throw new Error("The end-to-end tests need root: network namespaces, containerd and iptables are the real ones");
}

export const apiClient = (): Client => createClient(loadKubeconfig(ADMIN_KUBECONFIG, { component: "e2e" }));

export type Kubectl = (args: readonly string[], options?: { input?: string; timeoutMs?: number }) => Promise<KubectlResult>;
export async function kubectl(): Promise<Kubectl> {
  const { HOME, KUBECONFIG } = sessionEnvironment();
  return kubectlFor(KUBECONFIG, HOME);
}

/** A home and a kubeconfig a session may change: the cluster's own file stays as it is. */
export function sessionEnvironment(): { HOME: string; KUBECONFIG: string } {
  const home = path.join(root, "node_modules/.cache/kubectl-home"), copy = path.join(home, "config");
  mkdirSync(home, { recursive: true });
  copyFileSync(ADMIN_KUBECONFIG, copy);
  chmodSync(copy, 0o600);
  return { HOME: home, KUBECONFIG: copy };
}

/** kubectl as a running process, for commands that go on (logs -f, port-forward, get -w). */
export async function kubectlProcess(...args: string[]): Promise<RunningProgram> {
  return startProgram(await clientProgram("kubectl"), args, { env: { PATH: process.env["PATH"], HOME: "/nonexistent", KUBECONFIG: ADMIN_KUBECONFIG } });
}

/** Fails loudly, naming the log, when a command did not succeed. */
export function expectSuccess(result: CommandResult, what: string): CommandResult {
  if (result.code !== 0) throw new Error(`${what} ended with ${result.code}\n--- stdout\n${result.stdout.slice(-4_000)}\n--- stderr\n${result.stderr.slice(-4_000)}`);
  return result;
}

export const hostExists = (name: string): boolean => existsSync(`/run/kaji/ns/${name}/net`);

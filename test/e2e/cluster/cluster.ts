/** A real cluster on this machine, driven by its commands as a user would. */
import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { exec, ExecError } from "../../../lib/util/exec.ts";
import { createClient } from "../../../lib/client/http-client.ts";
import type { Client } from "../../../lib/client/client.ts";
import { loadKubeconfig } from "../../../lib/client/kubeconfig.ts";
import { clientProgram, kubectlFor, type KubectlResult } from "../../kubectl.ts";

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
export async function kubectlProcess(...args: string[]): Promise<{ child: ChildProcess; output: () => string; until: (pattern: RegExp) => Promise<string>; stop: () => Promise<void> }> {
  const child = spawn(await clientProgram("kubectl"), args, { stdio: ["pipe", "pipe", "pipe"], env: { PATH: process.env["PATH"], HOME: "/nonexistent", KUBECONFIG: ADMIN_KUBECONFIG } });
  let text = "";
  const waiting = new Set<() => void>();
  const take = (chunk: Buffer): void => { text += chunk.toString(); for (const wake of waiting) wake(); };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  const ended = new Promise<void>((resolve) => { child.once("exit", () => { resolve(); for (const wake of waiting) wake(); }); });
  return {
    child,
    output: () => text,
    until: (pattern) => new Promise((resolve, reject) => {
      const timer = setTimeout(() => { waiting.delete(check); reject(new Error(`kubectl ${args.join(" ")} never printed ${pattern}; it printed: ${text.slice(-2_000)}`)); }, 60_000);
      const check = (): void => {
        if (pattern.test(text)) { clearTimeout(timer); waiting.delete(check); resolve(text); }
        else if (child.exitCode !== null) { clearTimeout(timer); waiting.delete(check); reject(new Error(`kubectl ${args.join(" ")} ended with ${child.exitCode}: ${text.slice(-2_000)}`)); }
      };
      waiting.add(check);
      check();
    }),
    stop: async () => { child.kill("SIGTERM"); await ended; },
  };
}

/** Fails loudly, naming the log, when a command did not succeed. */
export function expectSuccess(result: CommandResult, what: string): CommandResult {
  if (result.code !== 0) throw new Error(`${what} ended with ${result.code}\n--- stdout\n${result.stdout.slice(-4_000)}\n--- stderr\n${result.stderr.slice(-4_000)}`);
  return result;
}

export const hostExists = (name: string): boolean => existsSync(`/run/kaji/ns/${name}/net`);

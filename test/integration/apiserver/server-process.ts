/** kube-apiserver as a process of its own, over a store that outlives it. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

const MAIN = path.resolve(import.meta.dirname, "../../../cmd/kube-apiserver/main.ts");

export interface ServerProcess {
  readonly child: ChildProcess;
  /** What it wrote on both streams so far. */
  readonly output: { text: string };
  /** The exit code. */
  readonly exited: Promise<number>;
  /** Its URL, once it answers; rejects when it ends before. */
  readonly ready: Promise<string>;
}

/** Starts the command with any flags. */
export function runServer(args: readonly string[]): ServerProcess {
  const child = spawn(process.execPath, ["--no-warnings", MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const output = { text: "" };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part: Buffer) => { output.text += part.toString(); });
  const exited = once(child, "exit").then(([code]) => code as number);
  const ready = new Promise<string>((resolve, reject) => {
    child.stderr.on("data", () => { const url = /"url":"([^"]+)".*READY/.exec(output.text)?.[1]; if (url !== undefined) resolve(url); });
    void exited.then((code) => reject(new Error(`exit ${code}: ${output.text}`)));
  });
  ready.catch(() => {});
  return { child, output, exited, ready };
}

/** Flags of a server whose certificates, `tokens.csv` and data are in `dir`. */
export function serverFlags({ dir, port }: { dir: string; port: number }): string[] {
  const file = (name: string): string => path.join(dir, name);
  return [
    "--advertise-address=192.0.2.1", "--bind-address=127.0.0.1", `--secure-port=${port}`, `--data-file=${file("state.db")}`, `--tls-cert-file=${file("apiserver.crt")}`, `--tls-private-key-file=${file("apiserver.key")}`,
    `--client-ca-file=${file("ca.crt")}`, `--service-account-signing-key-file=${file("sa.key")}`, "--service-account-issuer=https://kubernetes.default.svc", `--token-auth-file=${file("tokens.csv")}`, "--authorization-mode=RBAC",
  ];
}
export const startServerProcess = (where: { dir: string; port: number }): ServerProcess => runServer(serverFlags(where));

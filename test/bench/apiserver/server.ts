/** The server that is measured: its own process, real certificates, durable SQLite, RBAC, admission, validation, a bearer token. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { ensureClusterPki } from "../../../lib/pki/cluster-pki.ts";

export const exec = promisify(execFile);
export const TOKEN = "bench-token", PORT = 17_443;
export const URL_BASE = `https://127.0.0.1:${PORT}`;
export const HEADERS = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };

export interface Server { readonly child: ChildProcess; readonly dir: string; readonly readyMs: number }

const newFolder = (): string => mkdtempSync(path.join(tmpdir(), "kaji-bench-"));
/** Removes what a server left behind. */
export const remove = ({ dir }: Server): void => rmSync(dir, { recursive: true, force: true });

const ROOT = path.resolve(import.meta.dirname, "../../.."), NODE_ARGS = (process.env["BENCH_NODE_ARGS"] ?? "").split(" ").filter((each) => each !== "");
/** The release, as it is installed. With BENCH_NODE_ARGS (a profiler's, say) the source under that Node. */
const COMMAND: readonly string[] = NODE_ARGS.length === 0 ? [path.join(ROOT, "dist/kaji"), "kube-apiserver"] : [process.execPath, ...NODE_ARGS, "--no-warnings", path.join(ROOT, "cmd/kube-apiserver/main.ts")];

/** Builds what is measured. */
export async function buildProgram(): Promise<void> {
  if (NODE_ARGS.length === 0) await exec(process.execPath, [path.join(ROOT, "cmd/kaji/build.ts"), process.arch], { cwd: ROOT });
}

/** Starts it over what `dir` holds; over an empty store in a new folder without. */
export async function start(dir = newFolder()): Promise<Server> {
  const file = (name: string): string => path.join(dir, name);
  ensureClusterPki({ dir, advertiseAddresses: ["127.0.0.1"], serviceNames: ["kubernetes.default.svc"], clock: { now: () => new Date() } });
  writeFileSync(file("tokens.csv"), `${TOKEN},bench,1,"kubeadm:cluster-admins"\n`);
  const started = performance.now();
  const [command, ...args] = COMMAND;
  const child = spawn(command!, [
    ...args, "--advertise-address=192.0.2.1", "--bind-address=127.0.0.1", `--secure-port=${PORT}`, `--data-file=${file("state.db")}`,
    `--tls-cert-file=${file("apiserver.crt")}`, `--tls-private-key-file=${file("apiserver.key")}`, `--client-ca-file=${file("ca.crt")}`,
    `--service-account-key-file=${file("sa.pub")}`, `--service-account-signing-key-file=${file("sa.key")}`, "--service-account-issuer=https://kubernetes.default.svc",
    "--service-cluster-ip-range=10.96.0.0/16", "--authorization-mode=Node,RBAC", `--token-auth-file=${file("tokens.csv")}`,
  ], { stdio: ["ignore", "ignore", "pipe"] });
  let text = "";
  await new Promise<void>((resolve, reject) => {
    child.stderr!.on("data", (part: Buffer) => { text += part.toString(); if (text.includes("READY")) resolve(); });
    child.once("exit", () => reject(new Error(`Cannot bench kube-apiserver: it ended\n${text}`)));
  });
  return { child, dir, readyMs: performance.now() - started };
}

/** Ends it; its data stay. */
export async function stop({ child }: Server): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
}

/** A POST that must succeed. */
export async function post(where: string, body: object): Promise<void> {
  const { stdout } = await exec("curl", ["-sk", "-o", "/dev/null", "-w", "%{http_code}", ...Object.entries(HEADERS).flatMap(([name, value]) => ["-H", `${name}: ${value}`]), "-d", JSON.stringify(body), URL_BASE + where]);
  if (stdout !== "201") throw new Error(`Cannot prepare the bench: POST ${where} answered ${stdout}`);
}

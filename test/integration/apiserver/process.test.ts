/** The command itself: flags, READY, data that outlives it. */
import test from "ava";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { ensureClusterPki } from "../../../lib/pki/cluster-pki.ts";

const MAIN = path.resolve(import.meta.dirname, "../../../cmd/kube-apiserver/main.ts");

function run(args: readonly string[]) {
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

function get(url: string, ca: string, token: string, method = "GET", body?: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = https.request(url, { method, ca, agent: false, headers: { authorization: `Bearer ${token}`, "content-type": "application/json" } }, (response) => {
      let text = "";
      response.on("data", (part: Buffer) => { text += part.toString(); }).on("end", () => resolve({ status: response.statusCode!, text }));
    });
    request.on("error", reject);
    request.end(body);
  });
}

test("what was acknowledged is there after SIGTERM and after SIGKILL", async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), "kaji-apiserver-")), file = (name: string) => path.join(dir, name);
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const { ca } = ensureClusterPki({ dir, advertiseAddresses: ["127.0.0.1"], serviceNames: ["kubernetes"], clock: { now: () => new Date() } });
  writeFileSync(file("tokens.csv"), 'secret,admin,1,"system:masters"\n');
  const port = 20_000 + (process.pid % 20_000);
  const args = [
    "--advertise-address=192.0.2.1", "--bind-address=127.0.0.1", `--secure-port=${port}`, `--data-file=${file("state.db")}`, `--tls-cert-file=${file("apiserver.crt")}`, `--tls-private-key-file=${file("apiserver.key")}`,
    `--client-ca-file=${file("ca.crt")}`, `--service-account-signing-key-file=${file("sa.key")}`, "--service-account-issuer=https://kubernetes.default.svc", `--token-auth-file=${file("tokens.csv")}`, "--authorization-mode=Node,RBAC", "--service-cluster-ip-range=10.96.0.0/16",
  ];
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const server = run(args), url = await server.ready;
    const created = await get(`${url}/api/v1/namespaces/default/configmaps`, ca.certificatePem, "secret", "POST", JSON.stringify({ metadata: { name: signal.toLowerCase() } }));
    t.is(created.status, 201, created.text);
    if (signal === "SIGTERM") {
      const second = run(args.map((arg) => (arg.startsWith("--data-file") ? `--data-file=${file("other.db")}` : arg)));
      t.is(await second.exited, 1);
      t.true(second.output.text.includes(`Cannot serve on \\"127.0.0.1:${port}\\": another program has the port`), second.output.text);
    }
    server.child.kill(signal);
    const code = await server.exited;
    if (signal === "SIGTERM") t.is(code, 0, server.output.text);
  }
  const last = run(args), url = await last.ready;
  const { items } = JSON.parse((await get(`${url}/api/v1/namespaces/default/configmaps`, ca.certificatePem, "secret")).text) as { items: { metadata: { name: string } }[] };
  t.deepEqual(items.map(({ metadata }) => metadata.name), ["sigkill", "sigterm"]);
  last.child.kill("SIGTERM");
  t.is(await last.exited, 0);
});

test("flags that cannot be are refused by name", async (t) => {
  for (const [args, message] of [
    [["--etcd-servers=http://x"], "--etcd-servers is not supported by this release"],
    [["--bogus"], "unknown flag: --bogus"],
    [[], "--tls-cert-file and --tls-private-key-file are required"],
  ] as const) {
    const { exited, output } = run(args);
    t.is(await exited, 1);
    t.true(output.text.includes(message), output.text);
  }
  const help = run(["--help"]);
  t.is(await help.exited, 0);
  t.regex(help.output.text, /--service-cluster-ip-range/);
});

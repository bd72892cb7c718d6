/** The command itself: flags, READY, data that outlives it. */
import test from "ava";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { ensureClusterPki } from "../../../lib/pki/cluster-pki.ts";
import { freePort } from "../../free-port.ts";
import { runServer, serverFlags } from "./server-process.ts";

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
  const args = serverFlags({ dir, port: await freePort() }), port = args.find((arg) => arg.startsWith("--secure-port="))!.split("=")[1]!;
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    const server = runServer(args), url = await server.ready;
    const created = await get(`${url}/api/v1/namespaces/default/configmaps`, ca.certificatePem, "secret", "POST", JSON.stringify({ metadata: { name: signal.toLowerCase() } }));
    t.is(created.status, 201, created.text);
    if (signal === "SIGTERM") {
      const second = runServer(args.map((arg) => (arg.startsWith("--data-file") ? `--data-file=${file("other.db")}` : arg)));
      t.is(await second.exited, 1);
      t.true(second.output.text.includes(`Cannot serve on \\"127.0.0.1:${port}\\": another program has the port`), second.output.text);
    }
    server.child.kill(signal);
    const code = await server.exited;
    if (signal === "SIGTERM") t.is(code, 0, server.output.text);
  }
  const last = runServer(args), url = await last.ready;
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
    const { exited, output } = runServer(args);
    t.is(await exited, 1);
    t.true(output.text.includes(message), output.text);
  }
  const help = runServer(["--help"]);
  t.is(await help.exited, 0);
  t.regex(help.output.text, /--service-cluster-ip-range/);
});

/** A session with kubectl 1.35, unmodified: the transcript `test/golden/kubectl.txt`, its output written from upstream's printers. */
import type { TestFn } from "ava";
import path from "node:path";
import { get } from "node:http";
import { exec } from "../../../lib/util/exec.ts";
import { clientProgram } from "../../kubectl.ts";
import { replay } from "../../transcript.ts";
import { ADMIN_KUBECONFIG, apiClient, expectSuccess, kubectl, kubectlProcess, root, sessionEnvironment } from "./cluster.ts";
import { waitForReady } from "./workload.ts";
import { namespaces } from "../../../lib/api/schema/generated/references.ts";

const NAMESPACE = "golden";

function httpGet(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, (response) => { let text = ""; response.on("data", (chunk: Buffer) => { text += chunk.toString(); }).on("end", () => resolve(text)); }).on("error", reject);
  });
}

export function registerKubectl(test: TestFn): void {
  test.serial("kubectl 1.35 prints what it prints against upstream", async (t) => {
    const directory = path.dirname(await clientProgram("kubectl"));
    await replay(t, path.join(root, "test/golden/kubectl.txt"), { cwd: root, env: { PATH: `${directory}:${process.env["PATH"]}`, ...sessionEnvironment() } });
  });

  test.serial("kubectl logs -f follows, exec -it gives a terminal, port-forward forwards, get -w watches", async (t) => {
    const client = apiClient(), run = await kubectl();
    const [pod] = await waitForReady(client, NAMESPACE, 3);
    const name = pod!.metadata.name;

    const forward = await kubectlProcess("-n", NAMESPACE, "port-forward", `pod/${name}`, ":80");
    const port = /127\.0\.0\.1:(\d+) -> 80/.exec(await forward.until(/Forwarding from 127\.0\.0\.1:\d+ -> 80/))![1]!;
    const logs = await kubectlProcess("-n", NAMESPACE, "logs", "-f", name);
    t.regex(await httpGet(`http://127.0.0.1:${port}/`), /Welcome to nginx/);
    await logs.until(/"GET \/ HTTP\/1\.1" 200/);
    await httpGet(`http://127.0.0.1:${port}/`);
    await logs.until(/(GET \/ HTTP[\s\S]*){2}/);
    await Promise.all([forward.stop(), logs.stop()]);

    const terminal = await exec("script", ["-qec", `${await clientProgram("kubectl")} -n ${NAMESPACE} exec -it ${name} -- /bin/sh -c "tty; echo rows; exit 3"`, "/dev/null"], { env: { ...process.env, KUBECONFIG: ADMIN_KUBECONFIG } }).then(() => undefined, (error: { stdout: string; exitCode: number }) => error);
    t.is(terminal?.exitCode, 3);
    t.regex(terminal!.stdout, /\/dev\/pts\/\d+/);
    const piped = await run(["-n", NAMESPACE, "exec", "-i", name, "--", "/bin/sh", "-c", "cat; echo err >&2"], { input: "through stdin\n" });
    t.deepEqual([piped.stdout, piped.stderr.trim(), piped.code], ["through stdin\n", "err", 0]);

    const watch = await kubectlProcess("-n", NAMESPACE, "get", "pods", "-w");
    await watch.until(/Running/);
    expectSuccess(await run(["-n", NAMESPACE, "delete", "pod", name, "--wait=false"]), "kubectl delete");
    await watch.until(/Terminating[\s\S]*Pending[\s\S]*Running/);
    await watch.stop();
    await client.delete(namespaces, { name: NAMESPACE });
    client.close();
  });
}

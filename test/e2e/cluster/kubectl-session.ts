/**
 * A session with kubectl 1.35, unmodified, read from `test/golden/kubectl.txt`: every line that begins with `$ ` is a command,
 * what follows is its output (stdout, then stderr), written from upstream's printers. Ages, addresses and generated names are masked.
 */
import type { TestFn } from "ava";
import { readFileSync } from "node:fs";
import path from "node:path";
import { get } from "node:http";
import { exec } from "../../../lib/util/exec.ts";
import { clientProgram } from "../../kubectl.ts";
import { ADMIN_KUBECONFIG, apiClient, expectSuccess, kubectl, kubectlProcess, root } from "./cluster.ts";
import { waitForReady } from "./workload.ts";
import { namespaces } from "../../../lib/api/schema/generated/references.ts";

const NAMESPACE = "golden";
const MASKS: readonly [RegExp, string][] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "<uid>"],
  [/\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} [+-]\d{4}/g, "<time>"],
  [/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z/g, "<time>"],
  [/containerd:\/\/[0-9a-f]{64}/g, "containerd://<id>"],
  [/sha256:[0-9a-f]{64}/g, "sha256:<digest>"],
  [/10\.244\.\d+\.\d+/g, "<pod-ip>"],
  [/10\.96\.\d+\.\d+/g, "<service-ip>"],
  [/10\.89\.\d+\.\d+/g, "<node-ip>"],
  [/\bworker-\d\b/g, "<node>"],
  [/\bweb-[a-z0-9]{6,10}-[a-z0-9]{5}\b/g, "web-<hash>-<id>"],
  [/\bweb-[bcdfghjklmnpqrstvwxz2456789]{6,10}\b/g, "web-<hash>"],
  [/\bweb-[bcdfghjklmnpqrstvwxz2456789]{5}\b/g, "web-<id>"],
  [/pod-template-hash([=:] ?)[a-z0-9]{6,10}\b/g, "pod-template-hash$1<hash>"],
  [/kube-api-access-[a-z0-9]{5}/g, "kube-api-access-<id>"],
  [/(resourceVersion"?): "\d+"/g, '$1: "<rv>"'],
  [/\b(\d+(?:\.\d+)?(?:d|h|m|s|ms))+\b/g, "<age>"],
];

/** Masks what differs from run to run and folds the columns' padding. */
export function maskOutput(text: string): string {
  const masked = MASKS.reduce((result, [pattern, name]) => result.replace(pattern, name), text);
  return masked.split("\n").map((line) => line.replace(/(\S) {2,}/g, "$1  ").replace(/-{2,}/g, "--").trimEnd()).join("\n").trim();
}

interface Step { command: string; expected: string }
function readScenario(file: string): Step[] {
  return readFileSync(file, "utf8").split(/^\$ /m).slice(1).map((block) => {
    const end = block.indexOf("\n");
    return { command: block.slice(0, end).trim(), expected: block.slice(end + 1).trim() };
  });
}

/** Splits a command line of the scenario; single quotes keep words together. */
const words = (line: string): string[] => [...line.matchAll(/'([^']*)'|(\S+)/g)].map((match) => match[1] ?? match[2]!);

function httpGet(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, (response) => { let text = ""; response.on("data", (chunk: Buffer) => { text += chunk.toString(); }).on("end", () => resolve(text)); }).on("error", reject);
  });
}

export function registerKubectl(test: TestFn): void {
  const scenario = path.join(root, "test/golden/kubectl.txt");

  test.serial("kubectl 1.35 prints what it prints against upstream", async (t) => {
    const run = await kubectl();
    for (const { command, expected } of readScenario(scenario)) {
      const [program, ...args] = words(command);
      t.is(program, "kubectl", command);
      const { stdout, stderr } = await run(args, { timeoutMs: 120_000 });
      t.is(maskOutput(stdout + stderr), maskOutput(expected), `$ ${command}`);
    }
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

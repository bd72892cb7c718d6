/** Unmodified clients against real containers: the sessions in test/golden/clients/cluster, and ports forwarded by each of them. */
import type { ExecutionContext, TestFn } from "ava";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { KubeConfig, PortForward } from "@kubernetes/client-node";
import { nodes } from "../../../lib/api/schema/generated/references.ts";
import { readKubeconfig, writeKubeconfig } from "../../../lib/client/kubeconfig.ts";
import { NGINX_IMAGE } from "../../../lib/install/images.ts";
import { clientProgram, type ClientVersion } from "../../kubectl.ts";
import { startProgram } from "../../running-program.ts";
import { linkPrograms, type SessionProgram } from "../../terminal.ts";
import { replay } from "../../transcript.ts";
import { ADMIN_KUBECONFIG, root } from "../cluster/cluster.ts";
import { Lab, labTest } from "./lab.ts";

const VERSIONS: readonly ClientVersion[] = ["1.35", "1.31", "1.20"];

interface Session { readonly transcript: string; readonly programs: readonly SessionProgram[]; readonly version: ClientVersion; readonly marks: readonly string[] }

const play = ({ transcript, programs, version, marks }: Session) => async (t: ExecutionContext, lab: Lab): Promise<void> => {
  const directory = await mkdtemp(path.join(os.tmpdir(), "kaji-session-")), kubeconfig = path.join(directory, "kubeconfig");
  try {
    const config = readKubeconfig(ADMIN_KUBECONFIG);
    for (const { context } of config.contexts) context.namespace = lab.namespace;
    writeKubeconfig(kubeconfig, config);
    const bin = await linkPrograms(directory, programs, version);
    await replay(t, path.join(root, "test/golden/clients/cluster", `${transcript}.txt`), { cwd: directory, marks, env: { PATH: `${bin}:${process.env["PATH"]}`, HOME: directory, KUBECONFIG: kubeconfig, LC_ALL: "C", TZ: "UTC" } });
  } finally { await rm(directory, { recursive: true, force: true }); }
};

const REQUEST = "GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n";
async function welcomed(t: ExecutionContext, port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  socket.write(REQUEST);
  t.regex(await text(socket), /^HTTP\/1\.1 200 OK[\s\S]*Welcome to nginx!/);
}

async function forwards(t: ExecutionContext, lab: Lab): Promise<void> {
  await lab.readyPod("web", [{ name: "web", image: NGINX_IMAGE, readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1 } }]);
  for (const version of VERSIONS) {
    const forward = startProgram(await clientProgram("kubectl", { version }), ["-n", lab.namespace, "port-forward", "pod/web", ":80"], { env: { PATH: process.env["PATH"], HOME: os.tmpdir(), KUBECONFIG: ADMIN_KUBECONFIG } });
    const port = Number(/127\.0\.0\.1:(\d+) -> 80/.exec(await forward.until(/Forwarding from 127\.0\.0\.1:\d+ -> 80/))![1]);
    await Promise.all([1, 2, 3].map(() => welcomed(t, port)));
    await forward.stop();
  }
  const config = new KubeConfig();
  config.loadFromFile(ADMIN_KUBECONFIG);
  const forward = new PortForward(config), sockets = new Set<Socket>();
  const server = createServer((socket) => { sockets.add(socket); forward.portForward(lab.namespace, "web", [80], socket, null, socket).catch((error: unknown) => socket.destroy(error as Error)); });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const asking = connect((server.address() as AddressInfo).port, "127.0.0.1").setEncoding("utf8");
  asking.write(REQUEST);
  let answer = "";
  for await (const part of asking) { answer += part as string; if (answer.includes("</html>")) break; }
  t.regex(answer, /^HTTP\/1\.1 200 OK[\s\S]*Welcome to nginx!/);
  for (const socket of sockets) socket.destroy();
  server.close();
}

/** Empties a node: nothing else may run meanwhile. */
export function registerDrains(test: TestFn): void {
  for (const version of VERSIONS) {
    test.serial(`kubectl ${version} drains a node of its pods and takes it back`, async (t) => {
      const lab = await Lab.open(`wl-drain-${version.replace(".", "-")}`);
      try { await play({ transcript: "drain", programs: ["kubectl"], version, marks: [version] })(t, lab); }
      finally {
        await lab.client.patch(nodes, { name: "worker-3" }, "merge", { spec: { unschedulable: null } }); // For those who come after a session that failed.
        await lab.close();
      }
    });
  }
}

export function registerClients(test: TestFn): void {
  for (const version of VERSIONS) labTest(test, `wl-kubectl-${version.replace(".", "-")}`, `kubectl ${version} reaches into containers: exec, attach, cp, logs, run, debug`, play({ transcript: "streams", programs: ["kubectl"], version, marks: [version] }));
  for (const [helm, version] of [["4", "1.35"], ["3", "1.31"]] as const) labTest(test, `wl-helm-${helm}`, `Helm ${helm} runs a chart's hooks and tests`, play({ transcript: "helm", programs: ["helm", "kubectl"], version, marks: [helm] }));
  labTest(test, "wl-python", "Python's client forwards ports and runs commands", play({ transcript: "python", programs: ["python3", "kubectl"], version: "1.35", marks: [] }));
  labTest(test, "wl-forward", "every kubectl and the JavaScript client forward ports", forwards);
}

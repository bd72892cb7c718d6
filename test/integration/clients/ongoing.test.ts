/** What goes on until it is stopped: port-forward, proxy and watches of every kubectl, over the protocols each speaks. */
import { once } from "node:events";
import { get } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import test, { type ExecutionContext } from "ava";
import { configmaps, pods, services } from "../../../lib/api/schema/generated/references.ts";
import { clientProgram, type ClientVersion } from "../../kubectl.ts";
import { startProgram, type RunningProgram } from "../../running-program.ts";
import { ClientSession } from "./session.ts";

const NS = "ongoing";
let session: ClientSession, env: NodeJS.ProcessEnv;
test.before(async () => {
  session = await ClientSession.start([], "1.35");
  ({ env } = await session.terminal(NS));
  const { client } = session.world;
  await client.create(pods, { apiVersion: "v1", kind: "Pod", metadata: { name: "web", namespace: NS, labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "app:1", ports: [{ containerPort: 80, name: "http" }] }] } });
  await client.create(services, { apiVersion: "v1", kind: "Service", metadata: { name: "web", namespace: NS }, spec: { selector: { app: "web" }, ports: [{ port: 8_080, targetPort: "http" }] } });
  await session.world.until("a running pod", async () => (await session.world.get(pods, "web", NS))?.status?.phase === "Running");
});
test.after.always(async () => { await session.stop(); });

const start = async (version: ClientVersion, ...args: string[]): Promise<RunningProgram> => startProgram(await clientProgram("kubectl", { version }), args, { env });
const portOf = (output: string): number => Number(/127\.0\.0\.1:(\d+)/.exec(output)![1]);

/** The fake kubelet answers with what it reads. */
async function echoed(t: ExecutionContext, port: number, word: string): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.end(word);
  t.is(await text(socket), word);
}

for (const version of ["1.35", "1.31", "1.20"] as const) {
  test.serial(`kubectl ${version} port-forward carries several connections to a pod, by pod and by Service, and says what is wrong`, async (t) => {
    for (const target of ["pod/web", "service/web"]) {
      const forward = await start(version, "port-forward", target, target === "pod/web" ? ":80" : ":8080");
      const port = portOf(await forward.until(/Forwarding from 127\.0\.0\.1:\d+ -> 80\n/));
      await Promise.all(["one", "two", "three"].map((word) => echoed(t, port, word)));
      await echoed(t, port, "x".repeat(1_000_000));
      t.regex(forward.output(), /Handling connection for \d+/);
      await forward.stop();
    }
    const none = await start(version, "port-forward", "pod/none", ":80");
    await once(none.child, "close");
    t.deepEqual([none.child.exitCode, none.output()], [1, 'Error from server (NotFound): pods "none" not found\n']);
  });

  test.serial(`kubectl ${version} proxy gives the API without credentials, and keeps out what it is told to`, async (t) => {
    const proxy = await start(version, "proxy", "--port=0", "--reject-paths=^/api/v1/namespaces/[^/]+/secrets.*");
    const port = portOf(await proxy.until(/Starting to serve on 127\.0\.0\.1:\d+/));
    const ask = async (path: string): Promise<[number, string]> => {
      const [response] = await once(get({ host: "127.0.0.1", port, path }), "response") as [import("node:http").IncomingMessage];
      return [response.statusCode!, await text(response)];
    };
    const [status, body] = await ask(`/api/v1/namespaces/${NS}/pods/web`);
    t.deepEqual([status, (JSON.parse(body) as { metadata: { name: string } }).metadata.name], [200, "web"]);
    t.is((await ask(`/api/v1/namespaces/${NS}/secrets`))[0], 403);
    t.is((await ask("/nothing"))[0], 404);
    await proxy.stop();
  });

  test.serial(`kubectl ${version} get -w prints each change, and logs -f each line`, async (t) => {
    const { client } = session.world, name = `w-${version.replace(".", "-")}`;
    const watch = await start(version, "get", "configmaps", "-w", "--output-watch-events", `--field-selector=metadata.name=${name}`);
    await client.create(configmaps, { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: NS }, data: { v: "1" } });
    await watch.until(/ADDED +w-\S+ +1 /);
    await client.patch(configmaps, { name, namespace: NS }, "merge", { data: { w: "2" } });
    await watch.until(/MODIFIED +w-\S+ +2 /);
    await client.delete(configmaps, { name, namespace: NS });
    await watch.until(/DELETED +w-\S+ +2 /);
    await watch.stop();
    const logs = await start(version, "logs", "-f", "web");
    await once(logs.child, "close");
    t.deepEqual([logs.child.exitCode, logs.output()], [0, "first\nsecond\n"]);
  });
}

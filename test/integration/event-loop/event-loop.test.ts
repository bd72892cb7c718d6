/**
 * No request holds the server's loop for more than 50 ms: large objects are written, applied, patched and read, and long lists of them
 * read in every form, while the longest turn of the loop is metered in processor time of its thread. The clock plays no part.
 */
import { once } from "node:events";
import https from "node:https";
import { Worker } from "node:worker_threads";
import test from "ava";
import type { FromServer, ToServer } from "./metered-server.ts";

const LIMIT_MS = 50;
/** A collection of garbage, or code that is compiled, falls into single runs; what a request costs falls into all of them. */
const RUNS = 5, VARIABLES = 2_000, MANY_VARIABLES = 5_000;

let worker: Worker, server: Extract<FromServer, { ready: unknown }>["ready"];
const agent = new https.Agent({ keepAlive: true });
const heard = async (): Promise<FromServer> => ((await once(worker, "message")) as [FromServer])[0];
const tell = (message: ToServer): void => { worker.postMessage(message); };

function call(method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const { caPem: ca, certificatePem: cert, keyPem: key } = server;
    const request = https.request(`${server.url}${path}`, { method, agent, ca, cert, key, headers: { ...(body === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }), ...headers } }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part)).on("end", () => resolve({ status: response.statusCode!, text: Buffer.concat(parts).toString("latin1") }));
    });
    request.on("error", reject).end(body);
  });
}

/** The longest turn while `act` runs, in the best of a few runs. */
async function longestTurn(act: () => Promise<unknown>): Promise<number> {
  let best = Infinity;
  for (let i = 0; i < RUNS; i++) {
    tell("begin");
    await heard();
    await act();
    tell("end");
    const answer = await heard();
    if ("longestMs" in answer) best = Math.min(best, answer.longestMs);
  }
  return best;
}

const deployment = (name: string, mark = "x", variables = VARIABLES): string => JSON.stringify({
  apiVersion: "apps/v1", kind: "Deployment", metadata: { name }, spec: { selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: { containers: [
    { name: "c", image: "x", env: Array.from({ length: variables }, (_, i) => ({ name: `VARIABLE_${i}`, value: `value ${mark} of the variable ${i}` })) },
  ] } } },
});
const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments", APPLY = { "content-type": "application/apply-patch+yaml" };
/** Larger ones, apart from those that are listed below. */
const LARGE = "/apis/apps/v1/namespaces/large/deployments", CONFIG_MAPS = "/api/v1/namespaces/large/configmaps", YAML = { "content-type": "application/yaml" };

test.before(async () => {
  worker = new Worker(new URL("./metered-server.ts", import.meta.url));
  const answer = await heard();
  if (!("ready" in answer)) throw new Error("the server is not ready");
  server = answer.ready;
  for (let i = 0; i < 8; i++) await call("POST", DEPLOYMENTS, deployment(`stored-${i}`));
  await call("PATCH", `${DEPLOYMENTS}/applied?fieldManager=one`, deployment("applied"), APPLY);
  await call("POST", "/api/v1/namespaces", JSON.stringify({ metadata: { name: "large" } }));
  await call("POST", LARGE, deployment("huge", "x", MANY_VARIABLES));
});
test.after.always(async () => {
  agent.destroy();
  tell("close");
  await once(worker, "exit");
});

test.serial("the meter sees a loop that is held", async (t) => {
  t.true(await longestTurn(async () => { tell({ holdMs: 60 }); await call("GET", "/version"); }) >= 60);
  t.true(await longestTurn(() => call("GET", "/version")) < LIMIT_MS);
});

/** As YAML is written: one line a field. */
const yamlDeployment = (name: string): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec:
      containers:
      - name: c
        image: x
        env:
${Array.from({ length: MANY_VARIABLES }, (_, i) => `        - name: VARIABLE_${i}\n          value: value of the variable ${i}\n`).join("")}`;
const configMap = (keys: number, mark = ""): string => JSON.stringify({ metadata: { generateName: "wide-" }, data: Object.fromEntries(Array.from({ length: keys }, (_, i) => [`key-${i}`, `value ${i} ${mark}`])) });

let count = 0;
const WRITES: Record<string, () => Promise<{ status: number; text: string }>> = {
  "a ConfigMap of a megabyte is created": () => call("POST", CONFIG_MAPS, JSON.stringify({ metadata: { generateName: "big-" }, data: { k: "x".repeat(1_000_000) } })),
  "a Deployment with thousands of variables is created": () => call("POST", DEPLOYMENTS, deployment(`made-${count++}`)),
  "it is applied again": () => call("PATCH", `${DEPLOYMENTS}/applied?fieldManager=one`, deployment("applied"), APPLY),
  "it is applied by another, who takes it over": () => call("PATCH", `${DEPLOYMENTS}/applied?fieldManager=other-${count % 2}&force=true`, deployment("applied", String(count++)), APPLY),
  "it is replaced": () => call("PUT", `${DEPLOYMENTS}/stored-0`, deployment("stored-0", String(count++))),
  "it is patched strategically": () => call("PATCH", `${DEPLOYMENTS}/stored-1`, deployment("stored-1", String(count++)), { "content-type": "application/strategic-merge-patch+json" }),
  "a label of it is patched": () => call("PATCH", `${DEPLOYMENTS}/stored-2`, JSON.stringify({ metadata: { labels: { mark: String(count++) } } }), { "content-type": "application/merge-patch+json" }),
  "a Deployment of hundreds of kilobytes is created from YAML": () => call("POST", LARGE, yamlDeployment(`yaml-${count++}`), YAML),
  "it is read as YAML": () => call("GET", `${LARGE}/huge`, undefined, { accept: "application/yaml" }),
  "it is replaced by one as large": () => call("PUT", `${LARGE}/huge`, deployment("huge", String(count++), MANY_VARIABLES)),
  "it is patched strategically by a patch as large": () => call("PATCH", `${LARGE}/huge`, deployment("huge", String(count++), MANY_VARIABLES), { "content-type": "application/strategic-merge-patch+json" }),
  "it is applied by one who takes it over": () => call("PATCH", `${LARGE}/huge?fieldManager=other-${count % 2}&force=true`, deployment("huge", String(count++), MANY_VARIABLES), APPLY),
  "it is applied from YAML": () => call("PATCH", `${LARGE}/huge?fieldManager=yaml&force=true`, yamlDeployment("huge"), APPLY),
  "a ConfigMap of twenty thousand keys is created": () => call("POST", CONFIG_MAPS, configMap(20_000)),
  "a JSON patch of nine thousand operations is done": () => call("PATCH", `${LARGE}/huge`, JSON.stringify(Array.from({ length: 9_000 }, (_, i) => ({ op: "replace", path: `/spec/template/spec/containers/0/env/${i % MANY_VARIABLES}/value`, value: `patched ${count}` }))), { "content-type": "application/json-patch+json" }),
  "three megabytes of unknown fields are dropped": () => call("POST", `${CONFIG_MAPS}?fieldValidation=Ignore`, JSON.stringify({ metadata: { generateName: "unknown-" }, ...Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`unknown-${i}`, i])) })),
  "a key given a hundred thousand times is read": () => call("POST", `${CONFIG_MAPS}?fieldValidation=Ignore`, `{"metadata":{"generateName":"repeated-"},"data":{${'"repeated":"value",'.repeat(100_000)}"repeated":"last"}}`),
  "a body nested a hundred thousand deep is refused": () => call("POST", DEPLOYMENTS, '{"a":'.repeat(100_000)),
};
for (const [title, act] of Object.entries(WRITES)) {
  test.serial(`while ${title}, no turn is long`, async (t) => {
    const { status, text } = await act();
    t.true(status < 300 || title.endsWith("refused"), `${status} ${text.slice(0, 300)}`);
    const longestMs = await longestTurn(act);
    t.true(longestMs < LIMIT_MS, `${longestMs} ms`);
  });
}

const FORMS: Record<string, Record<string, string>> = {
  "plain": {}, "gzipped": { "accept-encoding": "gzip" }, "as a table": { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" }, "as metadata": { accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io" },
};
for (const [form, headers] of Object.entries(FORMS)) {
  test.serial(`while a list of large objects is read ${form}, no turn is long`, async (t) => {
    t.is((await call("GET", DEPLOYMENTS, undefined, headers)).status, 200);
    const longestMs = await longestTurn(() => call("GET", DEPLOYMENTS, undefined, headers));
    t.true(longestMs < LIMIT_MS, `${longestMs} ms`);
  });
}
test.serial("while such a list is read indented, no turn is long", async (t) => {
  const longestMs = await longestTurn(() => call("GET", `${DEPLOYMENTS}?pretty=true`));
  t.true(longestMs < LIMIT_MS, `${longestMs} ms`);
});

import test from "ava";
import http from "node:http";
import type { AddressInfo } from "node:net";
import type { Probe } from "../../../../lib/api/schema/generated/models.ts";
import type { Cri } from "../../../../lib/cri/client.ts";
import { CriCode, CriError } from "../../../../lib/cri/error.ts";
import { PodEvents } from "../../../../lib/kubelet/pod-events.ts";
import { ProbeManager } from "../../../../lib/kubelet/probes/probe-manager.ts";
import { countResult, emptyTally } from "../../../../lib/kubelet/probes/probe-verdict.ts";
import { runProbe } from "../../../../lib/kubelet/probes/run-probe.ts";
import { httpTarget, resolvePort } from "../../../../lib/kubelet/probes/target.ts";
import { ManualClock } from "../../../../lib/util/clock.ts";
import { makeContainer, makePod, makeRun, makeRuntime, NOW_MS } from "../builders.ts";

test("countResult() needs as many in a row as the threshold says", (t) => {
  const probe: Probe = { failureThreshold: 2, successThreshold: 2 };
  let tally = emptyTally;
  const verdicts = (["failure", "success", "failure", "unknown", "failure", "success", "success"] as const).map((outcome) => { const counted = countResult(tally, outcome, probe); tally = counted.tally; return counted.verdict; });
  t.deepEqual(verdicts, [undefined, undefined, undefined, undefined, "failure", undefined, "success"]);
});

test("httpTarget() takes port names, the pod's address and extra headers", (t) => {
  const container = makeContainer("main", { ports: [{ name: "web", containerPort: 8080 }] });
  const { url, shown, headers } = httpTarget({ port: "web", path: "health?x=1", scheme: "HTTPS", httpHeaders: [{ name: "Host", value: "a" }] }, container, "fd00::2");
  t.deepEqual([url.href, shown, headers["host"], headers["user-agent"]], ["https://[fd00::2]:8080/health?x=1", "https://[fd00::2]:8080/health?x=1", "a", "kube-probe/1.36"]);
  t.is(httpTarget({ port: 80 }, container, "10.0.0.1").shown, "http://10.0.0.1:80/");
  t.throws(() => resolvePort("none", container), { message: "couldn't find port: \"none\"" });
});

const noCri = { call: async () => { throw new Error("unexpected"); } } as unknown as Cri, never = new AbortController().signal;
async function withServer(answer: (request: http.IncomingMessage, response: http.ServerResponse) => void, use: (port: number) => Promise<void>): Promise<void> {
  const server = http.createServer(answer).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  try { await use((server.address() as AddressInfo).port); } finally { server.closeAllConnections(); server.close(); }
}

test("runProbe() judges HTTP by its status, follows redirects on the same host, and tells failures as upstream", (t) => withServer((request, response) => {
  if (request.url === "/hang") return;
  const location = { "/moved": "/ok", "/away": "http://other.invalid/" }[request.url!];
  response.writeHead(location === undefined ? (request.url === "/ok" ? 204 : 500) : 302, location === undefined ? {} : { location }).end();
}, async (port) => {
  const probe = (path: string, at = port, timeoutSeconds = 30): ReturnType<typeof runProbe> => runProbe(noCri, { httpGet: { path, port: at }, timeoutSeconds }, { containerId: "c", container: makeContainer(), podIP: "127.0.0.1" }, never);
  t.is((await probe("/ok")).outcome, "success");
  t.is((await probe("/moved")).outcome, "success");
  t.is((await probe("/away")).outcome, "success"); // A redirect to another host is an answer.
  t.deepEqual(await probe("/bad"), { outcome: "failure", output: "HTTP probe failed with statuscode: 500" });
  t.deepEqual(await probe("/hang", port, 0.1), { outcome: "failure", output: `Get "http://127.0.0.1:${port}/hang": context deadline exceeded (Client.Timeout exceeded while awaiting headers)` });
  t.deepEqual(await probe("/", 1), { outcome: "failure", output: 'Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused' });
}));

test("runProbe() opens TCP connections and runs commands", (t) => withServer((_, response) => { response.end(); }, async (port) => {
  const target = { containerId: "c", container: makeContainer("main", { env: [{ name: "A", value: "x" }] }), podIP: "127.0.0.1" };
  t.is((await runProbe(noCri, { tcpSocket: { port } }, target, never)).outcome, "success");
  t.deepEqual(await runProbe(noCri, { tcpSocket: { port: 1 } }, target, never), { outcome: "failure", output: "dial tcp 127.0.0.1:1: connect: connection refused" });
  const seen: string[][] = [];
  const cri = (exitCode: number): Cri => ({ call: async (_: string, request: { cmd: string[] }) => { seen.push(request.cmd); return { stdout: Buffer.from("out"), stderr: Buffer.from("err"), exitCode }; } }) as unknown as Cri;
  t.is((await runProbe(cri(0), { exec: { command: ["test", "$(A)"] } }, target, never)).outcome, "success");
  t.deepEqual(await runProbe(cri(1), { exec: { command: ["false"] } }, target, never), { outcome: "failure", output: "outerr" });
  t.deepEqual(seen[0], ["test", "x"]);
  const slow = { call: async () => { throw new CriError("ExecSync", CriCode.DEADLINE_EXCEEDED, ""); } } as unknown as Cri;
  t.deepEqual(await runProbe(slow, { exec: { command: ["sleep", "9"] }, timeoutSeconds: 2 }, target, never), { outcome: "failure", output: 'command timed out: "sleep 9" timed out after 2s' });
  t.is((await runProbe(noCri, { exec: { command: ["x"] } }, target, never)).outcome, "unknown");
}));

interface World { manager: ProbeManager; clock: ManualClock; told: string[]; changes: number; answers: { exitCode: number }; probes: number }
function makeWorld(): World {
  const clock = new ManualClock(new Date(NOW_MS)), told: string[] = [], world: World = { manager: undefined as never, clock, told, changes: 0, answers: { exitCode: 1 }, probes: 0 };
  const call = async (): Promise<unknown> => { world.probes++; return { stdout: Buffer.alloc(0), stderr: Buffer.from("no"), exitCode: world.answers.exitCode }; };
  world.manager = new ProbeManager({ cri: { call } as unknown as Cri, clock, events: new PodEvents({ event: (_, type, reason, message) => { told.push(`${type} ${reason} ${message}`); } }), onChange: () => { world.changes++; } });
  return world;
}
/** Lets what is under way settle before time moves. */
const pass = async (clock: ManualClock, ms: number): Promise<void> => { await new Promise((resolve) => { setImmediate(resolve); }); await clock.advance(ms); };
const run = makeRun("main", { startedAtMs: NOW_MS }), exec = (over: Probe = {}): Probe => ({ exec: { command: ["x"] }, periodSeconds: 10, failureThreshold: 2, ...over });
const ids = (world: World): { started: string[]; ready: string[]; unhealthy: string[] } => { const { started, ready, unhealthy } = world.manager.results("u1"); return { started: [...started], ready: [...ready], unhealthy: [...unhealthy.values()].map(({ message }) => message) }; };
const watch = (world: World, container: object, status?: object): void => world.manager.sync(makePod({ spec: { containers: [makeContainer("main", container)] }, ...(status === undefined ? {} : { status: { containerStatuses: [status] } as never }) }), makeRuntime([run]), "10.0.0.2", new Set());

test("ProbeManager counts a container without probes as started and ready at once", (t) => {
  const world = makeWorld();
  watch(world, {});
  t.deepEqual(ids(world), { started: ["main-0"], ready: ["main-0"], unhealthy: [] });
});
test("ProbeManager tries readiness at once and often until it first succeeds, and tells only of counted failures", async (t) => {
  const world = makeWorld();
  watch(world, { readinessProbe: exec() });
  await pass(world.clock, 100);
  t.deepEqual(ids(world).ready, []);
  t.true(world.probes >= 2);
  t.deepEqual(world.told, ["Warning Unhealthy Readiness probe failed: no"]);
  world.answers.exitCode = 0;
  await pass(world.clock, 400);
  t.deepEqual(ids(world).ready, ["main-0"]);
  t.is(world.changes, 1);
  world.answers.exitCode = 1;
  await pass(world.clock, 10_000);
  t.deepEqual(ids(world).ready, ["main-0"]); // One failure of two.
  await pass(world.clock, 10_000);
  t.deepEqual(ids(world).ready, []);
  await world.manager.stop();
});
test("ProbeManager waits for the initial delay", async (t) => {
  const world = makeWorld();
  watch(world, { readinessProbe: exec({ initialDelaySeconds: 5 }) });
  await pass(world.clock, 4_900);
  t.is(world.probes, 0);
  await pass(world.clock, 200);
  t.true(world.probes > 0);
  await world.manager.stop();
});
test("ProbeManager starts other probes only after the startup probe, and gives up after its threshold", async (t) => {
  const world = makeWorld();
  watch(world, { startupProbe: exec({ failureThreshold: 3 }), readinessProbe: exec() });
  t.deepEqual(ids(world).started, []);
  await pass(world.clock, 9_000);
  t.deepEqual(ids(world), { started: [], ready: [], unhealthy: [] }); // However often it was tried, one failure counts.
  await pass(world.clock, 12_000);
  t.deepEqual(ids(world).unhealthy, ["Container main failed startup probe, will be restarted"]);
  const good = makeWorld();
  good.answers.exitCode = 0;
  watch(good, { startupProbe: exec(), readinessProbe: exec() });
  await pass(good.clock, 100);
  t.deepEqual(ids(good), { started: ["main-0"], ready: ["main-0"], unhealthy: [] });
  await Promise.all([world.manager.stop(), good.manager.stop()]);
});
test("ProbeManager does not hurry liveness, and says how long the container may take to stop", async (t) => {
  const world = makeWorld();
  watch(world, { livenessProbe: exec({ terminationGracePeriodSeconds: 7 }) });
  await pass(world.clock, 9_000);
  t.is(world.probes, 1);
  await pass(world.clock, 2_000);
  t.deepEqual([...world.manager.results("u1").unhealthy.values()], [{ message: "Container main failed liveness probe, will be restarted", graceSeconds: 7 }]);
  await world.manager.stop();
});
test("ProbeManager keeps a container ready that was so before the kubelet restarted, and forgets one that stopped", async (t) => {
  const world = makeWorld();
  watch(world, { readinessProbe: exec({ initialDelaySeconds: 60 }), startupProbe: exec() }, { containerID: "containerd://main-0", name: "main", ready: true, started: true });
  t.deepEqual(ids(world), { started: ["main-0"], ready: ["main-0"], unhealthy: [] });
  world.manager.sync(makePod(), makeRuntime([]), "", new Set());
  t.deepEqual(ids(world), { started: [], ready: [], unhealthy: [] });
  await world.manager.stop();
});

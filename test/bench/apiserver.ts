/**
 * kube-apiserver as it is installed: the release in a process of its own, real certificates, durable SQLite, RBAC, admission, validation, a bearer token.
 * Creates, gets and lists a second at 1, 16 and 64 connections on HTTP/1.1 (wrk) and HTTP/2 (h2load); the list of 18,000 pods, plain and
 * gzipped (curl); memory and CPU idle and full; the start with all of them stored; 1,000 watches over 20 connections. Medians of RUNS.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Requirement } from "../../lib/install/packages.ts";
import { buildProgram, exec, HEADERS, post, remove, start, stop, TOKEN, URL_BASE } from "./apiserver/server.ts";
import { watchLatency } from "./apiserver/watches.ts";
import type { Print } from "./run.ts";

export const requirements: readonly Requirement[] = [
  { program: "wrk", debianPackage: "wrk", why: "load over HTTP/1.1" },
  { program: "h2load", debianPackage: "nghttp2-client", why: "load over HTTP/2" },
  { program: "curl", debianPackage: "curl", why: "timing the long list" },
];

const RUNS = Number(process.env["BENCH_RUNS"] ?? 5), SECONDS = 3, PODS = 18_000, NAMESPACE = "bench";

const pod = (metadata: object): object => ({
  apiVersion: "v1", kind: "Pod", metadata: { ...metadata, labels: { app: "bench", tier: "web" } },
  spec: { containers: [{
    name: "main", image: "nginx:1.27", ports: [{ containerPort: 80, protocol: "TCP" }], env: [{ name: "A", value: "1" }, { name: "B", value: "2" }],
    resources: { requests: { cpu: "100m", memory: "64Mi" }, limits: { cpu: "200m", memory: "128Mi" } },
  }] },
});

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
const milliseconds = (text: string): number => {
  const [, number = "NaN", unit = "ms"] = /^([\d.]+)(us|ms|s)$/.exec(text) ?? [];
  return Number(number) * ({ us: 0.001, ms: 1, s: 1000 }[unit] ?? 1);
};

interface Load { readonly perSecond: number; readonly p50Ms?: number; readonly p99Ms?: number }

/** wrk's script: the request, names of their own for creates, and a count of what was refused. */
function luaScript(method: string, where: string, withBody: boolean): string {
  const headers = Object.entries(HEADERS).map(([name, value]) => `[${JSON.stringify(name)}]=${JSON.stringify(value)}`).join(",");
  return `local n, id = 0, 0
function setup(thread) thread:set("tid", id); id = id + 1 end
function init() math.randomseed(os.time()); prefix = "p" .. tid .. "-" .. math.random(1, 1e9) .. "-" end
function request()
  n = n + 1
  return wrk.format(${JSON.stringify(method)}, ${JSON.stringify(where)}, {${headers}}, ${withBody ? `string.format([[${JSON.stringify(pod({ name: "%s" }))}]], prefix .. n)` : "nil"})
end
local bad = 0
function response(status) if status >= 300 then bad = bad + 1; if bad == 1 then print("REFUSED " .. status) end end end
`;
}

async function wrk(connections: number, script: string, dir: string): Promise<Load> {
  const file = path.join(dir, "load.lua");
  writeFileSync(file, script);
  const { stdout } = await exec("wrk", ["-t1", `-c${connections}`, `-d${SECONDS}s`, "--latency", "-s", file, URL_BASE]);
  if (stdout.includes("REFUSED")) throw new Error(`Cannot bench: requests were refused\n${stdout}`);
  const find = (pattern: RegExp): string => pattern.exec(stdout)?.[1] ?? "";
  return { perSecond: Number(find(/Requests\/sec:\s+([\d.]+)/)), p50Ms: milliseconds(find(/50%\s+(\S+)/)), p99Ms: milliseconds(find(/99%\s+(\S+)/)) };
}

async function h2load(connections: number, where: string, body: object | undefined, dir: string): Promise<Load> {
  const file = path.join(dir, "body.json");
  if (body !== undefined) writeFileSync(file, JSON.stringify(body));
  const { stdout } = await exec("h2load", ["-c", String(connections), "-m", "1", "-D", String(SECONDS), ...(body === undefined ? [] : ["-d", file]), ...Object.entries(HEADERS).flatMap(([name, value]) => ["-H", `${name}: ${value}`]), URL_BASE + where]);
  const refused = /(\d+) 4xx, (\d+) 5xx/.exec(stdout);
  if (refused !== null && Number(refused[1]) + Number(refused[2]) > 0) throw new Error(`Cannot bench: requests were refused\n${stdout}`);
  return { perSecond: Number(/finished in [^,]+, ([\d.]+) req\/s/.exec(stdout)?.[1]) };
}

async function repeat(load: () => Promise<Load>): Promise<Load> {
  const loads: Load[] = [];
  for (let i = 0; i < RUNS; i++) loads.push(await load());
  return loads.toSorted((a, b) => a.perSecond - b.perSecond)[Math.floor(loads.length / 2)]!;
}

const round = (load: Load): Record<string, number> => Object.fromEntries(Object.entries(load).map(([name, value]) => [name, Math.round((value as number) * 100) / 100]));

/** Over a store of their own: what one number of connections has made is no burden to the next. */
async function loads(print: Print, connections: number): Promise<void> {
  const pods = `/api/v1/namespaces/${NAMESPACE}/pods`, server = await start(), { dir } = server;
  try {
    await prepare(NAMESPACE);
    const base = { connections, protocol: "HTTP/1.1" };
    print({ ...base, figure: "gets a second", ...round(await repeat(() => wrk(connections, luaScript("GET", `/api/v1/namespaces/${NAMESPACE}`, false), dir))) });
    print({ ...base, figure: "lists of namespaces a second", ...round(await repeat(() => wrk(connections, luaScript("GET", "/api/v1/namespaces", false), dir))) });
    print({ ...base, figure: "pod creates a second", ...round(await repeat(() => wrk(connections, luaScript("POST", pods, true), dir))) });
    const second = { connections, protocol: "HTTP/2" };
    print({ ...second, figure: "gets a second", ...round(await repeat(() => h2load(connections, `/api/v1/namespaces/${NAMESPACE}`, undefined, dir))) });
    print({ ...second, figure: "lists of namespaces a second", ...round(await repeat(() => h2load(connections, "/api/v1/namespaces", undefined, dir))) });
    print({ ...second, figure: "pod creates a second", ...round(await repeat(() => h2load(connections, pods, pod({ generateName: "bench-" }), dir))) });
    print({ figure: "memory after the loads", connections, pssMb: pssMb(server.child.pid!) });
  } finally { await stop(server); remove(server); }
}

async function prepare(namespace: string): Promise<void> {
  await post("/api/v1/namespaces", { metadata: { name: namespace } });
  await post(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: "default" } });
}

async function fill(dir: string): Promise<void> {
  const where = "/api/v1/namespaces/list/pods", file = path.join(dir, "list-body.json");
  writeFileSync(file, JSON.stringify(pod({ generateName: "list-" })));
  await exec("h2load", ["-c", "16", "-m", "1", "-n", String(PODS), "-d", file, ...Object.entries(HEADERS).flatMap(([name, value]) => ["-H", `${name}: ${value}`]), URL_BASE + where]);
}

async function timeList(query: string, ...options: string[]): Promise<{ seconds: number; bytes: number }> {
  const times: { seconds: number; bytes: number }[] = [];
  for (let i = 0; i < RUNS; i++) {
    const { stdout } = await exec("curl", ["-sk", "-A", "bench", "-o", "/dev/null", "-w", "%{time_total} %{size_download}", "-H", `authorization: Bearer ${TOKEN}`, ...options, `${URL_BASE}/api/v1/namespaces/list/pods${query}`]);
    const [seconds, bytes] = stdout.split(" ").map(Number);
    times.push({ seconds: seconds!, bytes: bytes! });
  }
  return { seconds: median(times.map(({ seconds }) => seconds)), bytes: times[0]!.bytes };
}

function pssMb(pid: number): number {
  return Math.round(Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]) / 102.4) / 10;
}
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(" ");
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

async function idle(print: Print, pid: number, state: string): Promise<void> {
  const seconds = 10, before = cpuSeconds(pid);
  await delay(seconds * 1000);
  print({ figure: "idle", state, pssMb: pssMb(pid), cpuPercentOfCore: Math.round(((cpuSeconds(pid) - before) / seconds) * 10_000) / 100 });
}

/** Called by `npm run bench -- apiserver`. */
export async function run(print: Print): Promise<void> {
  await buildProgram();
  let server = await start(), pid = server.child.pid!;
  try {
    print({ figure: "ready after start", ms: Math.round(server.readyMs) });
    await prepare("list");
    await idle(print, pid, "empty");
    await fill(server.dir);
    for (const [form, options] of [["plain", []], ["gzipped", ["--compressed"]], ["plain, HTTP/1.1", ["--http1.1"]]] as const) print({ figure: `list of ${PODS} pods`, form, ...await timeList("", ...options) });
    print({ figure: `list of ${PODS} pods`, form: "Table, first 500", ...await timeList("?limit=500", "-H", "accept: application/json;as=Table;v=v1;g=meta.k8s.io") });
    await idle(print, pid, `${PODS} pods`);
    const startsMs: number[] = [];
    for (let i = 0; i < RUNS; i++) {
      await stop(server);
      server = await start(server.dir);
      pid = server.child.pid!;
      startsMs.push(server.readyMs);
    }
    print({ figure: "ready after start", state: `${PODS} pods`, ms: Math.round(median(startsMs)) });
    print({ figure: "an event at its watchers", ...await watchLatency(server) });
  } finally { await stop(server); remove(server); }
  for (const connections of [1, 16, 64]) await loads(print, connections);
}

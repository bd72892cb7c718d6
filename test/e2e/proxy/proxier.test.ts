/** The proxier on real kernels' rules, with both backends of iptables: what clients in other namespaces see. */
import test, { type ExecutionContext } from "ava";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { chainsOf, Iptables, sameRule } from "../../../lib/node-iptables/index.ts";
import { cleanupProxy } from "../../../lib/proxy/cleanup.ts";
import { Conntrack } from "../../../lib/proxy/conntrack.ts";
import { Proxier } from "../../../lib/proxy/proxier.ts";
import { localTraffic } from "../../../lib/proxy/render-options.ts";
import { renderRules } from "../../../lib/proxy/render-rules.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { createLogger } from "../../../lib/util/logger.ts";
import { OPTIONS, makeService, makeSlice } from "../../unit/proxy/objects.ts";
import { MemorySource } from "./memory-source.ts";
import { overcommitment } from "../../overcommitment.ts";
import { Namespaces, eventually } from "./namespaces.ts";

const RENDER = { ...OPTIONS, nodeName: "a", nodeIp: "10.90.0.1", localTraffic: localTraffic("ClusterCIDR", "10.244.0.0/16") };
const WEB = "10.96.0.20";

class World {
  readonly spaces: Namespaces;
  readonly iptables: Iptables;
  readonly conntrack: Conntrack;
  source = new MemorySource();
  forgotten = 0;
  #stop: (() => Promise<void>) | undefined;

  constructor(backend: "nft" | "legacy") {
    this.spaces = new Namespaces(`px${backend[0]}`);
    const s = this.spaces;
    s.addHost("a", 1);
    s.addHost("b", 2);
    for (const [pod, last] of [["p1", 11], ["p2", 12], ["client", 99]] as const) s.addPod(pod, "a", 1, last);
    s.run("b", "ip route add 10.96.0.0/16 via 10.90.0.1");
    s.run("b", "ip route add 10.244.1.0/24 via 10.90.0.1");
    for (const pod of ["p1", "p2"]) { s.serveHttp(pod, pod); s.serveUdp(pod, pod); }
    this.iptables = new Iptables({ prefix: s.prefix("a"), backend });
    this.conntrack = new Conntrack(4, s.prefix("a"));
  }

  /** Starts a proxier; resolves after its first sync. */
  async start(): Promise<Proxier> {
    let synced!: () => void;
    const first = new Promise<void>((resolve) => { synced = resolve; });
    const { conntrack } = this;
    const counting = { list: conntrack.list.bind(conntrack), forget: async (...args: Parameters<Conntrack["forget"]>) => { const n = await conntrack.forget(...args); this.forgotten += n; return n; } };
    const proxier = new Proxier({
      iptables: this.iptables, conntrack: counting, source: this.source, clock: systemClock, log: createLogger("proxy-test", "warn"),
      localAddresses: () => new Set(["10.90.0.1", "10.244.1.1"]), onSynced: () => synced(),
    }, RENDER, { syncPeriodMs: 300, minSyncPeriodMs: 0 });
    const stop = new AbortController(), done = proxier.run(stop.signal);
    this.#stop = async () => { stop.abort(); await done; };
    await Promise.race([first, done]);
    return proxier;
  }

  async stop(): Promise<void> { await this.#stop?.(); this.#stop = undefined; }
  async close(): Promise<void> { await this.stop(); await this.spaces.close(); }

  /** What a client gets from an address, or "" when it gets nothing. */
  async get(from: string, url: string, seconds = 2): Promise<string> { return (await this.spaces.script(from, `curl -s -m ${seconds} --noproxy '*' http://${url}/`)).out.trim(); }
  async rules(): Promise<string> { return (await this.spaces.script("a", "iptables-save 2>/dev/null; iptables-legacy-save 2>/dev/null")).out.split("\n").filter((l) => !l.startsWith("#")).map((l) => l.replace(/\[\d+:\d+\]/, "")).join("\n"); }
}

for (const backend of ["nft", "legacy"] as const) {
  test.serial(`Proxier with iptables-${backend}: a Service from nothing to gone`, async (t) => {
    const world = new World(backend);
    try { await story(t, world); }
    finally { await world.close(); }
  });

  test.serial(`Proxier with iptables-${backend}: UDP flows`, async (t) => {
    const world = new World(backend);
    try { await udpStory(t, world); }
    finally { await world.close(); }
  });
}

test.serial("golden rules are taken by both backends of iptables and read back as they were written", async (t) => {
  const spaces = new Namespaces("pxg"), dir = path.resolve(import.meta.dirname, "../../golden");
  try {
    spaces.add("x");
    for (const file of readdirSync(dir).filter((name) => /^proxy-.*\.txt$/.test(name))) {
      for (const backend of ["nft", "legacy"] as const) {
        const iptables = new Iptables({ prefix: spaces.prefix("x"), backend, family: file.includes("ipv6") ? 6 : 4 }), text = readFileSync(path.join(dir, file), "utf8");
        await iptables.restore(text);
        const lines = (save: string): string[] => save.split("\n").filter((line) => line.startsWith("-A KUBE-")).map((line) => line.replace(/(--probability 0\.\d{8})\d+/, "$1")).sort();
        t.deepEqual(lines(await iptables.saveText()), lines(text), `${file} ${backend}`);
        await cleanupProxy(iptables);
        t.notRegex(await iptables.saveText(), /KUBE-/, `${file} ${backend}`);
      }
    }
  } finally { await spaces.close(); }
});

test.serial("Proxier refuses a host where the other backend of iptables holds chains of ours", async (t) => {
  const world = new World("nft");
  try {
    await new Iptables({ prefix: world.spaces.prefix("a"), backend: "legacy" }).restore("*nat\n:KUBE-SERVICES - [0:0]\nCOMMIT\n");
    await t.throwsAsync(world.start(), { message: /uses the nft backend, but the legacy backend also holds 1 chains of ours \(e\.g\. KUBE-SERVICES\).*iptables-legacy-restore/ });
  } finally { await world.close().catch(() => {}); await world.spaces.close(); }
});

async function story(t: ExecutionContext, world: World): Promise<void> {
  const { source } = world, ready = makeSlice("web", ["10.244.1.11", "10.244.1.12"]);
  const before = (await world.rules());
  source.set(makeService("web", { type: "NodePort", port: { nodePort: 30080 } }), makeSlice("web", []));
  await world.start();

  // No endpoints: refused (7 of curl), not timed out (28).
  for (const [from, url] of [["client", WEB], ["b", "10.90.0.1:30080"]] as const) t.is((await world.spaces.script(from, `curl -s -m 10 --noproxy '*' http://${url}/`)).code, 7, `${url} from ${from}`);

  // Endpoints: within moments, all get their share.
  source.set(makeService("web", { type: "NodePort", port: { nodePort: 30080 } }), ready);
  t.true(await eventually(async () => await world.get("client", WEB) !== "", 1_000));
  const answers = (await world.spaces.script("client", `for i in $(seq 60); do curl -s -m 2 http://${WEB}/; echo; done`, 60_000)).out.trim().split("\n");
  for (const pod of ["p1", "p2"]) t.true(answers.filter((a) => a === pod).length >= 15, `${pod} got ${answers.filter((a) => a === pod).length} of 60`);
  t.regex(await world.get("b", WEB), /^p[12]$/, "cluster IP from another host");
  t.regex(await world.get("b", "10.90.0.1:30080"), /^p[12]$/, "node port from another host");
  t.regex(await world.get("a", WEB), /^p[12]$/, "cluster IP from the node itself");
  t.regex((await world.spaces.script("p1", `for i in 1 2 3 4 5 6; do curl -s -m 2 http://${WEB}/; done`)).out, /^(p[12]){6}$/, "a pod reaches itself through its Service");

  // What is in the kernel is what the pure function says, and stays so.
  await assertInKernel(t, world, [makeService("web", { type: "NodePort", port: { nodePort: 30080 } })], [ready]);
  const settled = (await world.rules());
  const proxier = await restart(world);
  t.is((await world.rules()), settled, "a restart changes nothing");
  for (let i = 0; i < 5; i++) { proxier.forceFullSync(); proxier.changed("ns/web"); await new Promise((resolve) => setTimeout(resolve, 60)); }
  t.is((await world.rules()), settled, "repeated syncs change nothing");

  // Affinity: the same client, the same pod.
  source.set(makeService("web", { sessionAffinity: "ClientIP" }), ready);
  t.true(await eventually(async () => (await world.rules()).includes("--rcheck"), 1_000));
  t.is(new Set((await world.spaces.script("client", `for i in $(seq 20); do curl -s -m 2 http://${WEB}/; echo; done`, 60_000)).out.trim().split("\n")).size, 1);

  // Someone flushes everything.
  for (const table of ["nat", "filter", "mangle"]) world.spaces.run("a", `iptables-${(await world.iptables.info()).backend} -t ${table} -F`);
  t.is(await world.get("client", WEB, 1), "");
  t.true(await eventually(async () => await world.get("client", WEB, 1) !== "", 5_000), "rules come back after a flush");

  // Policy Local with its only endpoint elsewhere: dropped here.
  source.set(makeService("web", { internalTrafficPolicy: "Local" }), makeSlice("web", [{ ip: "10.244.1.11", node: "elsewhere" }]));
  t.true(await eventually(async () => (await world.rules()).includes("has no local endpoints"), 1_000));

  // Gone: no chain of it is left.
  source.delete("ns/web");
  t.true(await eventually(async () => !(await world.rules()).includes("ns/web"), 1_000));
  t.notRegex((await world.rules()), /KUBE-(SVC|SEP|EXT|SVL)-/);

  // What a proxier of before left is found and removed at the start.
  await world.stop();
  await world.iptables.restore("*nat\n:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]\n:KUBE-SEP-AAAAAAAAAAAAAAAA - [0:0]\n-A KUBE-SVC-AAAAAAAAAAAAAAAA -j KUBE-SEP-AAAAAAAAAAAAAAAA\n-I KUBE-SERVICES 1 -d 10.96.0.99/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-AAAAAAAAAAAAAAAA\nCOMMIT\n");
  await world.start();
  t.notRegex((await world.rules()), /AAAAAAAAAAAAAAAA/);
  await world.stop();
  t.true(await cleanupProxy(world.iptables) > 0);
  t.deepEqual(ruleLines((await world.rules())), ruleLines(before), "cleanup leaves nothing");
}

const ruleLines = (text: string): string[] => text.split("\n").filter((line) => /KUBE|^-A/.test(line));

async function restart(world: World): Promise<Proxier> {
  await world.stop();
  return world.start();
}

async function assertInKernel(t: ExecutionContext, world: World, services: Parameters<typeof renderRules>[0], slices: Parameters<typeof renderRules>[1]): Promise<void> {
  const text = renderRules(services, slices, RENDER);
  for (const table of ["nat", "filter", "mangle"]) {
    const present = chainsOf(await world.iptables.save(table), table), wanted = new Map<string, string[]>();
    for (const block of text.split("COMMIT\n").filter((b) => b.startsWith(`*${table}\n`))) {
      for (const line of block.split("\n")) {
        const chain = /^:(\S+)/.exec(line)?.[1], rule = /^-A (\S+) (.*)$/.exec(line);
        if (chain !== undefined) wanted.set(chain, []);
        if (rule !== null) wanted.get(rule[1]!)!.push(rule[2]!);
      }
    }
    for (const [chain, rules] of wanted) {
      const there = present.get(chain) ?? ["missing"];
      t.true(there.length === rules.length && rules.every((rule, i) => sameRule(rule, there[i]!)), `${table} ${chain}:\n${there.join("\n")}\nwanted:\n${rules.join("\n")}`);
    }
    t.deepEqual([...present.keys()].filter((chain) => chain.startsWith("KUBE-")).sort(), [...wanted.keys()].sort());
  }
}

async function udpStory(t: ExecutionContext, world: World): Promise<void> {
  const { source, spaces } = world, service = makeService("dns", { ports: [{ name: "u", port: 53, protocol: "UDP" }] });
  const slice = (...ips: string[]) => makeSlice("dns", ips, { name: "u", port: 5353, protocol: "UDP" });
  // One socket, one flow: a sender that never changes its port.
  const patience = 0.3 * overcommitment();
  const ask = async (): Promise<string> => (await spaces.script("client", `echo q | socat -t ${patience} -T ${patience} - UDP4:${WEB}:53,sourceport=4000,reuseaddr`)).out.trim();
  source.set(service, slice("10.244.1.11"));
  await world.start();
  t.is(await ask(), "p1");

  source.set(service, slice("10.244.1.12"));
  const changed = Date.now();
  t.true(await eventually(async () => await ask() === "p2", 2_000, 1));
  t.true(Date.now() - changed < 1_000 * overcommitment(), `recovered after ${Date.now() - changed} ms`);
  t.true(world.forgotten > 0);

  // A restart with nothing changed forgets nothing.
  world.forgotten = 0;
  await restart(world);
  await world.stop();
  t.is(world.forgotten, 0);
  t.is(await ask(), "p2");

  // Changed while no proxier ran, and all endpoints gone: the flow is forgotten at the start.
  source.set(service, slice());
  await world.start();
  t.true(await eventually(() => !spaces.run("a", "conntrack -L -p udp").includes("src=10.244.1.12"), 1_000), "N to 0 endpoints over a restart");
  source.set(service, slice("10.244.1.11"));
  t.true(await eventually(async () => await ask() === "p1", 1_000, 1));

  // The Service is deleted while no proxier runs.
  await world.stop();
  source.delete("ns/dns");
  await world.start();
  t.true(await eventually(() => !spaces.run("a", "conntrack -L -p udp").includes(`dst=${WEB}`), 1_000), "a deleted Service over a restart");
}

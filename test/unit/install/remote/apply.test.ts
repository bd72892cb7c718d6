import test, { type ExecutionContext } from "ava";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseKubeconfig } from "../../../../lib/client/kubeconfig.ts";
import { apply, type ApplyDeps, planOnly } from "../../../../lib/install/remote/apply.ts";
import type { ClusterSpec } from "../../../../lib/install/remote/cluster-file.ts";
import { deleteCluster } from "../../../../lib/install/remote/delete.ts";
import { readBundle, sha256Of } from "../../../../lib/install/remote/local-files.ts";
import { systemClock } from "../../../../lib/util/clock.ts";
import { FakeWorld, specOf } from "./fake-hosts.ts";

interface Here { readonly folder: string; readonly output: string[]; readonly deps: ApplyDeps; readonly kubeconfig: string; readonly user: { uid: number; gid: number; home: string }; program(text: string): void }

function here(t: ExecutionContext, world: FakeWorld): Here {
  const folder = mkdtempSync(path.join(tmpdir(), "kaji-apply-")), program = path.join(folder, "kaji"), output: string[] = [], user = { uid: process.getuid!(), gid: process.getgid!(), home: folder };
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(program, "first program");
  mkdirSync(path.join(folder, "bundle/packages"), { recursive: true });
  mkdirSync(path.join(folder, "bundle/images"));
  writeFileSync(path.join(folder, "bundle/packages/libatomic1_12_amd64.deb"), "library");
  writeFileSync(path.join(folder, "bundle/images/pause.tar"), "pause");
  const deps: ApplyDeps = {
    connect: world.connect, usualIdentities: [], output: { write: (text) => output.push(text) }, clock: systemClock, readBundle, reachableServer: (_, candidates) => Promise.resolve(candidates[0]),
    findProgram: async () => ({ file: program, bytes: readFileSync(program).length, sha256: await sha256Of(program) }),
  };
  return { folder, output, deps, user, kubeconfig: path.join(folder, "config"), program: (text) => writeFileSync(program, text) };
}
const yes = (): Promise<boolean> => Promise.resolve(true), never = new AbortController().signal;
const run = (spec: ClusterSpec, { deps, user, kubeconfig }: Here, signal = never, forget: readonly string[] = []) => apply(spec, { forget, kubeconfig: { user, file: kubeconfig }, confirm: yes }, deps, signal);

function assertWhole(t: ExecutionContext, world: FakeWorld, names: readonly string[], message?: string): void {
  t.deepEqual([...world.nodes.keys()].toSorted(), names.slice(1).toSorted(), message);
  t.deepEqual(Object.keys(world.members).toSorted(), [...names].toSorted(), message);
  for (const name of names) t.true([...world.machine(name).daemons].every(([daemon, program]) => daemon === "containerd" || program === world.machine(name).program), `${name} runs the program that is there; ${message ?? ""}`);
}

test("apply() makes bare hosts a cluster, brings the kubeconfig, and has nothing to do when run again", async (t) => {
  const world = new FakeWorld("m", "a", "b"), local = here(t, world), spec = specOf(world, ["m", "a", "b"]);
  t.true((await run(spec, local)).steps > 0);
  assertWhole(t, world, ["m", "a", "b"]);
  const config = parseKubeconfig(readFileSync(local.kubeconfig, "utf8"));
  t.is(config["current-context"], "test");
  t.is(config.clusters[0]!.cluster.server, "https://192.0.2.1:6443");
  world.log.length = 0;
  t.is((await run(spec, local)).steps, 0);
  t.deepEqual([...new Set(world.log.map((line) => line.replace(/^\w+: /, "")))].toSorted(), ["facts", "read /etc/kaji/admin.conf"]);
});

test("apply() gives the token through stdin: it is in no argument and in nothing that is shown", async (t) => {
  const world = new FakeWorld("m", "a"), local = here(t, world);
  await run(specOf(world, ["m", "a"]), local);
  const [token] = world.tokens;
  t.truthy(token);
  t.false([...world.log, ...local.output].some((line) => line.includes(token!)));
});

test("plan changes nothing and says what apply then does", async (t) => {
  const world = new FakeWorld("m", "a"), local = here(t, world), { text, steps } = await planOnly(specOf(world, ["m", "a"], { bundle: path.join(local.folder, "bundle") }), [], local.deps, never);
  t.true(world.machine("m").bare && world.machine("a").bare);
  t.is(text, `"m" (root@192.0.2.1:22), master
  + install libatomic1 from the bundle
  + send the program (1 MB)
  + check that it can be a master
  + kaji init: make it the master, or bring it up to date
  + note m, a in the cluster's list of members
"a" (root@192.0.2.2:22), worker
  + install libatomic1 from the bundle
  + send the program (1 MB)
  + send the bundle (2 files, 1 MB)
  + check that it can be a worker
  + kaji join: make it a node, or bring it up to date
`);
  t.is(steps, 10);
});

test("apply() interrupted before or after any operation is finished by a second run, and a third has nothing to do", async (t) => {
  const names = ["m", "a", "b"], count = await (async () => { const world = new FakeWorld(...names), local = here(t, world); await run(specOf(world, names, { bundle: path.join(local.folder, "bundle") }), local); return world.operations; })();
  t.true(count > 30, `${count} operations`);
  for (let at = 1; at <= count; at++) for (const when of ["before", "after"] as const) {
    const world = new FakeWorld(...names), local = here(t, world), spec = specOf(world, names, { bundle: path.join(local.folder, "bundle") }), stop = new AbortController(), message = `${when} operation ${at}: ${world.log[at - 1] ?? ""}`;
    world.fault = { at, when, act: () => { stop.abort(); throw stop.signal.reason as Error; } };
    const error = await t.throwsAsync(run(spec, local, stop.signal), undefined, message);
    t.is(error.message, "Interrupted: run the same command again, it goes on where this one stopped", message);
    world.fault = undefined;
    await run(spec, local);
    assertWhole(t, world, names, message);
    t.is((await run(spec, local)).steps, 0, message);
  }
});

test("apply() whose connection to one host goes at any operation ends in one message that names the host, and a second run finishes", async (t) => {
  const names = ["m", "a", "b"];
  for (let at = 4; at <= 40; at++) {
    const world = new FakeWorld(...names), local = here(t, world), spec = specOf(world, names);
    let cut = "";
    world.fault = { at, when: "before", act: () => { cut = world.log.at(-1)!.split(":")[0]!; throw new Error(`Cannot reach host "${cut}": the connection went`); } };
    const error = await run(spec, local).then(() => undefined, (e: unknown) => e as Error);
    if (cut === "") break; // All operations were there.
    if (error !== undefined) t.regex(error.message, new RegExp(`\\n  - ${cut}: |host "${cut}"`), `operation ${at}: ${error.message}`);
    world.fault = undefined;
    await run(spec, local);
    assertWhole(t, world, names, `operation ${at}`);
  }
});

test("apply() lets the others go on when a worker cannot be reached, and says so in one message", async (t) => {
  const world = new FakeWorld("m", "a", "b"), local = here(t, world), spec = specOf(world, ["m", "a", "b"]);
  world.machine("a").up = false;
  const error = await t.throwsAsync(run(spec, local));
  t.is(error.message, 'Cannot finish 1 host; put this right and run the same command again:\n  - a: Cannot reach host "a" (root@192.0.2.2:22): connection refused: check that sshd runs there');
  t.deepEqual([...world.nodes.keys()], ["b"]);
  t.is(parseKubeconfig(readFileSync(local.kubeconfig, "utf8")).clusters[0]!.name, "test");
  world.machine("a").up = true;
  await run(spec, local);
  assertWhole(t, world, ["m", "a", "b"]);
});

test("apply() changes nothing when the master cannot be reached", async (t) => {
  const world = new FakeWorld("m", "a"), local = here(t, world);
  world.machine("m").up = false;
  t.regex((await t.throwsAsync(run(specOf(world, ["m", "a"]), local))).message, /Cannot go on without the master; nothing was changed:\n  - m: Cannot reach host "m"/);
  t.true(world.machine("a").bare);
});

test("apply() tells every finding of kaji check with the host's name, and does not join that host", async (t) => {
  const world = new FakeWorld("m", "a", "b"), local = here(t, world);
  world.machine("a").findings = [{ severity: "error", problem: "port 10250 is taken", advice: "stop it" }, { severity: "warning", problem: "swap is on", advice: "turn it off" }];
  t.regex((await t.throwsAsync(run(specOf(world, ["m", "a", "b"]), local))).message, /Cannot finish 1 host.*\n  - a: check: port 10250 is taken: stop it$/);
  t.true(local.output.join("").includes("a: warning: swap is on: turn it off"));
  t.deepEqual([...world.nodes.keys()], ["b"]);
});

test("apply() refuses two hosts that are one machine, or clones, or have one name, before anything is changed", async (t) => {
  const world = new FakeWorld("m", "a", "b"), local = here(t, world), spec = specOf(world, ["m", "a", "b"]);
  world.machine("b").machineId = world.machine("a").machineId;
  t.regex((await t.throwsAsync(run(spec, local))).message, /nothing was changed:\n  - hosts "a" \(192\.0\.2\.2\) and "b" \(192\.0\.2\.3\) have the same machine-id .* clone/);
  world.machine("b").machineId = "f".repeat(32);
  world.machine("b").hostname = "a";
  const unnamed = { ...spec, complete: false, hosts: spec.hosts.map((host) => ({ ...host, nodeName: undefined })) };
  t.regex((await t.throwsAsync(run(unnamed, local))).message, /hosts "a" .* and "b" .* have the same name "a": give one another name/);
  t.true(["m", "a", "b"].every((name) => world.machine(name).bare));
});

test("apply() sends a new program, restarts its daemons one host after another, and changes no node's name or address", async (t) => {
  const world = new FakeWorld("m", "a", "b"), local = here(t, world), spec = specOf(world, ["m", "a", "b"]);
  await run(spec, local);
  local.program("second program");
  world.log.length = 0;
  await run(spec, local);
  assertWhole(t, world, ["m", "a", "b"]);
  const restarts = world.log.filter((line) => /systemctl restart|kaji join/.test(line)).map((line) => line.split(":")[0]);
  t.deepEqual(restarts, ["m", "a", "a", "b", "b"]);
  t.is((await run(spec, local)).steps, 0);
});

test("apply() restarts no further node after one that did not come back", async (t) => {
  const world = new FakeWorld("m", "a", "b"), local = here(t, world), spec = specOf(world, ["m", "a", "b"]);
  await run(spec, local);
  local.program("second program");
  world.operations = 0;
  world.fault = { at: -1, when: "before", act: () => { throw new Error("never"); } };
  const restart = world.machine("a").daemons.set.bind(world.machine("a").daemons);
  world.machine("a").daemons.set = (...args) => { if (args[0] === "kubelet") throw new Error("Cannot go on: node a was not Ready"); return restart(...args); };
  const error = await t.throwsAsync(run(spec, local));
  t.regex(error.message, /- a: restart: Cannot go on: node a was not Ready\nNot begun because of that: b$/);
  t.is([...world.machine("b").daemons.values()].filter((program) => program !== world.machine("b").program).length, 3);
});

test("apply() drains, resets and forgets a host the file names no more; one that is away stays noted until it is back or given up", async (t) => {
  const world = new FakeWorld("m", "a", "b"), local = here(t, world);
  await run(specOf(world, ["m", "a", "b"]), local);
  world.heldPods.set("b", "pod default/web-1 is held by its budget");
  t.regex((await t.throwsAsync(run(specOf(world, ["m", "a"]), local))).message, /- b: drain: Cannot drain node "b": pod default\/web-1/);
  t.true(world.nodes.get("b")!.unschedulable);
  world.heldPods.clear();
  world.machine("b").up = false;
  t.regex((await t.throwsAsync(run(specOf(world, ["m", "a"]), local))).message, /- b: Cannot reach host "b".*\n    It is to leave the cluster.*--forget b/);
  t.deepEqual([Object.keys(world.members).toSorted(), [...world.nodes.keys()]], [["a", "b", "m"], ["a"]]);
  world.machine("b").up = true;
  await run(specOf(world, ["m", "a"]), local);
  t.true(world.machine("b").bare);
  assertWhole(t, world, ["m", "a"]);
  await run(specOf(world, ["m", "a", "b"]), local);
  world.machine("b").up = false;
  await run(specOf(world, ["m", "a"]), local, never, ["b"]);
  assertWhole(t, world, ["m", "a"]);
});

test("apply() puts a host back to work that was being taken away and is named again", async (t) => {
  const world = new FakeWorld("m", "a"), local = here(t, world);
  await run(specOf(world, ["m", "a"]), local);
  world.heldPods.set("a", "a budget");
  await t.throwsAsync(run(specOf(world, ["m"]), local));
  await run(specOf(world, ["m", "a"]), local);
  t.false(world.nodes.get("a")!.unschedulable);
  t.is((await run(specOf(world, ["m", "a"]), local)).steps, 0);
});

test("apply() leaves alone a machine that came to a leaving host's address, nodes it did not add, and every host when there is no file", async (t) => {
  const world = new FakeWorld("m", "a", "b"), local = here(t, world);
  await run(specOf(world, ["m", "a", "b"]), local);
  await run(specOf(world, ["m", "a"], { complete: false }), local);
  t.true(world.nodes.has("b"));
  world.nodes.set("other", { name: "other", ready: true, unschedulable: false, machineId: "", address: "", labels: {}, taints: [] });
  world.machine("b").machineId = "e".repeat(32);
  await run(specOf(world, ["m", "a"]), local);
  t.false(world.machine("b").bare);
  t.deepEqual([...world.nodes.keys()].toSorted(), ["a", "other"]);
  t.true(local.output.join("").includes("at 192.0.2.3 is another machine"));
});

test("apply() sets labels and taints of the file, takes away only those it had set, and leaves others'", async (t) => {
  const world = new FakeWorld("m", "a"), local = here(t, world), base = specOf(world, ["m", "a"]), taint = { key: "dedicated", value: "db", effect: "NoSchedule" } as const;
  const spec = (labels: Record<string, string>, taints: typeof base.hosts[0]["taints"]): ClusterSpec => ({ ...base, hosts: base.hosts.map((host) => (host.name === "a" ? { ...host, labels, taints } : host)) });
  await run(spec({ disk: "ssd", zone: "1" }, [taint]), local);
  const node = world.nodes.get("a")!;
  node.labels["theirs"] = "x";
  node.taints.push({ key: "theirs", value: "", effect: "NoExecute" });
  t.deepEqual([node.labels, node.taints[0]], [{ disk: "ssd", zone: "1", theirs: "x" }, taint]);
  await run(spec({ zone: "2" }, []), local);
  t.deepEqual([node.labels, node.taints.map((each) => each.key)], [{ zone: "2", theirs: "x" }, ["theirs"]]);
});

test("apply() makes the master a node too where the file says so, with its labels and its bundle", async (t) => {
  const world = new FakeWorld("m", "a"), local = here(t, world), base = specOf(world, ["m", "a"], { bundle: path.join(local.folder, "bundle") });
  const spec = { ...base, hosts: base.hosts.map((host) => (host.name === "m" ? { ...host, asNode: true, labels: { disk: "ssd" } } : host)) };
  await run(spec, local);
  t.deepEqual([[...world.nodes.keys()].toSorted(), world.nodes.get("m")!.labels], [["a", "m"], { disk: "ssd" }]);
  t.true(world.log.some((line) => line.startsWith("m: flock ") && line.includes("--bundle=/var/lib/kaji/bundle --node-name=m --as-node")));
  t.is((await run(spec, local)).steps, 0);
});

test("deleteCluster() resets workers, then the master, takes the context away, and does nothing when run again", async (t) => {
  const world = new FakeWorld("m", "a", "b"), local = here(t, world), spec = specOf(world, ["m", "a"]), remove = () => deleteCluster(spec, { forget: [], kubeconfig: { user: local.user, file: local.kubeconfig }, confirm: yes }, local.deps, never);
  await run(specOf(world, ["m", "a", "b"]), local);
  world.machine("a").up = false;
  t.regex((await t.throwsAsync(remove())).message, /- a: Cannot reach host "a".*\nThe master is kept until the others are done/s);
  t.true(world.machine("m").admin && world.machine("b").bare);
  world.machine("a").up = true;
  const { hosts, context } = await remove();
  t.deepEqual([hosts, context], [["a", "m"], true]);
  t.true(["m", "a", "b"].every((name) => world.machine(name).bare));
  t.deepEqual(parseKubeconfig(readFileSync(local.kubeconfig, "utf8")).contexts, []);
  t.deepEqual(await remove(), { hosts: [], context: false });
});

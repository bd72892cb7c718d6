/**
 * Hosts and a cluster that live in memory, behind the same words as real ones: files, units, processes that run an older program, nodes. They understand the
 * commands `kaji apply` sends and nothing else. A fault can be put before or after any operation.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { stringify } from "yaml";
import type { Member, MembersReport, NodeWish } from "../../../../lib/install/host/members-report.ts";
import type { ClusterSpec } from "../../../../lib/install/remote/cluster-file.ts";
import { MASTER_UNITS, NODE_UNITS } from "../../../../lib/install/remote/plan.ts";
import { type Connect, type HostTarget, RemoteError, type RemoteHost, type RunOptions, type RunResult } from "../../../../lib/install/remote/remote-host.ts";
import { BUNDLE_MARK, PROGRAM } from "../../../../lib/install/remote/remote-kaji.ts";

const sha256 = (text: string | Buffer): string => createHash("sha256").update(text).digest("hex");
const ok = (stdout = ""): RunResult => ({ code: 0, stdout, stderr: "" }), bad = (message: string, code = 1): RunResult => ({ code, stdout: "", stderr: `Error: ${message}\n` });

interface FakeNode { name: string; ready: boolean; unschedulable: boolean; machineId: string; address: string; labels: Record<string, string>; taints: { key: string; value: string; effect: string }[] }

/** One machine. */
export class FakeMachine {
  readonly name: string;
  readonly address: string;
  machineId: string;
  machine = "x86_64";
  hostname: string;
  library = false;
  hasApt = true;
  clockOffsetMs = 0;
  freeKib = 10_000_000;
  up = true;
  files = new Map<string, Buffer>();
  /** Which program (by hash) each daemon was started from. */
  daemons = new Map<string, string>();
  env: { name: string; address: string } | undefined;
  authority: string | undefined;
  settings: MembersReport["settings"];
  admin = false;
  findings: { severity: string; problem: string; advice: string }[] = [];
  constructor(name: string, address: string) { this.name = name; this.hostname = name; this.address = address; this.machineId = sha256(name).slice(0, 32); }
  get program(): string | undefined { const file = this.files.get(PROGRAM); return file === undefined ? undefined : sha256(file); }
  /** As on a host that has nothing of ours. */
  get bare(): boolean { return this.files.size === 0 && this.daemons.size === 0 && !this.admin && this.env === undefined && !this.library; }
}

export interface Fault { /** Counted over all hosts. */ readonly at: number; readonly when: "before" | "after"; readonly act: () => never }

export class FakeWorld {
  readonly machines = new Map<string, FakeMachine>();
  members: Record<string, Member> = {};
  readonly nodes = new Map<string, FakeNode>();
  readonly tokens = new Set<string>();
  /** Pods that a budget holds, by node. */
  readonly heldPods = new Map<string, string>();
  /** What was done, as `host: words`. */
  readonly log: string[] = [];
  fault: Fault | undefined;
  operations = 0;

  constructor(...names: string[]) { for (const [i, name] of names.entries()) { const machine = new FakeMachine(name, `192.0.2.${i + 1}`); this.machines.set(machine.address, machine); } }
  machine(name: string): FakeMachine { return [...this.machines.values()].find((each) => each.name === name)!; }

  readonly connect: Connect = (target) => {
    const machine = this.machines.get(target.address);
    if (machine === undefined || !machine.up) return Promise.reject(new RemoteError("refused", target, { found: "connection refused", nextStep: "check that sshd runs there" }));
    return Promise.resolve(new FakeHost(this, machine, target));
  };

  report(master: FakeMachine): MembersReport {
    return { version: 1, settings: master.settings, pin: `sha256:${master.authority ?? ""}`, members: this.members, nodes: [...this.nodes.values()].map((node) => structuredClone(node)) };
  }
}

class FakeHost implements RemoteHost {
  readonly target: HostTarget;
  readonly #world: FakeWorld;
  readonly #machine: FakeMachine;
  constructor(world: FakeWorld, machine: FakeMachine, target: HostTarget) { this.#world = world; this.#machine = machine; this.target = target; }
  close(): void { /* Nothing is held. */ }

  async #operation<T>(words: string, work: () => T): Promise<T> {
    const world = this.#world, number = ++world.operations, { fault } = world;
    await new Promise((resolve) => setImmediate(resolve));
    world.log.push(`${this.#machine.name}: ${words}`);
    if (fault?.at === number && fault.when === "before") fault.act();
    const result = work();
    if (fault?.at === number && fault.when === "after") fault.act();
    return result;
  }

  upload(localFile: string, remoteFile: string): Promise<"sent" | "same"> { return this.write(readFileSync(localFile), remoteFile); }
  write(content: string | Buffer, remoteFile: string): Promise<"sent" | "same"> {
    return this.#operation(`write ${remoteFile}`, () => {
      const before = this.#machine.files.get(remoteFile), bytes = Buffer.from(content);
      this.#machine.files.set(remoteFile, bytes);
      return before?.equals(bytes) === true ? "same" : "sent";
    });
  }
  readFile(remoteFile: string): Promise<Buffer | undefined> { return this.#operation(`read ${remoteFile}`, () => (remoteFile === "/etc/kaji/admin.conf" && this.#machine.admin ? Buffer.from(adminConf(this.#machine)) : this.#machine.files.get(remoteFile))); }

  run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const input = String(options.input ?? "");
    return this.#operation(argv[0] === "sh" ? "facts" : argv.join(" "), () => this.#run(argv, input));
  }

  #run(argv: readonly string[], input: string): RunResult {
    const machine = this.#machine, [command = "", ...rest] = argv;
    switch (command) {
      case "sh": return ok(this.#facts());
      case "install": case "mkdir": return ok();
      case "rm": for (const file of rest) machine.files.delete(file); return ok();
      case "find": return ok([...machine.files.keys()].filter((file) => file.startsWith(`${rest[0]!}/`)).map((file) => `${path.posix.relative(rest[0]!, file)}\n`).join(""));
      case "env": { if (rest.includes("update")) return ok(); machine.library = true; return ok(); }
      case "systemctl": { for (const unit of rest.slice(1)) machine.daemons.set(unit.replace(/^kaji-|\.service$/g, ""), machine.program!); this.#kubeletStarts(); return ok(); }
      case "flock": return this.#kaji(rest.slice(rest.indexOf(PROGRAM) + 2), input);
      case PROGRAM: return this.#kaji(rest, input);
      default: throw new Error(`A fake host knows no ${argv.join(" ")}`);
    }
  }

  #facts(): string {
    const machine = this.#machine, lines: [string, string | undefined][] = [
      ["time", String(Date.now() + machine.clockOffsetMs)], ["machine", machine.machine], ["hostname", machine.hostname], ["uid", "0"], ["system", "Debian GNU/Linux 12 (bookworm)"], ["machineId", machine.machineId], ["systemd", "yes"],
      ["packages", machine.hasApt ? "apt" : undefined], ["address", machine.address], ["free", String(machine.freeKib)], ["library", machine.library ? "yes" : undefined], ["program", machine.program], ["commit", machine.program !== undefined && machine.library ? "0123456789abcdef" : undefined],
      ["traces", machine.bare ? undefined : "yes"], ...[...machine.daemons].map(([daemon, program]): [string, string] => ["unit", `${daemon} ${program === machine.program || daemon === "containerd" ? "current" : "stale"}`]),
      ["bundle", machine.files.get(BUNDLE_MARK)?.toString().trim()], ["authority", machine.authority], ["nodeName", machine.env?.name], ["master", machine.admin ? "yes" : undefined],
      ["cluster", machine.admin && machine.daemons.size > 0 ? JSON.stringify(this.#world.report(machine)) : undefined],
    ];
    return lines.map(([key, value]) => (value === undefined ? "" : `${key}=${value}\n`)).join("");
  }

  #kubeletStarts(): void {
    const { env, daemons, machineId } = this.#machine, { nodes } = this.#world;
    if (env !== undefined && daemons.has("kubelet") && !nodes.has(env.name)) nodes.set(env.name, { name: env.name, ready: true, unschedulable: false, machineId, address: env.address, labels: {}, taints: [] });
  }

  #kaji([verb = "", ...args]: readonly string[], input: string): RunResult {
    const machine = this.#machine;
    if (machine.program === undefined || !machine.library) return { code: 127, stdout: "", stderr: "kaji: error while loading shared libraries: libatomic.so.1" };
    const flag = (name: string): string | undefined => { const i = args.indexOf(`--${name}`); return i >= 0 ? args[i + 1] : args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3); };
    switch (verb) {
      case "check": return { code: machine.findings.some((finding) => finding.severity === "error") ? 1 : 0, stdout: JSON.stringify({ findings: machine.findings }), stderr: "" };
      case "init": {
        machine.authority ??= sha256(`authority of ${machine.machineId}`);
        machine.admin = true;
        for (const unit of MASTER_UNITS) if (!machine.daemons.has(unit)) machine.daemons.set(unit, machine.program);
        machine.settings = { server: `https://${flag("advertise-address") ?? machine.address}:${flag("port") ?? 6443}`, podCidr: flag("pod-cidr") ?? "10.244.0.0/16", serviceCidr: flag("service-cidr") ?? "10.96.0.0/16", clusterDomain: flag("cluster-domain") ?? "cluster.local", profile: (flag("profile") ?? "small") as "small" };
        if (args.includes("--as-node")) {
          machine.env ??= { name: flag("node-name") ?? machine.hostname, address: machine.address };
          for (const unit of NODE_UNITS) if (!machine.daemons.has(unit)) machine.daemons.set(unit, machine.program);
          this.#kubeletStarts();
        }
        return ok();
      }
      case "join": {
        if (!this.#world.tokens.has(input.trim())) return bad("Cannot join: the token is unknown or has expired");
        const master = [...this.#world.machines.values()].find((each) => each.admin)!;
        machine.authority = master.authority;
        machine.env = { name: flag("node-name") ?? machine.hostname, address: flag("node-ip") ?? machine.address };
        for (const unit of NODE_UNITS) if (!machine.daemons.has(unit)) machine.daemons.set(unit, machine.program);
        this.#kubeletStarts();
        return ok(`\nThis host is node "${machine.env.name}" at ${machine.env.address}.\n`);
      }
      case "reset": {
        machine.daemons.clear();
        machine.library = false; // It came with us, and is noted as such.
        machine.files.clear();
        machine.env = undefined;
        if (machine.admin) { this.#world.members = {}; this.#world.nodes.clear(); }
        machine.admin = false;
        machine.authority = undefined;
        machine.settings = undefined;
        return ok();
      }
      case "token": { if (args[0] === "create") { const token = `abcdef.${String(this.#world.tokens.size).padStart(16, "0")}`; this.#world.tokens.add(token); return ok(`${token}\n`); } return ok(); }
      case "members": return this.#memberCommand(args, input);
      default: throw new Error(`A fake host knows no kaji ${verb}`);
    }
  }

  #memberCommand([verb = "", name, more]: readonly string[], input: string): RunResult {
    const world = this.#world, node = world.nodes.get(name ?? "");
    switch (verb) {
      case "list": return ok(JSON.stringify(world.report(this.#machine)));
      case "record": for (const [key, member] of Object.entries(JSON.parse(input) as Record<string, Member | null>)) { if (member === null) delete world.members[key]; else world.members[key] = member; } return ok();
      case "configure": {
        const wish = JSON.parse(input) as NodeWish;
        if (node === undefined) return bad("not found");
        for (const [key, value] of Object.entries(wish.labels)) { if (value === null) delete node.labels[key]; else node.labels[key] = value; }
        node.taints = [...node.taints.filter((taint) => !wish.removeTaints.includes(`${taint.key}:${taint.effect}`) && !wish.addTaints.some((added) => added.key === taint.key && added.effect === taint.effect)), ...wish.addTaints];
        if (wish.uncordon) node.unschedulable = false;
        return ok();
      }
      case "drain": { if (node === undefined) return ok("0 pods left\n"); node.unschedulable = true; const held = world.heldPods.get(name!); return held === undefined ? ok("2 pods left\n") : bad(`Cannot drain node "${name!}": ${held}`); }
      case "remove": { world.nodes.delete(name!); if (more === "--forget") delete world.members[name!]; return ok(); }
      default: throw new Error(`A fake host knows no kaji members ${verb}`);
    }
  }
}

const adminConf = (machine: FakeMachine): string => stringify({
  apiVersion: "v1", kind: "Config", "current-context": "kubernetes-admin@kaji", clusters: [{ name: "kaji", cluster: { "certificate-authority-data": machine.authority, server: machine.settings?.server ?? "https://192.0.2.1:6443" } }],
  contexts: [{ name: "kubernetes-admin@kaji", context: { cluster: "kaji", user: "kubernetes-admin" } }], users: [{ name: "kubernetes-admin", user: { "client-certificate-data": "Yw==", "client-key-data": "aw==" } }],
});

/** A spec of the world's machines: the first is the master. */
export function specOf(world: FakeWorld, names: readonly string[], more: Partial<ClusterSpec> = {}): ClusterSpec {
  return {
    name: "test", cluster: { apiServerNames: [] }, drainTimeoutMs: 60_000, complete: true,
    hosts: names.map((name, i) => ({ name, nodeName: name, role: i === 0 ? "master" as const : "worker" as const, reach: { address: world.machine(name).address, port: 22, user: "root" }, labels: {}, taints: [] })), ...more,
  };
}

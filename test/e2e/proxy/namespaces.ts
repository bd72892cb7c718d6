/**
 * Hosts as network namespaces, for tests of what really happens to packets. Everything lives in namespaces of the test's own;
 * the machine's rules, routes and links are never touched. Needs root, iproute2, iptables and busybox: says so when missing.
 *
 *   pod (10.244.N.x) ── cni0 [ host (10.90.0.N) ] ── wire90 ── [ router ] ── wire91 ── [ hosts (10.91.0.N) ]
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ExecError, exec } from "../../../lib/util/exec.ts";
import { overcommitment } from "../../overcommitment.ts";

export class Namespaces {
  readonly #made: string[] = [];
  readonly #children: ChildProcess[] = [];
  readonly #directories: string[] = [];
  readonly #tag: string;

  constructor(tag: string) {
    if (process.getuid?.() !== 0) throw new Error("Cannot run: these tests make network namespaces and need root");
    for (const program of ["ip", "nsenter", "iptables", "iptables-nft", "iptables-legacy", "conntrack", "busybox", "socat", "curl"]) {
      try { execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" }); }
      catch { throw new Error(`Cannot run: the program ${program} is not installed`); }
    }
    this.#tag = `${tag}${process.pid}`;
  }

  name(short: string): string { return `${this.#tag}-${short}`; }
  prefix(short: string): string[] { return ["nsenter", `--net=/run/netns/${this.name(short)}`]; }

  add(short: string): void {
    const name = this.name(short);
    if (existsSync(`/run/netns/${name}`)) execFileSync("ip", ["netns", "del", name]);
    execFileSync("ip", ["netns", "add", name]);
    this.#made.push(name);
    this.run(short, "ip link set lo up");
  }

  /** Runs a command line (split at blanks, no shell) inside; returns what it prints. Throws on failure. */
  run(short: string, command: string): string {
    const [program, ...args] = [...this.prefix(short), ...command.split(" ")];
    return execFileSync(program!, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  }

  /** As `run`, with a shell script and without holding up this process; failures give the output and the code. */
  script(short: string, script: string, timeoutMs = 15_000): Promise<{ code: number; out: string }> {
    const [program, ...args] = [...this.prefix(short), "sh", "-c", script];
    return exec(program!, args, { timeoutMs }).then(({ stdout }) => ({ code: 0, out: stdout }), (error: unknown) => {
      if (!(error instanceof ExecError)) throw error;
      return { code: error.exitCode, out: `${error.stdout}${error.stderr}` };
    });
  }

  /** Writes a kernel setting inside. */
  sysctl(short: string, name: string, value: string): void { execFileSync("nsenter", [...this.prefix(short).slice(1), "sh", "-c", `echo ${value} > /proc/sys/${name.replaceAll(".", "/")}`]); }

  start(short: string, argv: readonly string[]): ChildProcess {
    const [program, ...args] = [...this.prefix(short), ...argv];
    const child = spawn(program!, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#children.push(child);
    return child;
  }

  /** A link between two namespaces. */
  link(a: string, nameA: string, b: string, nameB: string): void {
    execFileSync("ip", ["link", "add", nameA, "netns", this.name(a), "type", "veth", "peer", "name", nameB, "netns", this.name(b)]);
    this.run(a, `ip link set ${nameA} up`);
    this.run(b, `ip link set ${nameB} up`);
  }

  /** A host on the wire, with a default route; `bridge` gives it a bridge for pods. `subnet` 90 or 91: between them is a router. */
  addHost(short: string, n: number, { bridge = true, subnet = 90 }: { bridge?: boolean; subnet?: 90 | 91 } = {}): void {
    const wire = `wire${subnet}`;
    if (!this.#made.includes(this.name(wire))) this.#addWire(wire, subnet);
    this.add(short);
    this.link(short, "eth0", wire, `h${n}`);
    this.run(wire, `ip link set h${n} master br0`);
    this.run(short, `ip addr add 10.${subnet}.0.${n}/24 dev eth0`);
    this.run(short, `ip route add default via 10.${subnet}.0.254`); // As any host has one: without, nothing can be sent to a cluster IP.
    if (!bridge) return;
    this.run(short, "ip link add cni0 type bridge");
    this.run(short, `ip addr add 10.244.${n}.1/24 dev cni0`);
    this.run(short, "ip link set cni0 up");
    this.sysctl(short, "net.ipv4.ip_forward", "1");
    this.sysctl(short, "net.bridge.bridge-nf-call-iptables", "1");
  }

  #addWire(wire: string, subnet: number): void {
    this.add(wire);
    this.run(wire, "ip link add br0 type bridge");
    this.run(wire, "ip link set br0 up");
    if (!this.#made.includes(this.name("router"))) {
      this.add("router");
      this.sysctl("router", "net.ipv4.ip_forward", "1");
    }
    this.link("router", `r${subnet}`, wire, "router");
    this.run(wire, "ip link set router master br0");
    this.run("router", `ip addr add 10.${subnet}.0.254/24 dev r${subnet}`);
  }

  /** A pod on a host; its address ends in `last`. */
  addPod(short: string, host: string, n: number, last: number): string {
    this.add(short);
    this.link(short, "eth0", host, `v${last}`);
    this.run(host, `ip link set v${last} master cni0`);
    this.run(host, `ip link set v${last} type bridge_slave hairpin on`);
    const address = `10.244.${n}.${last}`;
    this.run(short, `ip addr add ${address}/24 dev eth0`);
    this.run(short, `ip route add default via 10.244.${n}.1`);
    return address;
  }

  /** Serves the text `body` over HTTP on port 8080 of a namespace. */
  serveHttp(short: string, body: string): void {
    const dir = mkdtempSync(path.join(tmpdir(), "kaji-web-"));
    this.#directories.push(dir);
    writeFileSync(path.join(dir, "index.html"), body);
    this.start(short, ["busybox", "httpd", "-f", "-p", "8080", "-h", dir]);
  }

  /** Answers each UDP datagram on port 5353 with `body`. */
  serveUdp(short: string, body: string): ChildProcess { return this.start(short, ["socat", "UDP4-RECVFROM:5353,reuseaddr,fork", `SYSTEM:cat >/dev/null; printf ${body}`]); }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    await sleep(50);
    for (const name of this.#made.toReversed()) {
      try { execFileSync("ip", ["netns", "del", name], { stdio: "ignore" }); } catch { /* Gone already. */ }
    }
    for (const dir of this.#directories) rmSync(dir, { recursive: true, force: true });
  }
}

/** Tries until `check` is true; false after `limitMs`, which is a limit for a machine that is not overcommitted and stretches where it is. */
export async function eventually(check: () => boolean | Promise<boolean>, limitMs: number, stepMs = 50): Promise<boolean> {
  for (const startMs = performance.now(); ;) {
    if (await check()) return true;
    if (performance.now() - startMs > limitMs * overcommitment()) return false;
    await sleep(stepMs);
  }
}

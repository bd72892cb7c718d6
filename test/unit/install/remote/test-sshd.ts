/**
 * An SSH server in process: ssh2's, running what clients ask for in a real `sh`, with `sudo` and `id` of its own first on PATH.
 * The user it serves is not root as far as `id` tells, until the fake sudo made it so.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectTcp, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import ssh2, { type AuthContext, type Connection, type ParsedKey, type ServerChannel } from "ssh2";
import { KnownHosts, knownHostLine } from "../../../../lib/install/remote/known-hosts.ts";
import type { HostTarget, SecretKind, Secrets } from "../../../../lib/install/remote/remote-host.ts";

/** What the fake sudo does. */
export type SudoMode = "free" | "password" | "not-a-sudoer" | "requiretty" | "silent";

export interface TestSshdOptions {
  readonly hostKeys?: readonly string[];
  readonly password?: string;
  readonly authorized?: readonly ParsedKey[];
  /** `keyboard-interactive` with these questions instead of a password. */
  readonly questions?: readonly { prompt: string; echo: boolean }[];
  /** As OpenSSH's MaxAuthTries. */
  readonly triesMax?: number;
  /** Keys and then the password too. */
  readonly both?: boolean;
  readonly sudo?: SudoMode;
  readonly isRoot?: boolean;
  readonly forbidForwarding?: boolean;
  /** Closes the connection once the client has sent this many bytes to a command. */
  readonly cutAfterBytes?: number;
}

/** A key pair. ssh2 leaves out a leading zero now and then, and the key is none: then another is made. */
export function generateKey(type: "ed25519" | "ecdsa" | "rsa", passphrase?: string): { private: string; public: string } {
  const locked: object = passphrase === undefined ? {} : { passphrase, cipher: "aes256-ctr", rounds: 4 };
  for (;;) {
    const pair = type === "ed25519" ? ssh2.utils.generateKeyPairSync(type, locked) : type === "ecdsa" ? ssh2.utils.generateKeyPairSync(type, { bits: 384, ...locked }) : ssh2.utils.generateKeyPairSync(type, { bits: 2048, ...locked });
    if (!(ssh2.utils.parseKey(pair.private, passphrase) instanceof Error)) return pair;
  }
}
export const HOST_KEY = generateKey("ed25519").private;
export const publicBlob = (privateKey: string, passphrase?: string): Buffer => parsed(privateKey, passphrase).getPublicSSH();
export function parsed(privateKey: string, passphrase?: string): ParsedKey {
  const key = ssh2.utils.parseKey(privateKey, passphrase);
  if (key instanceof Error) throw key;
  return key;
}

const SUDO = `#!/bin/sh
dir=$(dirname "$0")/..
prompt=
while [ $# -gt 0 ]; do case $1 in -S) shift;; -p) prompt=$2; shift 2;; --) shift; break;; *) break;; esac; done
printf '%s\\n' "$*" >> "$dir/sudo.log"
case $(cat "$dir/sudo.mode") in
  free) KAJI_TEST_ROOT=1 exec "$@";;
  requiretty) echo 'sudo: sorry, you must have a tty to run sudo' >&2; exit 1;;
  silent) echo 'One-time code:' >&2; exec sleep 600;;
esac
for try in 1 2 3; do
  printf '%s' "$prompt" >&2
  IFS= read -r answer || { echo 'sudo: no password was provided' >&2; exit 1; }
  echo "asked" >> "$dir/sudo.asked"
  if [ "$answer" = sesame ]; then
    [ "$(cat "$dir/sudo.mode")" = password ] || { echo 'alice is not in the sudoers file.' >&2; exit 1; }
    KAJI_TEST_ROOT=1 exec "$@"
  fi
  echo 'Sorry, try again.' >&2
done
echo 'sudo: 3 incorrect password attempts' >&2
exit 1
`;
const ID = `#!/bin/sh\n[ "\${KAJI_TEST_ROOT:-}" = 1 ] && echo 0 || echo 1000\n`;

export class TestSshd {
  readonly directory = mkdtempSync(path.join(tmpdir(), "kaji-ssh-"));
  readonly commands: string[] = [];
  /** Bytes of stdin that commands were sent. */
  receivedBytes = 0;
  connections = 0;
  /** As sshd, which may not signal what root runs. */
  ignoreSignals = false;
  /** PATH of commands. */
  path: string;
  /** Proofs offered, in order: `none`, `publickey`, `password`. */
  readonly offered: string[] = [];
  options: TestSshdOptions;
  readonly #server: InstanceType<typeof ssh2.Server>;
  readonly #open = new Set<Connection>();
  readonly #children = new Set<ChildProcess>();

  constructor(options: TestSshdOptions = {}) {
    this.options = options;
    this.#server = new ssh2.Server({ hostKeys: [...(options.hostKeys ?? [HOST_KEY])] }, (client) => this.#serve(client));
    const bin = path.join(this.directory, "bin");
    mkdirSync(bin);
    this.path = `${bin}:${process.env["PATH"]!}`;
    const programs = { ...(options.sudo === undefined ? {} : { sudo: SUDO }), id: ID };
    for (const [name, text] of Object.entries(programs)) { writeFileSync(path.join(bin, name), text); chmodSync(path.join(bin, name), 0o755); }
    this.sudo = options.sudo ?? "free";
  }

  set sudo(mode: SudoMode) { writeFileSync(path.join(this.directory, "sudo.mode"), mode); }
  /** What the fake sudo wrote: `sudo.log` (its command lines) or `sudo.asked`. */
  record(name: "sudo.log" | "sudo.asked"): string[] {
    try { return readFileSync(path.join(this.directory, name), "utf8").split("\n").filter(Boolean); }
    catch { return []; }
  }

  /** Listens on loopback. */
  start(): Promise<this> { return new Promise((resolve) => { this.#server.listen(0, "127.0.0.1", () => resolve(this)); }); }
  get port(): number { return (this.#server.address() as AddressInfo).port; }
  target(over: Partial<HostTarget> = {}): HostTarget { return { name: "vm1", address: "127.0.0.1", port: this.port, user: "alice", identityFiles: [], ...over }; }
  /** A known_hosts file that knows this server. */
  knownHosts(key = publicBlob(this.options.hostKeys?.[0] ?? HOST_KEY)): KnownHosts {
    const file = path.join(this.directory, "known_hosts");
    writeFileSync(file, knownHostLine("127.0.0.1", this.port, key));
    return new KnownHosts([file]);
  }
  file(name: string): string { return path.join(this.directory, name); }

  /** Ends every connection as a dead network would: without a word. */
  cut(): void { for (const client of this.#open) rawSocket(client).destroy(); }
  /** Stops answering: the peer is dead, its kernel is not. */
  freeze(): void { for (const client of this.#open) rawSocket(client).pause(); }

  /** Resolves when no client is connected. */
  async empty(): Promise<void> { while (this.#open.size > 0) await new Promise<void>((resolve) => { [...this.#open][0]!.once("close", () => resolve()); }); }

  async stop(): Promise<void> {
    this.cut();
    for (const child of this.#children) signalGroup(child, "SIGKILL");
    await new Promise<void>((resolve) => { this.#server.close(() => resolve()); });
    rmSync(this.directory, { recursive: true, force: true });
  }

  #serve(client: Connection): void {
    this.connections += 1;
    this.#open.add(client);
    client.on("close", () => { this.#open.delete(client); });
    client.on("error", () => { /* Cut on purpose. */ });
    let tries = 0, keyTaken = false;
    client.on("authentication", (context) => {
      this.offered.push(context.method);
      const methods: ("publickey" | "password" | "keyboard-interactive")[] = [];
      if (this.options.authorized !== undefined && !keyTaken) methods.push("publickey");
      if (this.options.questions !== undefined) methods.push("keyboard-interactive");
      else if (this.options.password !== undefined && (this.options.both !== true || keyTaken)) methods.push("password");
      if (context.method !== "none") tries += 1;
      if (this.#accepts(context)) {
        if (this.options.both === true && context.method === "publickey" && context.signature !== undefined) { keyTaken = true; return context.reject(["password"], true); }
        return context.accept();
      }
      if (context.method === "keyboard-interactive" && this.options.questions !== undefined) {
        return context.prompt([...this.options.questions], (answers: string[]) => (answers.every((answer) => answer === this.options.password) ? context.accept() : context.reject(methods)));
      }
      if (tries >= (this.options.triesMax ?? Infinity)) { disconnect(client); return; }
      context.reject(methods);
    });
    client.on("ready", () => {
      client.on("session", (accept) => {
        accept().on("exec", (acceptExec, _reject, info) => this.#exec(acceptExec(), info.command)).on("signal", () => { if (!this.ignoreSignals) for (const child of this.#children) signalGroup(child, "SIGTERM"); });
      });
      client.on("tcpip", (accept, reject, info) => {
        if (this.options.forbidForwarding === true) { reject(); return; }
        const socket = connectTcp(info.destPort, info.destIP);
        socket.once("error", () => reject());
        socket.once("connect", () => {
          const channel = accept();
          socket.pipe(channel).pipe(socket);
          channel.on("error", () => socket.destroy());
          socket.on("error", () => channel.end());
        });
      });
    });
  }

  #accepts(context: AuthContext): boolean {
    if (context.method === "password") return this.options.password !== undefined && context.password === this.options.password;
    if (context.method !== "publickey") return false;
    const key = this.options.authorized?.find((each) => each.getPublicSSH().equals(context.key.data));
    if (key === undefined) return false;
    return context.signature === undefined || key.verify(context.blob!, context.signature, (context as { hashAlgo?: string }).hashAlgo);
  }

  #exec(channel: ServerChannel, command: string): void {
    this.commands.push(command);
    const child = spawn("/bin/sh", ["-c", command], { detached: true, stdio: ["pipe", "pipe", "pipe"], cwd: this.directory, env: { PATH: this.path, HOME: this.directory, ...(this.options.isRoot === true ? { KAJI_TEST_ROOT: "1" } : {}) } });
    this.#children.add(child);
    channel.on("data", (chunk: Buffer) => {
      this.receivedBytes += chunk.length;
      child.stdin.write(chunk);
      if (this.receivedBytes > (this.options.cutAfterBytes ?? Infinity)) { this.cut(); child.stdin.end(); }
    });
    channel.on("end", () => child.stdin.end());
    channel.on("close", () => child.stdin.end());
    channel.on("error", () => { /* Cut on purpose. */ });
    child.stdin.on("error", () => { /* It reads no more. */ });
    child.stdout.on("data", (chunk: Buffer) => channel.write(chunk));
    child.stderr.on("data", (chunk: Buffer) => channel.stderr.write(chunk));
    child.on("close", (code, signal) => {
      this.#children.delete(child);
      if (code === null) channel.exit((signal ?? "SIGKILL").replace("SIG", ""));
      else channel.exit(code);
      channel.end();
    });
  }
}

/** Signals a command and what it started; it may have ended just now. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try { process.kill(-child.pid!, signal); }
  catch (error) { if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error; }
}

interface Insides { _sock: Socket; _protocol: { disconnect(reason: number): void } }
const rawSocket = (client: Connection): Socket => (client as unknown as Insides)._sock;

/** As sshd does after too many tries. ssh2's server says no text with it, so the reason's own is sent: "PROTOCOL_ERROR". */
function disconnect(client: Connection): void {
  (client as unknown as Insides)._protocol.disconnect(2);
  rawSocket(client).end();
}

/** Answers as told, and remembers what was asked. */
export class TestSecrets implements Secrets {
  readonly asked: string[] = [];
  readonly #answers: Partial<Record<SecretKind, string>>;
  constructor(answers: Partial<Record<SecretKind, string>> = {}) { this.#answers = answers; }
  async password(target: HostTarget, what: SecretKind, file?: string): Promise<string | undefined> {
    this.asked.push(file === undefined ? `${what} ${target.name}` : `${what} ${target.name} ${path.basename(file)}`);
    return this.#answers[what];
  }
}

/** The free port nobody listens on any more. */
export async function closedPort(): Promise<number> {
  const { createServer } = await import("node:net");
  const server = createServer();
  await new Promise<void>((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => { server.close(() => resolve()); });
  return port;
}

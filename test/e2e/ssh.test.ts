/** The SSH transport against the distribution's sshd, sudo, PAM and ssh-agent. */
import test, { type ExecutionContext } from "ava";
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { connect as connectTcp, createServer, type AddressInfo } from "node:net";
import { type ConnectDeps, createConnect } from "../../lib/install/remote/connect.ts";
import { KnownHosts } from "../../lib/install/remote/known-hosts.ts";
import { type HostTarget, RemoteError, type RemoteHost, type RemoteReason, type SecretKind, type Secrets } from "../../lib/install/remote/remote-host.ts";
import { RealSshd, USERS } from "./ssh/real-sshd.ts";

let sshd: RealSshd;
let rootKey: string;
const { signal } = new AbortController();
const usersBefore = readFileSync("/etc/passwd", "utf8");

test.before(async () => {
  sshd = await RealSshd.start();
  rootKey = sshd.keyPair("id_root", "ed25519");
  sshd.authorize("root", rootKey);
});
test.after.always(async () => { await sshd.stop(); });

class Answers implements Secrets {
  readonly asked: string[] = [];
  readonly #answers: Partial<Record<SecretKind, string>>;
  constructor(answers: Partial<Record<SecretKind, string>>) { this.#answers = answers; }
  async password(_target: HostTarget, what: SecretKind): Promise<string | undefined> { this.asked.push(what); return this.#answers[what]; }
}
const SESAME = { login: "sesame", sudo: "sesame" };

let files = 0;
const freshKnownHosts = (): KnownHosts => new KnownHosts([sshd.file(`known_hosts_${files += 1}`)]);
const targetOf = (user: string, over: Partial<HostTarget> = {}): HostTarget => ({ name: `real-${user}`, address: "127.0.0.1", port: sshd.port, user, identityFiles: user === "root" ? [rootKey] : [], ...over });

async function open(t: ExecutionContext, target: HostTarget, secrets: Secrets = new Answers(SESAME), deps: Partial<ConnectDeps> = {}): Promise<RemoteHost> {
  const host = await createConnect({ secrets, knownHosts: freshKnownHosts(), ...deps }, { acceptNewHostKeys: true })(target, signal);
  t.teardown(() => host.close());
  return host;
}

async function fails(t: ExecutionContext, work: Promise<unknown>, reason: RemoteReason, message: RegExp): Promise<void> {
  const error = await t.throwsAsync(work, { instanceOf: RemoteError });
  t.is(error.reason, reason, error.message);
  t.regex(error.message, message);
}

test("root logs in with keys of each kind made by ssh-keygen, one with a passphrase", async (t) => {
  for (const type of ["ed25519", "ecdsa", "rsa"] as const) {
    const file = sshd.keyPair(`id_${type}`, type, type === "rsa" ? "open" : ""), secrets = new Answers({ passphrase: "open" });
    sshd.authorize("root", file);
    const host = await open(t, targetOf("root", { identityFiles: [file] }), secrets);
    t.deepEqual(await host.run(["id", "-u"], { sudo: true }), { code: 0, stdout: "0\n", stderr: "" });
    t.deepEqual(secrets.asked, type === "rsa" ? ["passphrase"] : []);
  }
});

test("OpenSSH's own client knows the host by what kaji wrote, and kaji by what it wrote, hashed", async (t) => {
  const ours = freshKnownHosts(), theirs = sshd.file("known_hosts_theirs");
  const ssh = (...options: string[]): Buffer => execFileSync("ssh", ["-F", "none", "-p", String(sshd.port), "-i", rootKey, "-o", "BatchMode=yes", "-o", "GlobalKnownHostsFile=/dev/null", ...options, "root@127.0.0.1", "true"], { stdio: "pipe" });
  await open(t, targetOf("root"), undefined, { knownHosts: ours });
  t.notThrows(() => ssh("-o", `UserKnownHostsFile=${ours.file}`, "-o", "StrictHostKeyChecking=yes"));
  ssh("-o", `UserKnownHostsFile=${theirs}`, "-o", "StrictHostKeyChecking=accept-new", "-o", "HashKnownHosts=yes", "-o", "HostKeyAlgorithms=rsa-sha2-512");
  const connect = createConnect({ secrets: new Answers({}), knownHosts: new KnownHosts([theirs]) });
  const host = await connect(targetOf("root"), signal); // Known by its RSA key only: that is the one to ask for.
  host.close();
  t.true(readFileSync(theirs, "utf8").startsWith("|1|"));
});

test("a user logs in by password, or by the question PAM asks", async (t) => {
  for (const user of ["kaji-admin", "kaji-kbd"]) {
    const host = await open(t, targetOf(user));
    t.is((await host.run(["id", "-un"])).stdout, `${user}\n`);
  }
  await fails(t, open(t, targetOf("kaji-admin"), new Answers({ login: "wrong" })), "login-refused", /the password of user "kaji-admin" was refused/);
  await fails(t, open(t, targetOf("kaji-kbd"), new Answers({ login: "wrong" })), "login-refused", /the password of user "kaji-kbd" was refused/);
});

test("a host that wants a key and the password gets both", async (t) => {
  const file = sshd.keyPair("id_both", "ed25519");
  sshd.authorize("kaji-both", file);
  t.is((await (await open(t, targetOf("kaji-both", { identityFiles: [file] }))).run(["id", "-un"])).stdout, "kaji-both\n");
});

test("the right key is found behind an agent with more keys than sshd lets one try", async (t) => {
  const socket = sshd.file("agent.sock"), agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "inherit"] });
  t.teardown(() => agent.kill());
  await once(agent.stdout, "data");
  for (let n = 0; n < 8; n += 1) execFileSync("ssh-add", ["-q", sshd.keyPair(`id_agent_${n}`, "ed25519")], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: "pipe" });
  sshd.authorize("root", sshd.file("id_agent_7"));
  const host = await open(t, targetOf("root", { identityFiles: [] }), new Answers({}), { agentSocket: socket });
  t.is((await host.run(["id", "-un"])).stdout, "root\n");
});

test("sudo with a password: as root, with input of its own, the password asked for once", async (t) => {
  const secrets = new Answers(SESAME), host = await open(t, targetOf("kaji-admin"), secrets);
  t.deepEqual(await host.run(["id", "-u"], { sudo: true }), { code: 0, stdout: "0\n", stderr: "" });
  t.is((await host.run(["cat"], { sudo: true, input: "mine alone\n" })).stdout, "mine alone\n");
  t.is((await host.run(["sh", "-c", "echo out; echo err >&2; exit 3"], { sudo: true })).code, 3);
  t.deepEqual(secrets.asked, ["login", "sudo"]);
});

test("sudo without a password, refused, in need of a terminal, and with a wrong password", async (t) => {
  const free = new Answers({ login: "sesame" });
  t.is((await (await open(t, targetOf("kaji-free"), free)).run(["id", "-u"], { sudo: true })).stdout, "0\n");
  t.deepEqual(free.asked, ["login"]);
  await fails(t, (await open(t, targetOf("kaji-guest"))).run(["true"], { sudo: true }), "not-a-sudoer", /user "kaji-guest" may not use sudo/);
  await fails(t, (await open(t, targetOf("kaji-tty"))).run(["true"], { sudo: true }), "sudo-needs-terminal", /requiretty/);
  await fails(t, (await open(t, targetOf("kaji-admin"), new Answers({ login: "sesame", sudo: "wrong" }))).run(["true"], { sudo: true }), "sudo-password", /sudo refused the password of user "kaji-admin"/);
});

test("an upload through sudo lands whole, as root's, with its mode; the second sends nothing", async (t) => {
  const host = await open(t, targetOf("kaji-admin")), local = sshd.file("program"), remote = sshd.file("rooms", "program");
  writeFileSync(local, randomBytes(30_000_000));
  t.is(await host.upload(local, remote, { mode: 0o755, sudo: true }), "sent");
  t.true(readFileSync(remote).equals(readFileSync(local)));
  t.deepEqual([statSync(remote).uid, statSync(remote).mode & 0o777], [0, 0o755]);
  t.is(await host.upload(local, remote, { mode: 0o755, sudo: true }), "same");
  await fails(t, host.upload(local, sshd.file("rooms", "other"), { mode: 0o755 }), "no-permission", /Permission denied: give user "kaji-admin" the right to write there/);
  t.is((await host.readFile("/etc/shadow", { sudo: true }))!.toString().includes("kaji-admin"), true);
  await fails(t, host.readFile("/etc/shadow"), "no-permission", /Permission denied/);
});

test("an upload cut in the middle goes on where it stopped", async (t) => {
  const local = sshd.file("cut"), remote = sshd.file("rooms", "cut"), total = 30_000_000;
  writeFileSync(local, randomBytes(total));
  const proxy = await cuttingProxy(t, sshd.port, 12_000_000), knownHosts = freshKnownHosts();
  const connect = createConnect({ secrets: new Answers(SESAME), knownHosts }, { acceptNewHostKeys: true });
  const first = await connect(targetOf("kaji-admin", { port: proxy }), signal);
  await fails(t, first.upload(local, remote, { mode: 0o644, sudo: true }), "lost", /the connection was lost in the middle/);
  t.false(existsSync(remote));
  let from: number | undefined;
  const second = await open(t, targetOf("kaji-admin"));
  t.is(await second.upload(local, remote, { mode: 0o644, sudo: true, onProgress: (sent) => { from ??= sent; } }), "sent");
  t.true(readFileSync(remote).equals(readFileSync(local)));
  t.true(from! > 1_000_000 && from! < total, `went on at ${from}`);
  t.deepEqual(readdirSync(sshd.file("rooms")).filter((name) => name.endsWith(".part")), []);
});

test("a full disk is told with what is free, and nothing is left on it", async (t) => {
  const host = await open(t, targetOf("kaji-admin")), local = sshd.file("too-much");
  writeFileSync(local, randomBytes(3_000_000));
  await fails(t, host.upload(local, sshd.file("small", "too-much"), { mode: 0o644, sudo: true }), "no-space", /its disk is full: 1\.0 MiB are free on .*small, 2\.9 MiB are to come/);
  t.deepEqual(sshd.list("small"), []);
});

test("what root runs ends when it is aborted", async (t) => {
  const host = await open(t, targetOf("kaji-admin")), controller = new AbortController(), mark = `kaji-e2e-${process.pid}`;
  const pids: string[] = [];
  const running = host.run(["sh", "-c", `: ${mark}; echo $$; exec sleep 600`], { sudo: true, signal: controller.signal, onLine: (line) => { pids.push(line); controller.abort(); } });
  await t.throwsAsync(running, { name: "AbortError" });
  // `tail --pid` waits for a process that is no child of ours; not synchronously, for the connection must go on meanwhile.
  const [code] = (await once(spawn("timeout", ["60", "tail", `--pid=${pids[0]!}`, "-f", "/dev/null"]), "exit")) as [number];
  t.is(code, 0);
  t.false(existsSync(`/proc/${pids[0]!}`));
});

test("through a jump host, and an end that is told when the jump host cannot go on", async (t) => {
  const jump = targetOf("root", { name: "bastion" });
  const host = await open(t, targetOf("kaji-free", { jump }));
  t.is((await host.run(["id", "-u"], { sudo: true })).stdout, "0\n");
  await fails(t, open(t, targetOf("kaji-free", { jump, port: 1 })), "refused", /jump host "bastion" cannot reach it/);
});

test("nothing of it is left on the machine", (t) => {
  t.is(readFileSync("/etc/passwd", "utf8"), usersBefore);
  t.false(Object.keys(USERS).some((user) => existsSync(`/etc/sudoers.d/${user}`)));
});

/** Passes bytes on until the client has sent so many, then drops both sides. Resolves with its port. */
async function cuttingProxy(t: ExecutionContext, port: number, afterBytes: number): Promise<number> {
  const server = createServer((client) => {
    const upstream = connectTcp(port, "127.0.0.1");
    let bytes = 0;
    client.on("data", (chunk) => { bytes += chunk.length; if (bytes > afterBytes) { client.destroy(); upstream.resetAndDestroy(); } });
    client.pipe(upstream).pipe(client);
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
  });
  await new Promise<void>((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

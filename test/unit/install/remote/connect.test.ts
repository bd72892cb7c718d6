import test, { type ExecutionContext } from "ava";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import ssh2 from "ssh2";
import { type ConnectDeps, type ConnectOptions, createConnect, resolveConnectOptions } from "../../../../lib/install/remote/connect.ts";
import { ManualClock } from "../../../../lib/util/clock.ts";
import { fingerprint, judgeHostKey, KnownHosts } from "../../../../lib/install/remote/known-hosts.ts";
import { type HostTarget, RemoteError, type RemoteHost, type RemoteReason } from "../../../../lib/install/remote/remote-host.ts";
import { closedPort, generateKey, HOST_KEY, parsed, publicBlob, TestSecrets, TestSshd, type TestSshdOptions } from "./test-sshd.ts";

const OTHER_HOST_KEY = generateKey("ed25519").private;
const keys = { ed25519: generateKey("ed25519"), ecdsa: generateKey("ecdsa"), rsa: generateKey("rsa") };
const locked = generateKey("ed25519", "open");

const NO_KNOWN_HOSTS = new KnownHosts(["/dev/null"]);
/** Tests run beside others on small machines. */
const PATIENT: ConnectOptions = { connectTimeoutMs: 120_000, keepAliveIntervalMs: 60_000 };

async function sshd(t: ExecutionContext, options: TestSshdOptions): Promise<TestSshd> {
  const server = await new TestSshd(options).start();
  t.teardown(() => server.stop());
  return server;
}

interface Over { deps?: Partial<ConnectDeps>; options?: ConnectOptions; target?: Partial<HostTarget>; signal?: AbortSignal }
/** Connects to the server, whose key is known unless said otherwise. */
async function open(t: ExecutionContext, server: TestSshd, secrets: TestSecrets, over: Over = {}): Promise<RemoteHost> {
  const connect = createConnect({ secrets, knownHosts: over.deps?.knownHosts ?? server.knownHosts(), ...over.deps }, { ...PATIENT, ...over.options });
  const host = await connect(server.target(over.target), over.signal ?? new AbortController().signal);
  t.teardown(() => host.close());
  return host;
}

async function refused(t: ExecutionContext, opening: Promise<unknown>, reason: RemoteReason, message: RegExp): Promise<RemoteError> {
  const error = await t.throwsAsync(opening, { instanceOf: RemoteError });
  t.is(error.reason, reason, error.message);
  t.regex(error.message, message);
  return error;
}

function keyFile(server: TestSshd, name: string, text: string): string {
  writeFileSync(server.file(name), text, { mode: 0o600 });
  return server.file(name);
}

test("connect() logs in with the password, asked for once", async (t) => {
  const server = await sshd(t, { password: "pw" }), secrets = new TestSecrets({ login: "pw" });
  const host = await open(t, server, secrets);
  t.is((await host.run(["echo", "here"])).stdout, "here\n");
  t.deepEqual(secrets.asked, ["login vm1"]);
});

test("connect() refuses a wrong password after one try, and tells what to do", async (t) => {
  const server = await sshd(t, { password: "pw" });
  await refused(t, open(t, server, new TestSecrets({ login: "wrong" })), "login-refused", /^Cannot log in to host "vm1" \(alice@127\.0\.0\.1:\d+\): the password of user "alice" was refused: run again with the right one/);
  t.deepEqual(server.offered, ["none", "password"]);
});

test("connect() answers a question for the password where the host asks that way", async (t) => {
  const server = await sshd(t, { password: "pw", questions: [{ prompt: "Password: ", echo: false }] });
  t.is((await (await open(t, server, new TestSecrets({ login: "pw" }))).run(["true"])).code, 0);
});

test("connect() tells what the host asks where it has no answer", async (t) => {
  const server = await sshd(t, { password: "pw", questions: [{ prompt: "Password: ", echo: false }, { prompt: "Verification code: ", echo: false }] });
  await refused(t, open(t, server, new TestSecrets({ login: "pw" })), "login-refused", /the host asks "Verification code:", which kaji cannot answer/);
});

test("connect() says how to give a password where none is to be had", async (t) => {
  const server = await sshd(t, { password: "pw" });
  await refused(t, open(t, server, new TestSecrets()), "no-secret", /no key was accepted \(no key to offer\) and there is no password: set KAJI_SSH_PASSWORD or KAJI_SSH_PASSWORD_FILE/);
});

for (const kind of ["ed25519", "ecdsa", "rsa"] as const) {
  test(`connect() logs in with an ${kind} key from a file, and asks nothing`, async (t) => {
    const server = await sshd(t, { authorized: [parsed(keys[kind].private)] }), secrets = new TestSecrets();
    const host = await open(t, server, secrets, { target: { identityFiles: [keyFile(server, "id", keys[kind].private)] } });
    t.is((await host.run(["true"])).code, 0);
    t.deepEqual(secrets.asked, []);
  });
}

test("connect() asks for a passphrase only when the host takes the key", async (t) => {
  const server = await sshd(t, { authorized: [parsed(locked.private, "open")], password: "pw" });
  const first = generateKey("ed25519", "other");
  const secrets = new TestSecrets({ passphrase: "open" });
  await open(t, server, secrets, { target: { identityFiles: [keyFile(server, "id_first", first.private), keyFile(server, "id_locked", locked.private)] } });
  t.deepEqual(secrets.asked, ["passphrase vm1 id_locked"]);
});

test("connect() names each key and why it was of no use", async (t) => {
  const server = await sshd(t, { authorized: [parsed(locked.private, "open")] });
  const identityFiles = [keyFile(server, "id_locked", locked.private), keyFile(server, "id_other", keys.ed25519.private), server.file("id_none"), keyFile(server, "id_text", "not a key\n")];
  await refused(t, open(t, server, new TestSecrets({ passphrase: "wrong" }), { target: { identityFiles } }), "bad-key-file", /id_none: no such file.*id_text: holds no private key.*/);
  const error = await refused(t, open(t, server, new TestSecrets({ passphrase: "wrong" }), { target: { identityFiles } }), "bad-key-file", /id_locked: the passphrase is wrong/);
  t.regex(error.message, /id_other: not accepted/);
  t.regex(error.nextStep, /KAJI_KEY_PASSPHRASE.*ssh-add/);
});

test("connect() goes from keys to the password, and proves both where the host wants both", async (t) => {
  const server = await sshd(t, { authorized: [parsed(keys.ecdsa.private)], password: "pw", both: true });
  const host = await open(t, server, new TestSecrets({ login: "pw" }), { target: { identityFiles: [keyFile(server, "id", keys.ecdsa.private)] } });
  t.is((await host.run(["true"])).code, 0);
  t.is(server.offered.at(-1), "password");
});

test("connect() begins anew with the keys left when the host closes after too many", async (t) => {
  const wrong = Array.from({ length: 5 }, () => generateKey("ed25519").private);
  const server = await sshd(t, { authorized: [parsed(keys.ed25519.private)], triesMax: 3 });
  const identityFiles = [...wrong, keys.ed25519.private].map((text, index) => keyFile(server, `id_${index}`, text));
  await open(t, server, new TestSecrets(), { target: { identityFiles } });
  t.true(server.connections > 1);
});

test("connect() uses the agent's keys, those named for the host first", async (t) => {
  const server = await sshd(t, { authorized: [parsed(keys.rsa.private)] }), socket = server.file("agent.sock");
  const held = [parsed(keys.ed25519.private), parsed(keys.rsa.private)];
  const agent = agentServer(held, socket);
  t.teardown(() => agent.close());
  const host = await open(t, server, new TestSecrets(), { deps: { agentSocket: socket }, target: { identityFiles: [keyFile(server, "id_rsa", keys.rsa.private)] } });
  t.is((await host.run(["true"])).code, 0);
  t.deepEqual(server.offered, ["none", "publickey", "publickey"]); // Asked, then signed: the named key came first.
});

test("connect() tries each of an agent's keys, also those with the same comment", async (t) => {
  const server = await sshd(t, { authorized: [parsed(keys.ecdsa.private)] }), socket = server.file("agent.sock");
  const agent = agentServer([parsed(keys.ed25519.private), parsed(generateKey("ed25519").private), parsed(keys.ecdsa.private)], socket);
  t.teardown(() => agent.close());
  t.is((await (await open(t, server, new TestSecrets(), { deps: { agentSocket: socket } })).run(["true"])).code, 0);
});

test("connect() comes back with the password when the host did not wait for it to be typed", async (t) => {
  const server = await sshd(t, { password: "pw" });
  class Slow extends TestSecrets {
    override async password(): Promise<string> {
      if (server.connections === 1) { server.cut(); await server.empty(); }
      return "pw";
    }
  }
  t.is((await (await open(t, server, new Slow())).run(["true"])).code, 0);
  t.is(server.connections, 2);
});

test("connect() comes back when the host did not wait for the person's yes, and does not ask again", async (t) => {
  const server = await sshd(t, { password: "pw" }), knownHosts = new KnownHosts([server.file("new")]);
  let asked = 0;
  const confirm = async (): Promise<boolean> => { asked += 1; server.cut(); await server.empty(); return true; };
  t.is((await (await open(t, server, new TestSecrets({ login: "pw" }), { deps: { knownHosts, confirm } })).run(["true"])).code, 0);
  t.deepEqual([asked, server.connections], [1, 2]);
});

test("connect() takes an agent that is gone for one without keys, and says so", async (t) => {
  const server = await sshd(t, { authorized: [] });
  await refused(t, open(t, server, new TestSecrets(), { deps: { agentSocket: server.file("gone.sock") } }), "login-refused", /agent: SSH_AUTH_SOCK leads to no agent/);
});

test("connect() refuses a host not met before, with its fingerprint and the next step, and offers it nothing", async (t) => {
  const server = await sshd(t, { password: "pw" });
  const knownHosts = new KnownHosts([server.file("none")]);
  const error = await refused(t, open(t, server, new TestSecrets({ login: "pw" }), { deps: { knownHosts } }), "unknown-host-key", /its host key is not known yet: ssh-ed25519 SHA256:/);
  t.true(error.message.includes(fingerprint(publicBlob(HOST_KEY))));
  t.regex(error.nextStep, /ssh-keygen -lf \/etc\/ssh\/ssh_host_ed25519_key\.pub.*--accept-new-host-keys/);
  t.deepEqual(server.offered, []);
});

test("connect() remembers a new host's key with acceptNewHostKeys, and knows it the next time", async (t) => {
  const server = await sshd(t, { password: "pw" }), knownHosts = new KnownHosts([server.file("new/known_hosts")]), secrets = new TestSecrets({ login: "pw" });
  await open(t, server, secrets, { deps: { knownHosts }, options: { acceptNewHostKeys: true } });
  await t.notThrowsAsync(open(t, server, secrets, { deps: { knownHosts } }));
});

test("connect() asks the person whether a new host is the right one; anything but yes refuses", async (t) => {
  const server = await sshd(t, { password: "pw" }), knownHosts = new KnownHosts([server.file("new")]), questions: string[] = [];
  const confirm = (answer: boolean) => async (question: string): Promise<boolean> => { questions.push(question); return answer; };
  await refused(t, open(t, server, new TestSecrets(), { deps: { knownHosts, confirm: confirm(false) } }), "unknown-host-key", /or type yes when asked/);
  t.true(questions[0]!.includes(fingerprint(publicBlob(HOST_KEY))));
  await open(t, server, new TestSecrets({ login: "pw" }), { deps: { knownHosts, confirm: confirm(true) } });
  t.is(judgeHostKey(knownHosts.read(), "127.0.0.1", server.port, publicBlob(HOST_KEY)).kind, "known");
});

test("connect() refuses a changed key even with acceptNewHostKeys, with both fingerprints and how to mend it", async (t) => {
  const server = await sshd(t, { password: "pw" }), knownHosts = server.knownHosts(publicBlob(OTHER_HOST_KEY));
  const before = readFileSync(knownHosts.file, "utf8");
  const error = await refused(t, open(t, server, new TestSecrets({ login: "pw" }), { deps: { knownHosts }, options: { acceptNewHostKeys: true } }), "changed-host-key", /has CHANGED/);
  t.true(error.message.includes(fingerprint(publicBlob(HOST_KEY))) && error.message.includes(fingerprint(publicBlob(OTHER_HOST_KEY))));
  t.true(error.nextStep.includes(`ssh-keygen -R '[127.0.0.1]:${server.port}' -f ${knownHosts.file}`) || error.nextStep.includes(`[127.0.0.1]:${server.port}`));
  t.deepEqual(server.offered, []);
  t.is(readFileSync(knownHosts.file, "utf8"), before);
});

test("connect() refuses a revoked key", async (t) => {
  const server = await sshd(t, { password: "pw" }), knownHosts = server.knownHosts();
  appendFileSync(knownHosts.file, `@revoked * ssh-ed25519 ${publicBlob(HOST_KEY).toString("base64")}\n`);
  await refused(t, open(t, server, new TestSecrets({ login: "pw" }), { deps: { knownHosts } }), "revoked-host-key", /marked as revoked/);
});

test("connect() asks a host with several keys for the one it is known by", async (t) => {
  const server = await sshd(t, { password: "pw", hostKeys: [keys.ecdsa.private, HOST_KEY] });
  await t.notThrowsAsync(open(t, server, new TestSecrets({ login: "pw" }), { deps: { knownHosts: server.knownHosts(publicBlob(keys.ecdsa.private)) } }));
  await t.notThrowsAsync(open(t, server, new TestSecrets({ login: "pw" }), { deps: { knownHosts: server.knownHosts(publicBlob(HOST_KEY)) } }));
});

test("connect() tells a refused connection, a name that does not resolve and something that is not SSH apart", async (t) => {
  const connect = createConnect({ secrets: new TestSecrets(), knownHosts: NO_KNOWN_HOSTS }), { signal } = new AbortController();
  const target: HostTarget = { name: "vm9", address: "127.0.0.1", port: await closedPort(), user: "root", identityFiles: [] };
  await refused(t, connect(target, signal), "refused", /"vm9" .*connection refused: check that sshd runs there and listens on port/);
  await refused(t, connect({ ...target, address: "no-such-host.invalid" }, signal), "unresolved", /check "no-such-host\.invalid" for a typing error/);
  const closing = await listener(t, (socket) => socket.end());
  await refused(t, connect({ ...target, port: closing }, signal), "not-ssh", /closed before a word of SSH/);
  const web = await listener(t, (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  await refused(t, connect({ ...target, port: web }, signal), "not-ssh", /SSH/);
});

test("connect() gives up on one that answers and then says nothing", async (t) => {
  const clock = new ManualClock();
  const silent = await listener(t, (socket) => socket.once("data", () => void clock.advance(20_000))); // Once it was told who we are, time passes.
  const connect = createConnect({ secrets: new TestSecrets(), knownHosts: NO_KNOWN_HOSTS, clock });
  await refused(t, connect({ name: "vm9", address: "127.0.0.1", port: silent, user: "root", identityFiles: [] }, new AbortController().signal), "unreachable", /did not finish the login within 20 s/);
});

test("connect() stops when aborted, with the signal's reason, and leaves no connection", async (t) => {
  let closed: () => void;
  const gone = new Promise<void>((resolve) => { closed = resolve; });
  const controller = new AbortController();
  const silent = await listener(t, (socket) => { socket.once("close", () => closed()); socket.resume(); controller.abort(); });
  const connect = createConnect({ secrets: new TestSecrets(), knownHosts: NO_KNOWN_HOSTS });
  await t.throwsAsync(connect({ name: "vm9", address: "127.0.0.1", port: silent, user: "root", identityFiles: [] }, controller.signal), { name: "AbortError" });
  await gone;
  t.pass();
});

test("a dead peer is noticed within the keep-alive's time", async (t) => {
  const server = await sshd(t, { password: "pw" }), host = await open(t, server, new TestSecrets({ login: "pw" }), { options: { keepAliveIntervalMs: 50, keepAliveMissesMax: 2 } });
  const running = host.run(["sleep", "600"]);
  server.freeze();
  await refused(t, running, "lost", /^Cannot run "sleep" on host "vm1" .*: the connection was lost in the middle \(Keepalive timeout\): check the network/);
  await refused(t, host.run(["true"]), "lost", /Keepalive timeout/);
});

test("hosts behind a jump host share one connection to it, closed with the last of them", async (t) => {
  const bastion = await sshd(t, { password: "jump" }), a = await sshd(t, { password: "jump" }), b = await sshd(t, { password: "jump" });
  const knownHosts = new KnownHosts([a.file("known_hosts")]), jump = bastion.target({ name: "bastion" });
  for (const server of [bastion, a, b]) knownHosts.add("127.0.0.1", server.port, publicBlob(HOST_KEY));
  const connect = createConnect({ secrets: new TestSecrets({ login: "jump" }), knownHosts }, PATIENT), { signal } = new AbortController();
  const hosts = await Promise.all([connect(a.target({ jump }), signal), connect(b.target({ jump }), signal)]);
  t.is((await hosts[0]!.run(["echo", "through"])).stdout, "through\n");
  t.deepEqual([bastion.connections, bastion.commands.length], [1, 0]);
  hosts[0]!.close();
  t.is((await hosts[1]!.run(["true"])).code, 0); // Still there for the other.
  hosts[1]!.close();
  await bastion.empty();
  const again = await connect(a.target({ jump }), signal);
  t.is((await again.run(["true"])).code, 0);
  t.is(bastion.connections, 2);
  again.close();
});

test("connect() goes through jump hosts nested in each other, each with its own key to know", async (t) => {
  const outer = await sshd(t, { password: "pw" }), inner = await sshd(t, { password: "pw" }), server = await sshd(t, { password: "pw" });
  const knownHosts = new KnownHosts([server.file("known_hosts")]), { signal } = new AbortController();
  const target = server.target({ jump: inner.target({ name: "inner", jump: outer.target({ name: "outer" }) }) });
  for (const each of [outer, server]) knownHosts.add("127.0.0.1", each.port, publicBlob(HOST_KEY));
  const connect = createConnect({ secrets: new TestSecrets({ login: "pw" }), knownHosts }, PATIENT);
  await refused(t, connect(target, signal), "unknown-host-key", /^Cannot reach host "inner" \(.*\) through "outer"/);
  knownHosts.add("127.0.0.1", inner.port, publicBlob(HOST_KEY));
  const host = await connect(target, signal);
  t.is((await host.run(["echo", "deep"])).stdout, "deep\n");
  host.close();
  await Promise.all([outer.empty(), inner.empty(), server.empty()]);
});

test("connect() tells what the jump host cannot do", async (t) => {
  const bastion = await sshd(t, { password: "pw" }), strict = await sshd(t, { password: "pw", forbidForwarding: true }), { signal } = new AbortController();
  const target: HostTarget = { name: "vm9", address: "127.0.0.1", port: await closedPort(), user: "root", identityFiles: [] };
  for (const [jump, message] of [[bastion, /jump host "bastion" cannot reach it/], [strict, /jump host "bastion" /]] as const) {
    const connect = createConnect({ secrets: new TestSecrets({ login: "pw" }), knownHosts: jump.knownHosts() }, PATIENT);
    const error = await t.throwsAsync(connect({ ...target, jump: jump.target({ name: "bastion" }) }, signal), { instanceOf: RemoteError });
    t.regex(error.message, message);
    await jump.empty(); // Nothing is left open.
  }
});

test("resolveConnectOptions() states 30 s until a dead peer is noticed, and refuses nonsense", (t) => {
  const { keepAliveIntervalMs, keepAliveMissesMax } = resolveConnectOptions();
  t.is(keepAliveIntervalMs * (keepAliveMissesMax + 1), 30_000);
  t.throws(() => resolveConnectOptions({ connectTimeoutMs: 0 }), { message: /connectTimeoutMs must be > 0, got 0/ });
});

/** A listener for what is not SSH. Resolves with its port. */
async function listener(t: ExecutionContext, onSocket: (socket: import("node:net").Socket) => void): Promise<number> {
  const sockets = new Set<import("node:net").Socket>();
  const server = createServer((socket) => { sockets.add(socket); socket.on("error", () => undefined); onSocket(socket); });
  await new Promise<void>((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  t.teardown(() => { for (const socket of sockets) socket.destroy(); server.close(); });
  return (server.address() as AddressInfo).port;
}

/** An ssh-agent that holds these keys. */
function agentServer(held: readonly ReturnType<typeof parsed>[], socketPath: string): Server {
  const server = createServer((socket) => {
    const agent = new ssh2.AgentProtocol(false);
    agent.on("identities", (request: never) => agent.getIdentitiesReply(request, [...held]));
    agent.on("sign", (request: never, key: ReturnType<typeof parsed>, data: Buffer, options: { hash?: string }) => {
      const own = held.find((each) => each.getPublicSSH().equals(key.getPublicSSH()));
      if (own === undefined) agent.failureReply(request);
      else agent.signReply(request, own.sign(data, options.hash));
    });
    socket.pipe(agent).pipe(socket);
  });
  server.listen(socketPath);
  return server;
}

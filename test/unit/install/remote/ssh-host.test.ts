import test, { type ExecutionContext } from "ava";
import { randomBytes } from "node:crypto";
import { on } from "node:events";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, watch, writeFileSync } from "node:fs";
import { createConnect } from "../../../../lib/install/remote/connect.ts";
import { RemoteError, type RemoteHost, type RemoteReason } from "../../../../lib/install/remote/remote-host.ts";
import { type Clock, ManualClock, systemClock } from "../../../../lib/util/clock.ts";
import { bytesContent, partialFile } from "../../../../lib/install/remote/upload.ts";
import { TestSecrets, TestSshd, type TestSshdOptions } from "./test-sshd.ts";

interface Setup { server: TestSshd; secrets: TestSecrets; host: RemoteHost; readonly again: () => Promise<RemoteHost> }
async function setup(t: ExecutionContext, options: TestSshdOptions = {}, sudoPassword: string | undefined = "sesame", clock: Clock = systemClock): Promise<Setup> {
  const server = await new TestSshd({ password: "pw", ...options }).start(), secrets = new TestSecrets({ login: "pw", ...(sudoPassword === "" ? {} : { sudo: sudoPassword }) });
  t.teardown(() => server.stop());
  const again = async (): Promise<RemoteHost> => {
    const host = await createConnect({ secrets, clock, knownHosts: server.knownHosts() }, { connectTimeoutMs: 120_000, keepAliveIntervalMs: 60_000 })(server.target(), new AbortController().signal);
    t.teardown(() => host.close());
    return host;
  };
  return { server, secrets, host: await again(), again };
}

async function fails(t: ExecutionContext, work: Promise<unknown>, reason: RemoteReason, message: RegExp): Promise<RemoteError> {
  const error = await t.throwsAsync(work, { instanceOf: RemoteError });
  t.is(error.reason, reason, error.message);
  t.regex(error.message, message);
  return error;
}

test("run() gives each argument as one word, and exit codes and signals as results", async (t) => {
  const { host } = await setup(t);
  t.deepEqual(await host.run(["printf", "%s|", "it's", "a b", "$HOME", "", "\n"]), { code: 0, stdout: "it's|a b|$HOME||\n|", stderr: "" });
  t.is((await host.run(["sh", "-c", "echo no >&2; exit 7"])).code, 7);
  t.is((await host.run(["sh", "-c", "kill -KILL $$"])).code, 137);
  t.is((await host.run(["no-such-program"])).code, 127);
  t.is((await host.run(["sh", "-c", "echo $GREETING $LC_ALL"], { env: { GREETING: "a  b" } })).stdout, "a b C\n");
  t.is((await host.run(["cat"], { input: Buffer.from("bytes") })).stdout, "bytes");
  t.is((await host.run(["true"], { input: "nobody reads this".repeat(100_000) })).code, 0);
});

test("run() hands out lines as they come, of both streams, and the last one without its end", async (t) => {
  const { host } = await setup(t), lines: string[] = [];
  let first: () => void;
  const seen = new Promise<void>((resolve) => { first = resolve; });
  const running = host.run(["sh", "-c", "echo größe; read -r go; echo two >&2; printf three"], { input: "go\n", onLine: (line) => { lines.push(line); first(); } });
  await seen;
  await running;
  t.is(lines[0], "größe");
  t.deepEqual(lines.slice(1).toSorted(), ["three", "two"]);
});

test("run() as root needs no sudo where the user is root", async (t) => {
  const { host, server } = await setup(t, { isRoot: true });
  t.is((await host.run(["id", "-u"], { sudo: true })).stdout, "0\n");
  t.deepEqual(server.record("sudo.log"), []);
});

test("run() as root asks for no password where sudo does not", async (t) => {
  const { host, secrets } = await setup(t, { sudo: "free" });
  t.is((await host.run(["id", "-u"], { sudo: true })).stdout, "0\n");
  t.is((await host.run(["cat"], { sudo: true, input: "all of it\n" })).stdout, "all of it\n"); // No password in front of it.
  t.deepEqual(secrets.asked, ["login vm1"]);
});

test("run() as root gives sudo the password over stdin, once asked for, and never in a command line", async (t) => {
  const { host, secrets, server } = await setup(t, { sudo: "password" });
  const results = await Promise.all(["a", "b", "c"].map((input) => host.run(["cat"], { sudo: true, input })));
  t.deepEqual(results.map((result) => result.stdout), ["a", "b", "c"]);
  t.deepEqual(secrets.asked, ["login vm1", "sudo vm1"]);
  t.false([...server.commands, ...server.record("sudo.log")].some((line) => line.includes("sesame")));
  t.true(results.every((result) => result.stderr === ""));
});

test("run() as root tries a wrong sudo password once, however many commands wait", async (t) => {
  const { host, server } = await setup(t, { sudo: "password" }, "wrong");
  const outcomes = await Promise.allSettled([1, 2, 3].map(() => host.run(["true"], { sudo: true })));
  for (const outcome of outcomes) t.is((outcome as PromiseRejectedResult).reason.reason, "sudo-password");
  t.is(server.record("sudo.asked").length, 1);
  t.regex((outcomes[0] as PromiseRejectedResult).reason.message, /^Cannot become root on host "vm1" .*: sudo refused the password of user "alice": run again with the right one/);
});

test("run() as root says how to give the password where none is to be had", async (t) => {
  const { host } = await setup(t, { sudo: "password" }, "");
  await fails(t, host.run(["true"], { sudo: true }), "no-secret", /sudo asks for the password of user "alice" and there is none to be had: set KAJI_SUDO_PASSWORD/);
});

for (const [mode, reason, message] of [
  ["not-a-sudoer", "not-a-sudoer", /user "alice" may not use sudo: .*not in the sudoers file.*group sudo/],
  ["requiretty", "sudo-needs-terminal", /requiretty.*visudo/],
] as const) {
  test(`run() as root tells apart: ${mode}`, async (t) => {
    const { host } = await setup(t, { sudo: mode });
    await fails(t, host.run(["true"], { sudo: true }), reason, message);
  });
}

test("run() as root gives up on a sudo that asks in words of its own", async (t) => {
  const clock = new ManualClock(), { host, server } = await setup(t, { sudo: "silent" }, undefined, clock);
  const asked = fileThere(server.directory, "sudo.log"), running = host.run(["true"], { sudo: true });
  await asked;
  void clock.advance(60_000);
  await fails(t, running, "timeout", /^Cannot run "true" on host "vm1" .*sudo did not begin within 60 s/);
});

test("run() as root tells a host without sudo", async (t) => {
  const { host, server } = await setup(t);
  // Without the machine's own sudo on PATH: only what the command line needs.
  for (const program of ["sh", "env"]) symlinkSync(`/usr/bin/${program}`, server.file(`bin/${program}`));
  server.path = server.file("bin");
  await fails(t, host.run(["true"], { sudo: true }), "no-sudo", /user "alice" is not root and sudo is not installed: install sudo there/);
});

test("run() stops at its time, and tells the command to end", async (t) => {
  const { host, server } = await setup(t), ended = server.file("ended");
  const there = fileThere(server.directory, "ended");
  await fails(t, host.run(["sh", "-c", `trap 'echo yes > ${ended}; exit' TERM; while :; do sleep 0.05; done`], { timeoutMs: 300 }), "timeout", /^Cannot run "sh" on host "vm1" .*: it did not end within 0\.3 s/);
  await there;
});

test("run() as root ends root's command when aborted, with the signal's reason", async (t) => {
  const { host, server } = await setup(t, { sudo: "password" }), ended = server.file("ended"), controller = new AbortController();
  server.ignoreSignals = true; // As sshd may not signal root's processes for an ordinary user.
  const there = fileThere(server.directory, "ended");
  const running = host.run(["sh", "-c", `trap 'echo yes > ${ended}; exit' TERM; echo ready; while :; do sleep 0.05; done`], { sudo: true, signal: controller.signal, onLine: () => controller.abort() });
  await t.throwsAsync(running, { name: "AbortError" });
  await there;
  t.is((await host.run(["echo", "still here"])).stdout, "still here\n");
});

test("run() rejects what had been waiting and what comes later when the connection is cut", async (t) => {
  const { host, server } = await setup(t);
  const running = host.run(["sh", "-c", "echo ready; sleep 600"], { onLine: () => server.cut() });
  await fails(t, running, "lost", /the connection was lost in the middle .*run again: it goes on where it stopped/);
  await fails(t, host.run(["true"]), "lost", /^Cannot run "true" on host "vm1"/);
});

test("run() keeps to eight commands at once, and all of more get their turn", async (t) => {
  const { host } = await setup(t);
  const results = await Promise.all(Array.from({ length: 20 }, (_, n) => host.run(["echo", String(n)])));
  t.deepEqual(results.map((result) => result.stdout.trim()), Array.from({ length: 20 }, (_, n) => String(n)));
});

test("upload() sends what differs, with its mode, and nothing the second time", async (t) => {
  const { host, server } = await setup(t), local = server.file("local"), remote = server.file("it's here"), progress: number[] = [];
  writeFileSync(local, randomBytes(3_000_000));
  t.is(await host.upload(local, remote, { mode: 0o750, onProgress: (sent, total) => progress.push(sent / total) }), "sent");
  t.deepEqual([progress[0], progress.at(-1)], [0, 1]);
  t.true(readFileSync(remote).equals(readFileSync(local)));
  t.is(statSync(remote).mode & 0o777, 0o750);
  const before = server.receivedBytes;
  t.is(await host.upload(local, remote, { mode: 0o700 }), "same");
  t.is(server.receivedBytes, before);
  t.is(statSync(remote).mode & 0o777, 0o700); // A mode that differs is mended without sending.
  writeFileSync(local, "another version");
  t.is(await host.upload(local, remote, { mode: 0o700 }), "sent");
  t.is(readFileSync(remote, "utf8"), "another version");
});

test("upload() goes on where a cut left off, and leaves no part behind", async (t) => {
  const { server, host, again } = await setup(t, { cutAfterBytes: 4_000_000, sudo: "password" }), local = server.file("local"), remote = server.file("remote");
  writeFileSync(local, randomBytes(8_000_000));
  await fails(t, host.upload(local, remote, { mode: 0o755, sudo: true }), "lost", /^Cannot write ".*remote" on host "vm1" .*the connection was lost/);
  t.false(existsSync(remote));
  const first = server.receivedBytes;
  server.options = { ...server.options, cutAfterBytes: Infinity };
  let start: number | undefined;
  t.is(await (await again()).upload(local, remote, { mode: 0o755, sudo: true, onProgress: (sent) => { start ??= sent; } }), "sent");
  t.true(readFileSync(remote).equals(readFileSync(local)));
  t.true(start! > 0, `went on at ${start}`);
  t.true(server.receivedBytes - first < 8_000_000);
  t.deepEqual(readdirSync(server.directory).filter((name) => name.endsWith(".part")), []);
});

test("upload() begins anew where the part there is not a beginning of the file", async (t) => {
  const { host, server } = await setup(t), content = "the right content", remote = server.file("remote");
  writeFileSync(partialFile(remote, bytesContent(content).sha256), "the wrong");
  t.is(await host.write(content, remote, { mode: 0o600 }), "sent");
  t.is(readFileSync(remote, "utf8"), content);
});

test("write() brings text and bytes over stdin only, readable by the owner alone until they have their mode", async (t) => {
  const { host, server } = await setup(t), remote = server.file("token");
  t.is(await host.write("hush-hush", remote, { mode: 0o600 }), "sent");
  t.is(statSync(remote).mode & 0o777, 0o600);
  t.is(await host.write("hush-hush", remote, { mode: 0o600 }), "same");
  t.is(await host.write("", server.file("empty"), { mode: 0o644 }), "sent");
  t.is(readFileSync(server.file("empty"), "utf8"), "");
  t.false(server.commands.some((command) => command.includes("hush")));
});

test("upload() tells a full disk before it sends, and when the disk fills meanwhile", async (t) => {
  const { host, server } = await setup(t), local = server.file("local"), remote = server.file("remote");
  writeFileSync(local, randomBytes(2_000_000));
  const program = (name: string, text: string): void => { writeFileSync(server.file(`bin/${name}`), `#!/bin/sh\n${text}\n`); chmodSync(server.file(`bin/${name}`), 0o755); };
  program("df", "echo Filesystem; echo '/dev/vda1 1000 999 1 99% /'");
  await fails(t, host.upload(local, remote, { mode: 0o644 }), "no-space", /its disk is full: 0\.0 MiB are free on \/, 1\.9 MiB are to come: make room there/);
  t.is(server.receivedBytes, 0);
  program("df", "exit 1");
  program("cat", "head -c 100; echo 'cat: write error: No space left on device' >&2; exit 1");
  await fails(t, host.upload(local, remote, { mode: 0o644 }), "no-space", /its disk is full: cat: write error: No space left on device/);
  t.deepEqual(readdirSync(server.directory).filter((name) => name.startsWith("remote") || name.endsWith(".part")), []); // Nothing of ours fills it further.
});

test("upload() tells a folder that is missing, one in the way, and a path that leads anywhere", async (t) => {
  const { host, server } = await setup(t);
  await fails(t, host.write("x", server.file("none/file"), { mode: 0o600 }), "command", /its folder is not there: make .*\/none first/);
  mkdirSync(server.file("folder"));
  await fails(t, host.write("x", server.file("folder"), { mode: 0o600 }), "command", /there is a folder of that name/);
  await t.throwsAsync(host.write("x", "relative", { mode: 0o600 }), { instanceOf: RangeError, message: /must be absolute/ });
});

test("upload() stops when aborted, with the signal's reason, and the next one finishes it", async (t) => {
  const { host, server } = await setup(t), local = server.file("local"), remote = server.file("remote"), controller = new AbortController();
  writeFileSync(local, randomBytes(6_000_000));
  const sending = host.upload(local, remote, { mode: 0o644, signal: controller.signal, onProgress: (sent) => { if (sent > 1_000_000) controller.abort(); } });
  await t.throwsAsync(sending, { name: "AbortError" });
  t.false(existsSync(remote));
  t.is(await host.upload(local, remote, { mode: 0o644 }), "sent");
  t.true(readFileSync(remote).equals(readFileSync(local)));
});

test("readFile() gives the bytes, undefined where there is no file, and an error where it cannot tell", async (t) => {
  const { host, server } = await setup(t, { sudo: "password" }), bytes = randomBytes(300_000);
  writeFileSync(server.file("bytes"), bytes);
  t.true((await host.readFile(server.file("bytes")))!.equals(bytes));
  t.true((await host.readFile(server.file("bytes"), { sudo: true }))!.equals(bytes));
  t.is(await host.readFile(server.file("none")), undefined);
  await fails(t, host.readFile(server.directory), "command", /^Cannot read ".*" on host "vm1" .*Is a directory/);
});

/** Resolves when the folder has an entry of that name. */
async function fileThere(directory: string, name: string): Promise<void> {
  const watcher = watch(directory), iterator = on(watcher, "change");
  try { while (!readdirSync(directory).includes(name)) await iterator.next(); }
  finally { watcher.close(); }
}

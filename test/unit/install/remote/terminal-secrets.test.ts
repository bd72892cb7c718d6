import test from "ava";
import { PassThrough } from "node:stream";
import type { HostTarget } from "../../../../lib/install/remote/remote-host.ts";
import { confirmAt, createTerminal, type Terminal, TerminalSecrets, type TerminalStreams } from "../../../../lib/install/remote/terminal-secrets.ts";

const target = (name: string, user = "ubuntu"): HostTarget => ({ name, address: name, port: 22, user, identityFiles: [] });

/** A terminal made of streams, and the person at it: answers once the question is seen. */
function person(): { streams: TerminalStreams; shown: () => string; answer: (question: RegExp, keys: string) => Promise<void>; interrupts: () => number } {
  const input = Object.assign(new PassThrough(), { isTTY: true }), output = Object.assign(new PassThrough(), { isTTY: true });
  let shown = "", interrupts = 0;
  const watchers: (() => void)[] = [];
  output.on("data", (chunk: Buffer) => { shown += chunk.toString(); for (const watcher of watchers) watcher(); });
  return {
    streams: { input, output, interrupt: () => { interrupts += 1; } },
    shown: () => shown,
    interrupts: () => interrupts,
    answer: (question, keys) => new Promise((resolve) => {
      const look = (): void => { if (question.test(shown)) { watchers.splice(watchers.indexOf(look), 1); input.write(keys); resolve(); } };
      watchers.push(look);
      look();
    }),
  };
}

/** Answers from a list. */
function scripted(answers: (string | undefined)[]): Terminal & { questions: string[] } {
  const questions: string[] = [];
  return { questions, ask: async (question) => { questions.push(question); return answers.shift(); } };
}

test("createTerminal().ask() shows nothing of what is typed without echo", async (t) => {
  const { streams, shown, answer } = person(), terminal = createTerminal(streams)!;
  const asking = terminal.ask("Password: ", { echo: false });
  await answer(/Password: /, "s3cret\r");
  t.is(await asking, "s3cret");
  t.is(shown(), "Password: \n");
});

test("createTerminal().ask() asks one question at a time", async (t) => {
  const { streams, shown, answer } = person(), terminal = createTerminal(streams)!;
  const both = Promise.all([terminal.ask("First: ", { echo: false }), terminal.ask("Second: ", { echo: true })]);
  await answer(/First: /, "1\r");
  t.false(shown().includes("Second"));
  await answer(/Second: /, "2\r");
  t.deepEqual(await both, ["1", "2"]);
});

test("createTerminal().ask() gives up on Ctrl-C, and passes it on", async (t) => {
  const { streams, answer, interrupts } = person(), asking = createTerminal(streams)!.ask("Password: ", { echo: false });
  await answer(/Password: /, "\u0003");
  t.is(await asking, undefined);
  t.is(interrupts(), 1);
});

test("createTerminal() is undefined where there is none", (t) => {
  t.is(createTerminal({ input: new PassThrough(), output: new PassThrough(), interrupt: () => undefined }), undefined);
});

test("TerminalSecrets.password() asks once for hosts that ask at once, and says for whom the answer is used", async (t) => {
  const terminal = scripted(["pw", "other"]), secrets = new TerminalSecrets({ terminal, environment: {} });
  t.deepEqual(await Promise.all([secrets.password(target("vm1"), "login"), secrets.password(target("vm2"), "login"), secrets.password(target("vm3", "debian"), "login")]), ["pw", "pw", "other"]);
  t.is(terminal.questions.length, 2);
  t.regex(terminal.questions[0]!, /user "ubuntu" to log in .*used for every host of this user/);
});

test("TerminalSecrets.password() keeps login, sudo and each key apart", async (t) => {
  const terminal = scripted(["a", "b", "c", "d"]), secrets = new TerminalSecrets({ terminal, environment: {} });
  const asked = [await secrets.password(target("vm1"), "login"), await secrets.password(target("vm1"), "sudo"), await secrets.password(target("vm1"), "passphrase", "/k1"), await secrets.password(target("vm2"), "passphrase", "/k2"), await secrets.password(target("vm2"), "passphrase", "/k1")];
  t.deepEqual(asked, ["a", "b", "c", "d", "c"]);
});

test("TerminalSecrets.password() prefers the environment, and has nothing without it and a terminal", async (t) => {
  const terminal = scripted([]), secrets = new TerminalSecrets({ terminal, environment: { KAJI_SUDO_PASSWORD: "env" } });
  t.is(await secrets.password(target("vm1"), "sudo"), "env");
  t.deepEqual(terminal.questions, []);
  t.is(await new TerminalSecrets({ terminal: undefined, environment: {} }).password(target("vm1"), "sudo"), undefined);
});

test("confirmAt() takes yes only", async (t) => {
  const confirm = confirmAt(scripted(["YES ", "y", "", undefined]))!;
  t.deepEqual([await confirm("?"), await confirm("?"), await confirm("?"), await confirm("?")], [true, false, false, false]);
  t.is(confirmAt(undefined), undefined);
});

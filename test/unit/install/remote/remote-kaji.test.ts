import test from "ava";
import { changeWithKaji, failureText } from "../../../../lib/install/remote/remote-kaji.ts";
import type { RemoteHost, RunResult } from "../../../../lib/install/remote/remote-host.ts";

const result = (code: number, stderr = "", stdout = ""): RunResult => ({ code, stdout, stderr });

test("failureText() is the message of our program, whole, else the last lines there are", (t) => {
  t.is(failureText(result(1, "warning: x\nError: Cannot join: the token has expired\n  - make a new one\n")), "Cannot join: the token has expired\n  - make a new one");
  t.is(failureText(result(127, "sh: 1: kaji: not found\n")), "exit code 127: sh: 1: kaji: not found");
  t.is(failureText(result(2, "", "1\n2\n3\n4\n5\n")), "exit code 2: 2\n3\n4\n5");
  t.is(failureText(result(3)), "exit code 3");
  t.is(failureText(result(1, "the last Error: is not ours\n")), "exit code 1: the last Error: is not ours");
});

test("changeWithKaji() takes the host's lock, and says who has it when it is not to be had", async (t) => {
  let asked: readonly string[] = [];
  const host = (answer: RunResult): RemoteHost => ({ run: (argv: readonly string[]) => { asked = argv; return Promise.resolve(answer); } }) as unknown as RemoteHost;
  await changeWithKaji(host(result(0)), ["init", "--port=6443"]);
  t.is(asked.join(" "), "flock --timeout 600 --conflict-exit-code 75 /usr/local/bin/kaji /usr/local/bin/kaji init --port=6443");
  await t.throwsAsync(changeWithKaji(host(result(75)), ["init"]), { message: /another kaji has been changing this host/ });
  await t.throwsAsync(changeWithKaji(host(result(75, "Error: of its own\n")), ["init"]), { message: "of its own" });
});

import test from "ava";
import { plainCommand, rootCommand, SudoDialogue, type SudoEvent } from "../../../../lib/install/remote/remote-command.ts";

const feed = (dialogue: SudoDialogue, ...chunks: string[]): SudoEvent[] => chunks.flatMap((chunk) => dialogue.feed(Buffer.from(chunk)));

test("plainCommand() sets English and the given environment, and refuses what is no variable's name", (t) => {
  t.regex(plainCommand(["ls", "a b"], { TZ: "UTC 1" }, "kajiw"), / kaji env 'LC_ALL=C' 'TZ=UTC 1' ls 'a b'$/);
  t.throws(() => plainCommand(["ls"], { "A;id": "1" }, "kajiw"), { message: /no variable's name/ });
});

test("rootCommand() keeps every argument one word through both shells and sudo", (t) => {
  const command = rootCommand(["printf", "%s", "it's $HOME"], {}, "kajiword");
  t.true(command.includes("sudo -S -p"));
  t.false(command.includes("\0"));
});

test("SudoDialogue.feed() finds its marks in whatever pieces they come, and gives what comes after the beginning", (t) => {
  const dialogue = new SudoDialogue("kajiw");
  t.deepEqual(feed(dialogue, "We trust you have received the usual lecture\n", "kaj", "iw-pass", "word;"), [{ kind: "password" }]);
  t.is(dialogue.questions, 1);
  t.false(dialogue.begun);
  t.deepEqual(feed(dialogue, "kajiw-begin-", "42;warn", ""), [{ kind: "begin", pid: 42, rest: Buffer.from("warn") }]);
  t.true(dialogue.begun);
});

test("SudoDialogue.feed() counts every question and keeps bytes that are no text", (t) => {
  const dialogue = new SudoDialogue("kajiw");
  feed(dialogue, "kajiw-password;\nSorry, try again.\nkajiw-password;");
  t.is(dialogue.questions, 2);
  const [event] = dialogue.feed(Buffer.concat([Buffer.from("kajiw-begin-7;"), Buffer.from([0xff, 0xc3])]));
  t.deepEqual(event, { kind: "begin", pid: 7, rest: Buffer.from([0xff, 0xc3]) });
});

const EXPLANATIONS: readonly (readonly [said: string, reason: string, found: RegExp])[] = [
  ["kajiw-absent;", "no-sudo", /sudo is not installed/],
  ["sudo: sorry, you must have a tty to run sudo\n", "sudo-needs-terminal", /requiretty/],
  ["kajiw-password;alice is not in the sudoers file.\nThis incident has been reported to the administrator.\n", "not-a-sudoer", /may not use sudo: alice is not in the sudoers file/],
  ["Sorry, user alice is not allowed to execute '/bin/sh' as root on vm1.\n", "not-a-sudoer", /not allowed to execute/],
  ["sudo: I'm sorry alice. I'm afraid I can't do that\n", "not-a-sudoer", /may not use sudo/],
  ["kajiw-password;Sorry, try again.\nkajiw-password;", "sudo-password", /refused the password/],
  ["kajiw-password;\nsudo: 1 incorrect password attempt\n", "sudo-password", /refused the password/],
  ["sudo: effective uid is not 0, is /usr/bin/sudo on a file system with the 'nosuid' option set?\n", "no-sudo", /exit code 1 before the command began: sudo: effective uid/],
];
for (const [said, reason, found] of EXPLANATIONS) {
  test(`SudoDialogue.explain() says ${reason} of ${JSON.stringify(said.slice(0, 60))}`, (t) => {
    const dialogue = new SudoDialogue("kajiw");
    feed(dialogue, said);
    const explained = dialogue.explain("alice", 1);
    t.is(explained.reason, reason as typeof explained.reason);
    t.regex(explained.found, found);
    t.not(explained.nextStep, "");
  });
}

/**
 * What is sent to the remote shell, and how sudo's side of the talk is read. Pure.
 *
 * One command line serves every host: root runs the command as it is, others through `sudo -S` with a prompt of our own. On stderr
 * come, with a random word nobody can guess: "no sudo here", "sudo asks for a password", "the command begins now". Behind sudo, only
 * after the last is input sent, so a password is never read by the command, nor the command's input by sudo. Neither is ever in argv.
 * Counterpart: Ansible's `become` with `BECOME-SUCCESS`.
 */
import { quoteWords } from "./shell-words.ts";
import type { RemoteReason } from "./remote-host.ts";

/** What programs print is read by programs: in English, unless the caller's `env` says otherwise. */
const LOCALE = "LC_ALL=C";

/** Says who the command is, then becomes it. */
const beginning = (word: string): string => `printf '%s' "${word}-begin-$$;" >&2; exec "$@"`;

/** The command line for argv as the user who logged in. It says that it begins, too, so that it can be ended by its process id. */
export function plainCommand(argv: readonly string[], env: Readonly<Record<string, string>>, word: string): string {
  return `exec ${quoteWords(["sh", "-c", beginning(word), "kaji", ...withEnvironment(argv, env)])}`;
}

function withEnvironment(argv: readonly string[], env: Readonly<Record<string, string>>): string[] {
  for (const name of Object.keys(env)) if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new RangeError(`Cannot set ${JSON.stringify(name)} in the environment: it is no variable's name`);
  return ["env", LOCALE, ...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...argv];
}

/** The command line for argv as root. `word` is random and of letters and digits only: sudo's prompt would expand a "%". */
export function rootCommand(argv: readonly string[], env: Readonly<Record<string, string>>, word: string): string {
  const begin = beginning(word);
  const script = `if [ "$(id -u)" = 0 ]; then ${begin}; fi
command -v sudo >/dev/null 2>&1 || { printf '%s' "${word}-absent;" >&2; exit 127; }
LC_ALL=C exec sudo -S -p "${word}-password;" -- sh -c ${quoteWords([begin])} kaji "$@"`;
  return `exec ${quoteWords(["sh", "-c", script, "kaji", ...withEnvironment(argv, env)])}`;
}

/** What stderr brought: a question for the password, the beginning (with the command's process id) and what came after it. */
export type SudoEvent = { readonly kind: "password" } | { readonly kind: "begin"; readonly pid: number; readonly rest: Buffer };

/** Reads stderr until the command begins. A marker may come in pieces. */
export class SudoDialogue {
  readonly #word: string;
  #text = "";
  #absent = false;
  #questions = 0;
  #begun = false;
  constructor(word: string) { this.#word = word; }

  get begun(): boolean { return this.#begun; }
  /** How often the password was asked for: more than once means it was wrong. */
  get questions(): number { return this.#questions; }
  /** What sudo or the shell said in words of their own. */
  get said(): string { return Buffer.from(this.#text, "latin1").toString().trim().replaceAll(/\s+/g, " "); }

  feed(chunk: Buffer): SudoEvent[] {
    const events: SudoEvent[] = [], marker = new RegExp(`${this.#word}-(?:(password)|(absent)|begin-(\\d+));`);
    this.#text += chunk.toString("latin1");
    for (let match = marker.exec(this.#text); match !== null; match = marker.exec(this.#text)) {
      const rest = this.#text.slice(match.index + match[0].length);
      this.#text = this.#text.slice(0, match.index);
      if (match[3] !== undefined) {
        this.#begun = true;
        return [...events, { kind: "begin", pid: Number(match[3]), rest: Buffer.from(rest, "latin1") }];
      }
      this.#text += rest;
      if (match[2] !== undefined) this.#absent = true;
      else { this.#questions += 1; events.push({ kind: "password" }); }
    }
    return events;
  }

  /** Why the command did not begin. Messages: sudo 1.8 to 1.9 and sudo-rs, in English. */
  explain(user: string, exitCode: number): { reason: RemoteReason; found: string; nextStep: string } {
    const said = this.said, asRoot = "log in as root";
    if (this.#absent) return { reason: "no-sudo", found: `user "${user}" is not root and sudo is not installed`, nextStep: `install sudo there and allow it to the user, or ${asRoot}` };
    if (/must have a tty|you must have a terminal/i.test(said)) return { reason: "sudo-needs-terminal", found: "sudo wants a terminal (requiretty)", nextStep: `add "Defaults:${user} !requiretty" there with visudo, or ${asRoot}` };
    if (/not in the sudoers|not allowed to (execute|run)|may not run sudo|afraid I can't do that/i.test(said)) {
      return { reason: "not-a-sudoer", found: `user "${user}" may not use sudo: ${said}`, nextStep: `add the user to the group sudo (Debian, Ubuntu) or wheel (Fedora), or ${asRoot}` };
    }
    if (this.#questions > 1 || /incorrect password|try again|incorrect authentication|authentication fail/i.test(said)) {
      return { reason: "sudo-password", found: `sudo refused the password of user "${user}"`, nextStep: "run again with the right one; the account may be locked for a while after several wrong ones" };
    }
    return { reason: "no-sudo", found: `sudo ended with exit code ${exitCode} before the command began${said === "" ? "" : `: ${said}`}`, nextStep: `see that "sudo true" works there as user "${user}", or ${asRoot}` };
  }
}

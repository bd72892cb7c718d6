/**
 * Secrets from the environment, else from the person at the terminal.
 *
 * Promises: nothing typed is shown or written anywhere; one question at a time, and each only once, however many hosts ask at once.
 * A password belongs to a user name: hosts with the same user share it (as with Ansible's `--ask-become-pass`), and the question
 * says so. Without a terminal there is no answer, and the transport's error tells what to set.
 */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { type HostTarget, type SecretKind, type Secrets } from "./remote-host.ts";
import { secretFromEnvironment } from "./secrets-environment.ts";

/** A person's terminal. */
export interface Terminal {
  /** Resolves with the line typed; undefined when the person ended the input (Ctrl-D) or interrupted (Ctrl-C). */
  ask(question: string, options: { readonly echo: boolean }): Promise<string | undefined>;
}

export interface TerminalStreams {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
  /** Ctrl-C while asked: the terminal is raw then, so no signal comes by itself. */
  readonly interrupt: () => void;
}

/** The terminal, when both ends are one; questions wait for each other. */
export function createTerminal(streams: TerminalStreams): Terminal | undefined {
  if (streams.input.isTTY !== true || streams.output.isTTY !== true) return undefined;
  let last: Promise<unknown> = Promise.resolve();
  return {
    ask(question, { echo }) {
      const answer = last.then(() => askOnce(streams, question, echo));
      last = answer.catch(() => undefined);
      return answer;
    },
  };
}

function askOnce({ input, output, interrupt }: TerminalStreams, question: string, echo: boolean): Promise<string | undefined> {
  const shown = echo ? output : new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input, output: shown, terminal: true, historySize: 0 });
  return new Promise((resolve, reject) => {
    reader.once("SIGINT", () => { reader.close(); interrupt(); });
    reader.once("close", () => { if (!echo) output.write("\n"); resolve(undefined); }); // After an answer this settles nothing any more.
    reader.question(echo ? question : "").then((line) => { resolve(line); reader.close(); }, reject);
    if (!echo) output.write(question);
  });
}

export class TerminalSecrets implements Secrets {
  readonly #terminal: Terminal | undefined;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #answers = new Map<string, Promise<string | undefined>>();

  constructor(deps: { readonly terminal: Terminal | undefined; readonly environment: NodeJS.ProcessEnv }) {
    this.#terminal = deps.terminal;
    this.#environment = deps.environment;
  }

  password(target: HostTarget, what: SecretKind, file?: string): Promise<string | undefined> {
    const key = JSON.stringify([what, what === "passphrase" ? file : target.user]);
    const known = this.#answers.get(key) ?? this.#find(target, what, file);
    this.#answers.set(key, known);
    return known;
  }

  async #find(target: HostTarget, what: SecretKind, file?: string): Promise<string | undefined> {
    const given = secretFromEnvironment(what, this.#environment);
    if (given !== undefined) return given;
    const answer = await this.#terminal?.ask(question(target, what, file), { echo: false });
    return answer === "" ? undefined : answer;
  }
}

function question(target: HostTarget, what: SecretKind, file?: string): string {
  switch (what) {
    case "login": return `Password of user "${target.user}" to log in (asked by host "${target.name}", used for every host of this user): `;
    case "sudo": return `Password of user "${target.user}" for sudo (asked by host "${target.name}", used for every host of this user): `;
    case "passphrase": return `Passphrase of key ${file ?? ""}: `;
  }
}

/** Asks at the terminal whether a host met for the first time is the right one: only "yes" is yes. For `ConnectDeps.confirm`. */
export function confirmAt(terminal: Terminal | undefined): ((question: string) => Promise<boolean>) | undefined {
  if (terminal === undefined) return undefined;
  return async (text) => (await terminal.ask(text, { echo: true }))?.trim().toLowerCase() === "yes";
}

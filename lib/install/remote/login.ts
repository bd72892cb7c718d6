/**
 * Logging in to one host: which proof to offer next, and what to say when none was taken.
 *
 * Order: no proof at all (which tells what the host takes), keys named for the host that the agent holds too, the agent's other keys,
 * key files, the password. What was refused is not offered again when the connection has to be made anew, so a host that closes
 * after six refused keys is asked about the seventh, and one that closed while the operator was typing gets the answer.
 * Counterpart: OpenSSH `sshconnect2.c`.
 */
import ssh2, { type AnyAuthMethod, type AuthenticationType, type AuthHandlerMiddleware, type IdentityCallback, type NextAuthHandler, type Prompt, type SignCallback, type SigningRequestOptions } from "ssh2";
import { agentIdentities, fileIdentity, type Identity, type SignatureHash } from "./identities.ts";
import { type HostTarget, RemoteError, type Secrets } from "./remote-host.ts";
import { howToGive } from "./secrets-environment.ts";

export interface LoginDeps {
  readonly secrets: Secrets;
  /** Path of the agent's socket: SSH_AUTH_SOCK. */
  readonly agentSocket?: string | undefined;
}

/** How ssh2 is told to give up; its types leave it out. */
const NOTHING_LEFT = false as unknown as AnyAuthMethod;

type PasswordState = "not offered" | "none to be had" | "refused" | "accepted or not told";

export class Login {
  readonly #deps: LoginDeps;
  readonly #target: HostTarget;
  #identities: Identity[] | undefined;
  /** Keys not accepted: label and why. */
  readonly #refused = new Map<string, string>();
  #password: PasswordState = "not offered";
  #questions: string[] = [];
  #askedAgain = false;
  #broken: Error | undefined; // The source of secrets itself failed.
  #methods: readonly AuthenticationType[] = [];
  /** Waits for a person: time limits stand still. */
  asking = false;
  /** Somebody was asked: the host may have run out of patience meanwhile. */
  asked = false;

  constructor(deps: LoginDeps, target: HostTarget) {
    this.#deps = deps;
    this.#target = target;
  }

  get target(): HostTarget { return this.#target; }

  /** Whether a further connection has anything new to offer. */
  get hasMore(): boolean {
    return (this.#identities ?? []).some((identity) => !this.#refused.has(identity.label)) || this.#password === "not offered" || this.#password === "accepted or not told";
  }

  /** What ssh2 asks for the next proof; one for each connection. */
  handler(): AuthHandlerMiddleware {
    let current: string | undefined; // The key or "password" whose answer comes with the next question.
    this.#askedAgain = false;
    return (methods: readonly AuthenticationType[] | null, partial: boolean | null, next) => {
      if (methods === null) {
        next(this.#nothing);
        return;
      }
      this.#methods = methods;
      if (current !== undefined && partial !== true) this.#refuse(current);
      else if (current !== undefined) this.#refused.set(current, "taken, the host wants more");
      void this.#offer(next).then((label) => { current = label; });
    };
  }

  /** Hands ssh2 the next proof, or the end. Resolves with what it was. */
  async #offer(next: NextAuthHandler): Promise<string | undefined> {
    const choice = await this.#next().catch((error: Error) => { this.#broken = error; });
    try { next(choice?.method ?? NOTHING_LEFT); }
    catch (error) { this.#broken ??= error as Error; } // The connection may have gone while a person was asked; then nobody waits for this.
    return choice?.label;
  }

  get #nothing(): AnyAuthMethod { return { type: "none", username: this.#target.user }; }

  #refuse(label: string): void {
    if (label === "none") return;
    if (label === "password") this.#password = "refused";
    else if (!this.#refused.has(label)) this.#refused.set(label, "not accepted");
  }

  async #next(): Promise<{ label: string; method: AnyAuthMethod } | undefined> {
    const username = this.#target.user;
    if (this.#methods.includes("publickey")) {
      const identity = (await this.#load()).find(({ label }) => !this.#refused.has(label));
      if (identity !== undefined) return { label: identity.label, method: { type: "agent", username, agent: this.#signer(identity) } };
    }
    if (!this.#askedAgain && this.#refused.size > 0 && !this.#methods.some((method) => method === "password" || method === "keyboard-interactive")) {
      this.#askedAgain = true; // A key may have been taken and more be wanted: ssh2 keeps that to itself after an agent's key.
      return { label: "none", method: this.#nothing };
    }
    const byPassword = this.#methods.includes("password"), byQuestions = this.#methods.includes("keyboard-interactive");
    if ((!byPassword && !byQuestions) || this.#password === "refused") return undefined;
    const password = await this.#ask("login");
    if (password === undefined) { this.#password = "none to be had"; return undefined; }
    this.#password = "accepted or not told";
    if (byPassword) return { label: "password", method: { type: "password", username, password } };
    return { label: "password", method: { type: "keyboard-interactive", username, prompt: (_name, _instructions, _language, prompts, finish) => finish(this.#answer(prompts, password)) } };
  }

  /** The password where it is hidden while typed; a question of another kind has no answer here. */
  #answer(prompts: readonly Prompt[], password: string): string[] {
    return prompts.map(({ prompt, echo }) => {
      if (echo !== true && /pass(word|phrase)|^\s*$/i.test(prompt)) return password;
      this.#questions.push(prompt.trim());
      return "";
    });
  }

  async #ask(what: "login" | "passphrase", file?: string): Promise<string | undefined> {
    this.asking = this.asked = true;
    try { return await this.#deps.secrets.password(this.#target, what, file); }
    finally { this.asking = false; }
  }

  async #load(): Promise<Identity[]> {
    if (this.#identities !== undefined) return this.#identities;
    const agent = await agentIdentities(this.#deps.agentSocket), files: Identity[] = [];
    for (const useless of agent.useless) this.#refused.set(useless.label, useless.why);
    for (const file of this.#target.identityFiles) {
      const found = await fileIdentity(file, (name) => this.#ask("passphrase", name));
      if ("why" in found) this.#refused.set(found.label, found.why);
      else files.push(found);
    }
    const same = (a: Identity) => (b: Identity): boolean => a.publicKey.getPublicSSH().equals(b.publicKey.getPublicSSH());
    const named = agent.identities.filter((held) => files.some(same(held))), others = agent.identities.filter((held) => !named.includes(held));
    this.#identities = [...named, ...others, ...files.filter((file) => !named.some(same(file)))];
    return this.#identities;
  }

  /** An agent that holds this one key. A failure to sign counts as refused, with its reason. */
  #signer(identity: Identity): InstanceType<typeof ssh2.BaseAgent> {
    return new OneKey(identity, (error) => { this.#refused.set(identity.label, error.message); });
  }

  /** What to tell when the host took nothing. */
  failure(cause: Error): RemoteError {
    const target = this.#target, action = "log in to", methods = this.#methods.filter((method) => method !== "none");
    const keys = [...this.#refused].map(([label, why]) => `${label}: ${why}`), tried = keys.length === 0 ? "no key to offer" : `keys tried: ${keys.join("; ")}`;
    const addKey = `put a public key into ~/.ssh/authorized_keys of user "${target.user}" there (ssh-copy-id), or name the key file`;
    if (this.#broken !== undefined) return new RemoteError("no-secret", target, { action, found: `a secret cannot be had: ${this.#broken.message}`, nextStep: howToGive("login") }, { cause: this.#broken });
    if (this.#questions.length > 0) return new RemoteError("login-refused", target, { action, found: `the host asks ${this.#questions.map((each) => `"${each}"`).join(", ")}, which kaji cannot answer`, nextStep: addKey }, { cause });
    if (this.#password === "refused") return new RemoteError("login-refused", target, { action, found: `the password of user "${target.user}" was refused${keys.length === 0 ? "" : ` (${tried})`}`, nextStep: `run again with the right one, or ${addKey}` }, { cause });
    if (this.#password === "none to be had") return new RemoteError("no-secret", target, { action, found: `no key was accepted (${tried}) and there is no password`, nextStep: `${howToGive("login")}, or ${addKey}` }, { cause });
    const locked = keys.find((line) => /passphrase/.test(line));
    if (locked !== undefined) return new RemoteError("bad-key-file", target, { action, found: `no key was accepted (${tried})`, nextStep: `${howToGive("passphrase")}, or add the key to an agent with ssh-add` }, { cause });
    return new RemoteError("login-refused", target, { action, found: `no key was accepted (${tried}); the host takes ${methods.length === 0 ? "nothing else" : methods.join(", ")}`, nextStep: addKey }, { cause });
  }
}

/** ssh2 asks an agent first for public keys and only then for a signature: so a key in a file is offered as OpenSSH does it. */
class OneKey extends ssh2.BaseAgent {
  readonly #identity: Identity;
  readonly #onFailure: (error: Error) => void;
  constructor(identity: Identity, onFailure: (error: Error) => void) {
    super();
    this.#identity = identity;
    this.#onFailure = onFailure;
  }
  getIdentities(answer: IdentityCallback): void { answer(null, [this.#identity.publicKey]); }
  sign(_key: unknown, data: Buffer, options: SigningRequestOptions | SignCallback, callback?: SignCallback): void {
    void this.#sign(data, typeof options === "function" ? undefined : options.hash, typeof options === "function" ? options : callback!);
  }
  async #sign(data: Buffer, hash: SignatureHash, answer: SignCallback): Promise<void> {
    let signature: Buffer;
    try { signature = await this.#identity.sign(data, hash); }
    catch (error) {
      this.#onFailure(error as Error);
      answer(error as Error);
      return;
    }
    answer(null, signature);
  }
}

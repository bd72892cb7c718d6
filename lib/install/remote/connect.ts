/**
 * Connections over SSH, straight or through jump hosts.
 *
 * Promises: nobody is talked to whose host key is not known or accepted; a dead peer is noticed within
 * `keepAliveIntervalMs × (keepAliveMissesMax + 1)`, 30 s by default; time limits stand still while a person is asked; hosts behind one
 * jump host share one connection to it; an abort leaves nothing open. Runs on Linux and macOS.
 * Counterpart: OpenSSH `sshconnect.c`, with `StrictHostKeyChecking` ask or accept-new.
 */
import { connect as connectTcp, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import ssh2, { type Algorithms } from "ssh2";
import { type Clock, systemClock } from "../../util/clock.ts";
import { connectError, forwardError, noAnswer } from "./connect-errors.ts";
import { Connection } from "./connection.ts";
import { type HostKeyPolicyDeps, verifyHostKey } from "./host-key-policy.ts";
import { JumpHosts } from "./jump-hosts.ts";
import { hostKeyAlgorithms } from "./known-hosts.ts";
import { Login, type LoginDeps } from "./login.ts";
import { type Connect, type HostTarget, RemoteError } from "./remote-host.ts";
import { SshHost } from "./ssh-host.ts";

export interface ConnectDeps extends LoginDeps, HostKeyPolicyDeps { readonly clock?: Clock }

export interface ConnectOptions {
  /** Take the key of a host met for the first time, and remember it. A changed key is refused all the same. */
  readonly acceptNewHostKeys?: boolean;
  /** For the TCP connection, and again for the login. */
  readonly connectTimeoutMs?: number;
  readonly keepAliveIntervalMs?: number;
  readonly keepAliveMissesMax?: number;
}

/** Fills defaults and rejects nonsense. */
export function resolveConnectOptions({ acceptNewHostKeys = false, connectTimeoutMs = 20_000, keepAliveIntervalMs = 5_000, keepAliveMissesMax = 5 }: ConnectOptions = {}): Required<ConnectOptions> {
  for (const [name, value] of Object.entries({ connectTimeoutMs, keepAliveIntervalMs, keepAliveMissesMax })) {
    if (!(value > 0)) throw new RangeError(`Cannot connect: ${name} must be > 0, got ${value}`);
  }
  return { acceptNewHostKeys, connectTimeoutMs, keepAliveIntervalMs, keepAliveMissesMax };
}

/** What OpenSSH 8.2 and later take by default, without SHA-1. Fast ones first: Node has no fast chacha20. */
const ALGORITHMS = {
  kex: ["curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521", "diffie-hellman-group16-sha512", "diffie-hellman-group18-sha512", "diffie-hellman-group-exchange-sha256", "diffie-hellman-group14-sha256"],
  cipher: ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr", "chacha20-poly1305@openssh.com"],
  hmac: ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512"],
  compress: ["none"],
} satisfies Algorithms;

/** How often a login is begun anew: sshd closes after six refused keys, or when the operator types for long. */
const LOGIN_ROUNDS_MAX = 4;

/** With this reason sshd says goodbye after too many refused proofs. Source: RFC 4253, section 11.1; OpenSSH auth.c. */
const PROTOCOL_ERROR = 2;

/** The host closed, but there is something left to offer. */
class LoginCut extends Error {}

/** What bytes travel on, and how to let go of it. */
interface Carrier { readonly stream: Duplex; release(): void }

/** Makes connections. */
export function createConnect(deps: ConnectDeps, options?: ConnectOptions): Connect {
  const connector = new Connector(deps, resolveConnectOptions(options));
  return async (target, signal) => new SshHost({ connection: await connector.open(target, signal), secrets: deps.secrets, clock: deps.clock ?? systemClock });
}

class Connector {
  readonly #deps: ConnectDeps;
  readonly #options: Required<ConnectOptions>;
  readonly #clock: Clock;
  readonly #jumpHosts = new JumpHosts((target, signal) => this.open(target, signal));

  constructor(deps: ConnectDeps, options: Required<ConnectOptions>) {
    this.#deps = deps;
    this.#options = options;
    this.#clock = deps.clock ?? systemClock;
  }

  async open(target: HostTarget, signal: AbortSignal): Promise<Connection> {
    const login = new Login(this.#deps, target);
    for (let round = 1; ; round += 1) {
      signal.throwIfAborted();
      const carrier = target.jump === undefined ? await this.#straight(target, signal) : await this.#through(target, target.jump, signal);
      try { return await this.#logIn(target, carrier, login, signal); }
      catch (error) {
        carrier.release();
        if (!(error instanceof LoginCut)) throw error;
        if (round === LOGIN_ROUNDS_MAX) throw login.failure(error);
      }
    }
  }

  #straight(target: HostTarget, signal: AbortSignal): Promise<Carrier> {
    return new Promise((resolve, reject) => {
      const socket = connectTcp({ host: target.address, port: target.port, noDelay: true });
      const fail = (error: unknown): void => { stop(); socket.destroy(); reject(error); };
      const onAbort = (): void => fail(signal.reason), onError = (error: Error): void => fail(connectError(target, error));
      const cancel = this.#clock.after(this.#options.connectTimeoutMs, () => fail(noAnswer(target, this.#options.connectTimeoutMs, "connect")));
      const stop = (): void => { cancel(); signal.removeEventListener("abort", onAbort); };
      signal.addEventListener("abort", onAbort, { once: true });
      socket.once("error", onError);
      socket.once("connect", () => {
        stop();
        socket.off("error", onError);
        resolve({ stream: socket, release: () => socket.destroySoon() });
      });
    });
  }

  async #through(target: HostTarget, jump: HostTarget, signal: AbortSignal): Promise<Carrier> {
    const lease = await this.#jumpHosts.acquire(jump, signal);
    try {
      const stream = await new Promise<Duplex>((resolve, reject) => {
        const onAbort = (): void => reject(signal.reason as Error);
        signal.addEventListener("abort", onAbort, { once: true });
        const cancel = this.#clock.after(this.#options.connectTimeoutMs, () => reject(noAnswer(target, this.#options.connectTimeoutMs, "connect")));
        lease.connection.client.forwardOut("127.0.0.1", 0, target.address, target.port, (error, channel) => {
          cancel();
          signal.removeEventListener("abort", onAbort);
          if (error !== undefined && error !== null) reject(forwardError(target, jump, error));
          else resolve(channel);
        });
      });
      return { stream, release: () => { stream.destroy(); lease.release(); } };
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  #logIn(target: HostTarget, carrier: Carrier, login: Login, signal: AbortSignal): Promise<Connection> {
    const client = new ssh2.Client(), limitMs = this.#options.connectTimeoutMs;
    const serverHostKey = hostKeyAlgorithms(this.#deps.knownHosts.read(), target.address, target.port);
    const ask = this.#deps.confirm, confirm = ask === undefined ? undefined : (question: string): Promise<boolean> => { login.asked = true; return ask(question); };
    let refusal: unknown, greeted = false, judging: Promise<void> | undefined;
    return new Promise((resolve, reject) => {
      let cancel = (): void => undefined, done = false;
      const end = (settle: () => void): void => {
        if (done) return;
        done = true;
        cancel();
        signal.removeEventListener("abort", onAbort);
        settle();
      };
      const fail = (error: unknown): void => end(() => { client.destroy(); reject(error as Error); });
      const onAbort = (): void => fail(signal.reason);
      const lost = (error: Error): void => {
        if (refusal !== undefined) fail(refusal);
        else if (judging !== undefined) void judging.then(() => fail(refusal ?? new LoginCut(error.message, { cause: error }))); // The host did not wait for the person's yes.
        else fail(greeted || login.asked ? cut(error, login) : connectError(target, error));
      };
      const watch = (): void => { cancel = this.#clock.after(limitMs, () => (login.asking || judging !== undefined ? watch() : fail(noAnswer(target, limitMs, "login")))); };
      signal.addEventListener("abort", onAbort, { once: true });
      watch();
      client.on("handshake", () => { greeted = true; });
      client.on("error", (error: Error & { level?: string }) => {
        if (error.level === "agent") return; // One key less; the next is tried.
        if (error.level === "client-timeout") (carrier.stream as Partial<Socket>).resetAndDestroy?.(); // Nothing the kernel still holds may arrive later, behind what a further run sends.
        if (error.level === "client-authentication") fail(login.failure(error));
        else lost(error);
      });
      client.on("close", () => lost(new Error(greeted ? "the host closed the connection" : "Connection lost before handshake")));
      client.on("change password", () => fail(new RemoteError("login-refused", target, { action: "log in to", found: `the password of user "${target.user}" has expired`, nextStep: "log in by hand with ssh and change it" })));
      client.on("ready", () => end(() => resolve(new Connection(target, client, () => carrier.release()))));
      client.connect({
        sock: carrier.stream, username: target.user, readyTimeout: 0, keepaliveInterval: this.#options.keepAliveIntervalMs, keepaliveCountMax: this.#options.keepAliveMissesMax,
        algorithms: { ...ALGORITHMS, serverHostKey },
        authHandler: login.handler(),
        hostVerifier: (key: Buffer, verify: (valid: boolean) => void) => {
          judging = verifyHostKey({ knownHosts: this.#deps.knownHosts, ...(confirm === undefined ? {} : { confirm }) }, target, key, this.#options.acceptNewHostKeys).catch((error: unknown) => { refusal = error; });
          void judging.then(() => { judging = undefined; verify(refusal === undefined); });
        },
      });
    });
  }
}

/** A connection that ended between the key exchange and the login: worth another round, or the end. */
function cut(error: Error & { code?: unknown }, login: Login): Error {
  const tooMany = error.code === PROTOCOL_ERROR || /too many authentication failures/i.test(error.message);
  if (login.asked || (tooMany && login.hasMore)) {
    login.asked = false;
    return new LoginCut(error.message, { cause: error });
  }
  return tooMany ? login.failure(error) : connectError(login.target, error);
}

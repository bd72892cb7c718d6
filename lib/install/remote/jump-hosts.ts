/**
 * Jump hosts: one connection each, however many hosts are reached through it, closed when the last of them is.
 * (sshd drops connections that begin all at once, MaxStartups; and nobody wants to be asked ten times.)
 */
import type { Connection } from "./connection.ts";
import { describeTarget, type HostTarget } from "./remote-host.ts";

export interface JumpLease { readonly connection: Connection; release(): void }

interface Shared { readonly opening: Promise<Connection>; readonly controller: AbortController; users: number }

export class JumpHosts {
  readonly #open: (target: HostTarget, signal: AbortSignal) => Promise<Connection>;
  readonly #shared = new Map<string, Shared>();
  constructor(open: (target: HostTarget, signal: AbortSignal) => Promise<Connection>) { this.#open = open; }

  /** A share of the connection to `target`, opened when there is none. Rejects as opening does, or with the signal's reason. */
  async acquire(target: HostTarget, signal: AbortSignal): Promise<JumpLease> {
    const key = describeTarget(target), shared = this.#shared.get(key) ?? this.#begin(key, target);
    shared.users += 1;
    let held = true;
    const release = (): void => {
      if (!held) return;
      held = false;
      shared.users -= 1;
      if (shared.users > 0) return;
      this.#forget(key, shared);
      shared.controller.abort();
      shared.opening.then((connection) => connection.close(), () => undefined);
    };
    let onAbort = (): void => undefined;
    const aborting = new Promise<never>((_resolve, reject) => { onAbort = () => reject(signal.reason as Error); signal.addEventListener("abort", onAbort, { once: true }); });
    try {
      const connection = await Promise.race([shared.opening, aborting]);
      return { connection, release };
    } catch (error) {
      release();
      throw error;
    } finally { signal.removeEventListener("abort", onAbort); }
  }

  #begin(key: string, target: HostTarget): Shared {
    const controller = new AbortController();
    const shared: Shared = { opening: this.#open(target, controller.signal), controller, users: 0 };
    this.#shared.set(key, shared);
    // A connection that failed or was lost serves nobody who comes later.
    shared.opening.then((connection) => connection.client.once("close", () => this.#forget(key, shared)), () => this.#forget(key, shared));
    return shared;
  }

  #forget(key: string, shared: Shared): void { if (this.#shared.get(key) === shared) this.#shared.delete(key); }
}

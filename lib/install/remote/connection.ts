/** An open, logged-in SSH connection: the client of ssh2, why it ended, and how many commands may run on it at once. */
import type { Client } from "ssh2";
import type { HostTarget } from "./remote-host.ts";

/** sshd's MaxSessions is 10 by default; a few stay free for a stop that must get through. */
const CHANNELS_MAX = 8;

export class Connection {
  readonly target: HostTarget;
  readonly client: Client;
  readonly #release: () => void;
  #lost: Error | undefined;
  #closing = false;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  /** `release` lets go of what lies underneath: the socket, or a channel through a jump host. */
  constructor(target: HostTarget, client: Client, release: () => void) {
    this.target = target;
    this.client = client;
    this.#release = release;
    client.on("error", (error) => { this.#lost ??= error; });
    client.on("close", () => {
      this.#lost ??= new Error(this.#closing ? "it was closed here" : "the host closed it");
      this.#release();
      for (const go of this.#waiting.splice(0)) go();
    });
  }

  /** Why the connection is gone; undefined while it stands. */
  get lost(): Error | undefined { return this.#lost; }

  /** Runs `work` when fewer than the most are running. */
  async slot<T>(work: () => Promise<T>): Promise<T> {
    while (this.#running >= CHANNELS_MAX && this.#lost === undefined) await new Promise<void>((resolve) => { this.#waiting.push(resolve); });
    this.#running += 1;
    try { return await work(); }
    finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  close(): void {
    this.#closing = true;
    this.client.end();
    this.#release(); // What was written still goes; nobody waits for the other side.
  }
}

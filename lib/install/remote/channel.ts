/**
 * One command on one channel of a connection: starts it, feeds stdin, hands out what it prints, waits for its end.
 *
 * Promises: settles when the channel is closed, the connection went, the signal aborted or the time was up, whichever is first;
 * backpressure is kept both ways; nothing is thrown into the void when the command ends before it has read its input.
 */
import { once } from "node:events";
import type { Client, ClientChannel } from "ssh2";

/** How it ended: with an exit code, by a signal there, or without either (the connection or the server went away). */
export type ChannelEnd = { readonly kind: "exit"; readonly code: number } | { readonly kind: "signal"; readonly signal: string } | { readonly kind: "gone" };

export interface ChannelHandlers {
  onStdout(chunk: Buffer): void;
  onStderr(chunk: Buffer): void;
}

/** A command that runs. */
export interface RunningCommand {
  /** What it prints goes there; nothing is read, and so nothing lost, before. */
  listen(handlers: ChannelHandlers): void;
  readonly ended: Promise<ChannelEnd>;
  /** Writes to stdin and waits for room; false when the command reads no more. */
  write(chunk: Buffer): Promise<boolean>;
  /** Bytes written but not yet on their way. */
  readonly waitingBytes: number;
  /** No more input. */
  endInput(): void;
  /** Asks the server to signal the command (ssh2 does so only while its input is open), then lets go of the channel. */
  stop(): void;
}

/** Starts a command. Rejects with the error of ssh2 when no channel can be had. */
export function startCommand(client: Client, command: string): Promise<RunningCommand> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => { // Throws where the connection is gone: then the promise rejects, too.
      if (error !== undefined && error !== null) return reject(error instanceof Error ? error : new Error("the host refused to run a command"));
      resolve(follow(channel));
    });
  });
}

function follow(channel: ClientChannel): RunningCommand {
  let closed = false;
  channel.on("error", () => { /* What matters comes as "close". */ });
  const ended = new Promise<ChannelEnd>((resolve) => {
    channel.once("close", (code?: number | null, signal?: string) => {
      closed = true;
      if (typeof code === "number") resolve({ kind: "exit", code });
      else resolve(signal === undefined ? { kind: "gone" } : { kind: "signal", signal });
    });
  });
  return {
    listen(handlers) {
      channel.on("data", (chunk: Buffer) => handlers.onStdout(chunk));
      channel.stderr.on("data", (chunk: Buffer) => handlers.onStderr(chunk));
    },
    ended,
    get waitingBytes() { return channel.writableLength; },
    async write(chunk) {
      if (closed || !channel.writable) return false;
      // A channel that closes never calls back for what was written: wait for either.
      if (!channel.write(chunk)) await Promise.race([once(channel, "drain").catch(() => undefined), ended]);
      return !closed;
    },
    endInput() { if (!closed) channel.end(); },
    stop() {
      if (closed) return;
      channel.signal("TERM");
      channel.close();
    },
  };
}

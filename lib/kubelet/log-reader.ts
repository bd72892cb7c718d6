/**
 * Reads a container's log: CRI's format (`TIME STREAM P|F TEXT`), from the end or a point in time, and on as it grows.
 *
 * Guarantees: following survives rotation (the old file is read to its end, then the new one from its start) and ends when `stillRunning` says no and
 * the file has been read to its end; memory stays bounded by one line. Counterpart: kubelet `kuberuntime/logs`.
 */
import { constants, watch } from "node:fs";
import { open, stat, type FileHandle } from "node:fs/promises";
import path from "node:path";

export interface LogOptions {
  readonly follow: boolean;
  /** The last lines only; undefined for all. */
  readonly tailLines: number | undefined;
  readonly sinceMs: number | undefined;
  readonly timestamps: boolean;
  readonly limitBytes: number | undefined;
  readonly stream: "all" | "stdout" | "stderr";
}

export interface LogLine { readonly time: string; readonly stream: string; readonly partial: boolean; readonly text: Buffer }

const SPACE = 0x20, NEWLINE = 0x0a, BLOCK_BYTES = 64 * 1_024, POLL_MS = 1_000;

/** Parses one line without its newline; undefined when it is not CRI's format. */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const a = line.indexOf(SPACE), b = a < 0 ? -1 : line.indexOf(SPACE, a + 1), c = b < 0 ? -1 : line.indexOf(SPACE, b + 1);
  const end = c < 0 ? line.length : c;
  if (b < 0) return undefined;
  const tags = line.subarray(b + 1, end).toString("latin1");
  return { time: line.subarray(0, a).toString("latin1"), stream: line.subarray(a + 1, b).toString("latin1"), partial: tags.split(":").includes("P"), text: line.subarray(Math.min(end + 1, line.length)) };
}

/** Where the last `lines` lines begin. */
export async function tailOffset(handle: FileHandle, lines: number): Promise<number> {
  const { size } = await handle.stat();
  if (lines <= 0) return size;
  let left = lines + 1; // The last line's own newline comes first.
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - BLOCK_BYTES), { buffer } = await handle.read(Buffer.alloc(end - start), 0, end - start, start);
    for (let i = buffer.length - 1; i >= 0; i--) if (buffer[i] === NEWLINE && --left === 0) return start + i + 1;
    end = start;
  }
  return 0;
}

class Formatter {
  readonly #options: LogOptions;
  #left: number;
  #partial = false;
  constructor(options: LogOptions) {
    this.#options = options;
    this.#left = options.limitBytes ?? Infinity;
  }

  get full(): boolean { return this.#left <= 0; }

  /** The bytes to send for a line, none when it is not wanted. */
  format(raw: Buffer): Buffer | undefined {
    const line = parseLogLine(raw), { sinceMs, timestamps, stream } = this.#options;
    if (line === undefined || (stream !== "all" && line.stream !== stream)) return undefined;
    if (sinceMs !== undefined && Date.parse(line.time) < sinceMs) return undefined;
    const parts = [...(timestamps && !this.#partial ? [Buffer.from(`${line.time} `)] : []), line.text, ...(line.partial ? [] : [Buffer.from("\n")])];
    this.#partial = line.partial;
    const bytes = Buffer.concat(parts), taken = bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes;
    this.#left -= taken.length;
    return taken;
  }
}

/** Yields pieces of the log, formatted. Ends as the header says; throws ENOENT when there is no file and nothing to follow. */
export async function* readLog(file: string, options: LogOptions, stillRunning: () => Promise<boolean>, signal: AbortSignal): AsyncGenerator<Buffer> {
  const formatter = new Formatter(options);
  let handle = await open(file, constants.O_RDONLY);
  try {
    let position = options.tailLines === undefined ? 0 : await tailOffset(handle, options.tailLines), rest: Buffer = Buffer.alloc(0);
    for (;;) {
      // Asked before reading, so that what was written before the end is still read.
      const running = !options.follow || await stillRunning();
      for (;;) {
        const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(BLOCK_BYTES), 0, BLOCK_BYTES, position);
        if (bytesRead === 0) break;
        position += bytesRead;
        let data: Buffer = Buffer.concat([rest, buffer.subarray(0, bytesRead)]), newline: number;
        const out: Buffer[] = [];
        while ((newline = data.indexOf(NEWLINE)) >= 0 && !formatter.full) {
          const piece = formatter.format(data.subarray(0, newline));
          if (piece !== undefined) out.push(piece);
          data = data.subarray(newline + 1);
        }
        if (out.length > 0) yield Buffer.concat(out);
        if (formatter.full || signal.aborted) return;
        rest = data;
      }
      if (!options.follow || !running || signal.aborted) return;
      const rotated = await isAnother(file, handle);
      if (rotated === "another") { await handle.close(); handle = await open(file, constants.O_RDONLY); position = 0; rest = Buffer.alloc(0); continue; }
      await changeOf(file, handle, position, signal);
    }
  } finally { await handle.close(); }
}

async function isAnother(file: string, handle: FileHandle): Promise<"same" | "another" | "gone"> {
  try { const [now, held] = await Promise.all([stat(file), handle.stat()]); return now.ino === held.ino && now.dev === held.dev ? "same" : "another"; }
  catch { return "gone"; }
}

/** Waits until something happens to the file, at most POLL_MS. */
async function changeOf(file: string, handle: FileHandle, position: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    let watcher: ReturnType<typeof watch> | undefined;
    const done = (): void => { clearTimeout(timer); signal.removeEventListener("abort", done); watcher?.close(); resolve(); };
    const timer = setTimeout(done, POLL_MS), wake = done;
    signal.addEventListener("abort", done, { once: true });
    try {
      watcher = watch(path.dirname(file), done);
      watcher.on("error", done);
      // What was written between the last read and the watch would otherwise wait for the poll.
      void sizeOf(handle).then((size) => { if (size > position) wake(); });
    } catch { /* The poll will do. */ }
  });
}

/** The file's size; Infinity when it cannot be told, so that whoever asks reads again. */
const sizeOf = (handle: FileHandle): Promise<number> => handle.stat().then(({ size }) => size, () => Infinity);

/**
 * Files to a host: compared by size and sha256, carried on where a cut left off, under their name only when whole.
 *
 * One path for all hosts: a shell script receives the bytes with `cat`, as root through sudo where asked. No SFTP: every host that runs
 * commands can do this, an unprivileged staging place is not needed, and errors come in words (SFTP says "Failure" for a full disk).
 * The partial file `.NAME.kaji-SHA.part` lies in the target's folder, readable by its owner only, and always holds a beginning of
 * that content: bytes are only ever added at its end, and the sum is checked before the rename.
 * Source: POSIX sh; df -P; sha256sum, sync and stat of coreutils or busybox.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import path from "node:path";
import type { Execution, Input } from "./execution.ts";
import { type HostTarget, RemoteError, type UploadOptions } from "./remote-host.ts";

/** What is to arrive. */
export interface Content {
  readonly sizeBytes: number;
  readonly sha256: string;
  /** The bytes from an offset on. */
  from(offset: number): Input;
}

/** Sums of local files, by name, size and time of change: one program goes to many hosts at once. */
const sums = new Map<string, Promise<string>>();
const SUMS_MAX = 1_000;

/** A local file, hashed once however many hosts get it. Rejects when it cannot be read. */
export async function fileContent(file: string): Promise<Content> {
  const { size: sizeBytes, mtimeMs } = await stat(file), key = `${mtimeMs} ${sizeBytes} ${file}`;
  const sum = sums.get(key) ?? sumOf(file);
  if (sums.size >= SUMS_MAX) sums.clear();
  sums.set(key, sum);
  const sha256 = await sum.catch((error: unknown) => { sums.delete(key); throw error; });
  return { sizeBytes, sha256, from: (offset) => (offset >= sizeBytes ? [] : createReadStream(file, { start: offset, end: sizeBytes - 1, highWaterMark: 256 * 1024 })) };
}

async function sumOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest("hex");
}

/** Bytes in memory. */
export function bytesContent(content: string | Buffer): Content {
  const bytes = Buffer.from(content);
  return { sizeBytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex"), from: (offset) => [bytes.subarray(offset)] };
}

/** What lies on the host. */
export type Inspection =
  | { readonly kind: "no-folder" } | { readonly kind: "folder" } | { readonly kind: "same" }
  | { readonly kind: "differs"; readonly partialBytes: number; readonly freeBytes: number | undefined; readonly mount: string };

/** $1 file, $2 partial file, $3 sha256, $4 size, $5 mode. Same content: only the mode is mended. */
const INSPECT = `dir=$(dirname -- "$1")
[ -d "$dir" ] || { echo no-folder; exit 0; }
[ -d "$1" ] && { echo folder; exit 0; }
if [ -f "$1" ] && [ -r "$1" ] && [ "$(wc -c < "$1")" -eq "$4" ] && sum=$(sha256sum < "$1") && [ "\${sum%% *}" = "$3" ]; then
  [ "$(stat -c %a -- "$1")" = "$5" ] || chmod -- "$5" "$1" || exit 1
  echo same; exit 0
fi
if [ -f "$2" ]; then echo "differs $(($(wc -c < "$2")))"; else echo "differs 0"; fi
df -Pk -- "$dir" 2>/dev/null | tail -n 1`;

/** Exit codes of RECEIVE. */
const CANNOT_WRITE = 65, CUT = 66, WRONG_SUM = 67, MOVED = 68;
/** $1 file, $2 partial file, $3 sha256, $4 size, $5 mode, $6 offset, $7 folder, $8 name. A disk that is full is left as it was. */
const RECEIVE = `umask 077
[ "$6" -ne 0 ] || rm -f -- "$2"
[ "$6" -eq 0 ] || [ "$(($(wc -c < "$2")))" -eq "$6" ] || exit ${MOVED}
cat >> "$2" || { rm -f -- "$2"; exit ${CANNOT_WRITE}; }
size=$(($(wc -c < "$2")))
[ "$size" -ge "$4" ] || exit ${CUT}
sum=$(sha256sum < "$2")
[ "\${sum%% *}" = "$3" ] || { rm -f -- "$2"; exit ${WRONG_SUM}; }
chmod -- "$5" "$2" && { sync -- "$2" 2>/dev/null || sync; } && mv -f -- "$2" "$1" || { rm -f -- "$2"; exit ${CANNOT_WRITE}; }
sync -- "$7" 2>/dev/null
rm -f -- "$7/.$8".kaji-*.part
exit 0`;

/** Reads what INSPECT printed. Throws on anything else. */
export function parseInspection(text: string): Inspection {
  const [first = "", disk = ""] = text.trim().split("\n"), [kind, partial] = first.split(" ");
  if (kind === "no-folder" || kind === "folder" || kind === "same") return { kind };
  if (kind !== "differs" || !/^\d+$/.test(partial ?? "")) throw new Error(`Cannot read what the host said of the file: ${JSON.stringify(text.slice(0, 200))}`);
  const columns = /\s(\d+)\s+\d+%\s+(.+)$/.exec(disk);
  return { kind: "differs", partialBytes: Number(partial), freeBytes: columns === null ? undefined : Number(columns[1]) * 1024, mount: columns?.[2] ?? "/" };
}

/** From where to send: a partial file longer than the content is none of ours. Pure. */
export const resumeOffset = (partialBytes: number, sizeBytes: number): number => (partialBytes <= sizeBytes ? partialBytes : 0);

/** The partial file's path: it names the content, so another version never goes on with it. */
export function partialFile(remoteFile: string, sha256: string): string {
  return path.posix.join(path.posix.dirname(remoteFile), `.${shortName(remoteFile)}.kaji-${sha256.slice(0, 16)}.part`);
}
const shortName = (file: string): string => path.posix.basename(file).slice(0, 60); // With the rest in front of a limit of 255 bytes.

const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
/** Twice from the beginning, and once carried on. */
const ROUNDS_MAX = 3;

/** One content to one host. */
export class Upload {
  readonly #execution: Execution;
  readonly #target: HostTarget;
  readonly #file: string;
  readonly #content: Content;
  readonly #options: UploadOptions;

  constructor(deps: { execution: Execution; target: HostTarget }, remoteFile: string, content: Content, options: UploadOptions) {
    if (!path.posix.isAbsolute(remoteFile)) throw new RangeError(`Cannot upload to "${remoteFile}": the path must be absolute`);
    this.#execution = deps.execution;
    this.#target = deps.target;
    this.#file = remoteFile;
    this.#content = content;
    this.#options = options;
  }

  async run(): Promise<"sent" | "same"> {
    const { sizeBytes } = this.#content;
    let fresh = false;
    for (let round = 1; round <= ROUNDS_MAX; round += 1) {
      const seen = await this.#inspect();
      if (seen.kind === "same") return "same";
      if (seen.kind === "no-folder") throw this.#error("command", "its folder is not there", `make ${path.posix.dirname(this.#file)} first`);
      if (seen.kind === "folder") throw this.#error("command", "there is a folder of that name", "take it away, or choose another name");
      const offset = fresh ? 0 : resumeOffset(seen.partialBytes, sizeBytes), lacking = sizeBytes - offset;
      if (seen.freeBytes !== undefined && seen.freeBytes + (fresh ? seen.partialBytes : 0) < lacking) throw this.#full(`${mib(seen.freeBytes)} are free on ${seen.mount}, ${mib(lacking)} are to come`);
      const code = await this.#send(offset);
      if (code === 0) return "sent";
      fresh = code === WRONG_SUM; // Somebody else wrote to it, too; or the file changed here meanwhile.
    }
    throw this.#error("command", "it arrived with another content each time", "see that neither the file here changes nor another kaji sends it at the same time");
  }

  async #inspect(): Promise<Inspection> {
    const { sizeBytes, sha256 } = this.#content;
    const { code, stdout, stderr } = await this.#script(INSPECT, [sha256, String(sizeBytes), this.#options.mode.toString(8)], {});
    if (code !== 0) throw this.#failed(stderr.toString());
    return parseInspection(stdout.toString());
  }

  /** Sends the rest. Resolves with 0, or with the code of what another round can mend. */
  async #send(offset: number): Promise<number> {
    const { sizeBytes, sha256 } = this.#content, { onProgress, mode } = this.#options;
    onProgress?.(offset, sizeBytes);
    const { code, stderr } = await this.#script(RECEIVE, [sha256, String(sizeBytes), mode.toString(8), String(offset), path.posix.dirname(this.#file), shortName(this.#file)], {
      input: this.#content.from(offset), ...(onProgress === undefined ? {} : { onSent: (bytes: number) => onProgress(offset + bytes, sizeBytes) }),
    });
    if (code === 0) onProgress?.(sizeBytes, sizeBytes);
    if (code === 0 || code === WRONG_SUM || code === MOVED || code === CUT) return code;
    throw this.#failed(stderr.toString());
  }

  #script(script: string, args: readonly string[], io: { input?: Input; onSent?: (bytes: number) => void }): ReturnType<Execution["execute"]> {
    const { sudo, signal } = this.#options;
    return this.#execution.execute(["sh", "-c", script, "kaji", this.#file, partialFile(this.#file, this.#content.sha256), ...args], { action: this.#action, ...io, ...(sudo === undefined ? {} : { sudo }), ...(signal === undefined ? {} : { signal }) });
  }

  get #action(): string { return `write "${this.#file}" on`; }
  #error(reason: RemoteError["reason"], found: string, nextStep: string): RemoteError { return new RemoteError(reason, this.#target, { action: this.#action, found, nextStep }); }
  #full(found: string): RemoteError { return this.#error("no-space", `its disk is full: ${found}`, "make room there, then run again"); }
  #failed(stderr: string): RemoteError {
    const said = stderr.trim().split("\n").at(-1) ?? "";
    if (/No space left|quota exceeded/i.test(stderr)) return this.#full(said);
    if (/Permission denied|Operation not permitted|Read-only file system/i.test(stderr)) return this.#error("no-permission", said, this.#options.sudo === true ? "check the mount and attributes of its folder" : `give user "${this.#target.user}" the right to write there`);
    return this.#error("command", said === "" ? "the host did not say why" : said, "see the log of the host");
  }
}

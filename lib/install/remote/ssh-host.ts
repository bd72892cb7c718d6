/** A host over SSH: the contract of `remote-host.ts`, put together from commands, uploads and one connection. */
import { StringDecoder } from "node:string_decoder";
import type { Clock } from "../../util/clock.ts";
import type { Connection } from "./connection.ts";
import { Execution } from "./execution.ts";
import { type HostTarget, RemoteError, type RemoteHost, type RunOptions, type RunResult, type Secrets, type UploadOptions } from "./remote-host.ts";
import { bytesContent, fileContent, Upload } from "./upload.ts";

export interface SshHostDeps { readonly connection: Connection; readonly secrets: Secrets; readonly clock: Clock }

export class SshHost implements RemoteHost {
  readonly target: HostTarget;
  readonly #connection: Connection;
  readonly #execution: Execution;

  constructor(deps: SshHostDeps) {
    this.#connection = deps.connection;
    this.target = deps.connection.target;
    this.#execution = new Execution(deps);
  }

  async run(argv: readonly string[], { input, onLine, ...options }: RunOptions = {}): Promise<RunResult> {
    if (argv.length === 0) throw new RangeError("Cannot run nothing: argv is empty");
    const lines = onLine === undefined ? undefined : { stdout: new Lines(onLine), stderr: new Lines(onLine) };
    const { code, stdout, stderr } = await this.#execution.execute(argv, {
      ...options, action: `run "${argv[0]}" on`,
      ...(input === undefined ? {} : { input: [Buffer.from(input)] }),
      ...(lines === undefined ? {} : { onOutput: (chunk: Buffer, stream: "stdout" | "stderr") => lines[stream].feed(chunk) }),
    });
    lines?.stdout.end();
    lines?.stderr.end();
    return { code, stdout: stdout.toString(), stderr: stderr.toString() };
  }

  async upload(localFile: string, remoteFile: string, options: UploadOptions): Promise<"sent" | "same"> {
    return new Upload({ execution: this.#execution, target: this.target }, remoteFile, await fileContent(localFile), options).run();
  }

  async write(content: string | Buffer, remoteFile: string, options: Pick<UploadOptions, "mode" | "sudo" | "signal">): Promise<"sent" | "same"> {
    return new Upload({ execution: this.#execution, target: this.target }, remoteFile, bytesContent(content), options).run();
  }

  async readFile(remoteFile: string, options: Pick<RunOptions, "sudo" | "signal"> = {}): Promise<Buffer | undefined> {
    const action = `read "${remoteFile}" on`;
    const { code, stdout, stderr } = await this.#execution.execute(["cat", "--", remoteFile], { ...options, action });
    if (code === 0) return stdout;
    const said = stderr.toString().trim();
    if (/No such file or directory|Not a directory/.test(said)) return undefined;
    throw new RemoteError(/Permission denied/.test(said) ? "no-permission" : "command", this.target, { action, found: said === "" ? `cat ended with exit code ${code}` : said, nextStep: options.sudo === true ? "see what lies there" : `give user "${this.target.user}" the right to read it` });
  }

  close(): void { this.#connection.close(); }
}

/** Cuts a stream of bytes into lines. */
class Lines {
  readonly #onLine: (line: string) => void;
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";
  constructor(onLine: (line: string) => void) { this.#onLine = onLine; }
  feed(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) this.#onLine(line.replace(/\r$/, ""));
  }
  end(): void {
    this.#rest += this.#decoder.end();
    if (this.#rest !== "") this.#onLine(this.#rest);
    this.#rest = "";
  }
}

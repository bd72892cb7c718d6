/**
 * Runs a program and waits for it. Never a shell: arguments are a list, input goes to stdin.
 */
import { execFile } from "node:child_process";

export interface ExecOptions { input?: string | Buffer; timeoutMs?: number; signal?: AbortSignal; env?: NodeJS.ProcessEnv; cwd?: string; uid?: number; gid?: number }

/** A program failed: carries its exit code (-1 when it did not start or was killed) and what it wrote to stderr. */
export class ExecError extends Error {
  override readonly name = "ExecError";
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  constructor(command: string, exitCode: number, stdout: string, stderr: string, cause: unknown) {
    const detail = stderr.trim() || stdout.trim() || (cause as Error).message;
    super(`Cannot run ${command}: exit code ${exitCode}: ${detail.slice(-2_000)}`, { cause });
    this.exitCode = exitCode;
    this.stdout = stdout;
    this.stderr = stderr;
  }
}

const OUTPUT_MAX_BYTES = 64 * 1024 * 1024;

/** Resolves with what the program printed when it exits with 0. Throws ExecError. */
export function exec(file: string, args: readonly string[], options: ExecOptions = {}): Promise<{ stdout: string; stderr: string }> {
  const { input, timeoutMs, ...rest } = options;
  return new Promise((resolve, reject) => {
    const child = execFile(file, args, { ...rest, maxBuffer: OUTPUT_MAX_BYTES, encoding: "utf8", ...(timeoutMs === undefined ? {} : { timeout: timeoutMs, killSignal: "SIGKILL" }) }, (error, stdout, stderr) => {
      if (error === null) return resolve({ stdout, stderr });
      const code = typeof error.code === "number" ? error.code : -1;
      reject(new ExecError(`${file} ${args.slice(0, 4).join(" ")}`, code, stdout, stderr, error));
    });
    child.stdin?.on("error", () => { /* The program may exit before it reads; its exit code says what was wrong. */ });
    child.stdin?.end(input);
  });
}

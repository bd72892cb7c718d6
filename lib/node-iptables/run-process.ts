/** Runs one program with text on stdin; no shell, bounded in time. */
import { spawn } from "node:child_process";

export interface ProcessResult { readonly code: number; readonly stdout: string; readonly stderr: string }
export interface ProcessOptions { readonly input?: string; readonly timeoutMs?: number; readonly signal?: AbortSignal }

/** Resolves with the exit code and output whatever the code; rejects when the program cannot be started or ran out of time. */
export function runProcess(argv: readonly string[], { input, timeoutMs = 120_000, signal }: ProcessOptions = {}): Promise<ProcessResult> {
  return new Promise((resolve, reject) => {
    const [program, ...args] = argv;
    const child = spawn(program!, args, { stdio: ["pipe", "pipe", "pipe"], ...(signal === undefined ? {} : { signal }) });
    const stdout: Buffer[] = [], stderr: Buffer[] = [];
    let late = false;
    const timer = setTimeout(() => { late = true; child.kill("SIGKILL"); }, timeoutMs);
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.stdin.on("error", () => {}); // The program ended before it read all; its exit code tells.
    child.on("error", (error) => { clearTimeout(timer); reject(error); });
    child.on("close", (code, killer) => {
      clearTimeout(timer);
      if (late) return reject(new Error(`Cannot run ${program}: still running after ${timeoutMs} ms`));
      if (code === null) return reject(new Error(`Cannot run ${program}: ended by ${killer}`));
      resolve({ code, stdout: Buffer.concat(stdout).toString("utf8"), stderr: Buffer.concat(stderr).toString("utf8") });
    });
    child.stdin.end(input);
  });
}

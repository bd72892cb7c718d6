/** A program that goes on (`kubectl logs -f`, `port-forward`, `get -w`), watched by what it prints. */
import { spawn, type ChildProcess } from "node:child_process";

const PATIENCE_MS = 60_000;

export interface RunningProgram {
  readonly child: ChildProcess;
  /** Both streams so far. */
  output(): string;
  /** All it printed, as soon as that matches. Rejects when it ends before, or is silent for too long. */
  until(pattern: RegExp): Promise<string>;
  stop(): Promise<void>;
}

export function startProgram(file: string, args: readonly string[], options: { env: NodeJS.ProcessEnv; cwd?: string }): RunningProgram {
  const child = spawn(file, args, { ...options, stdio: ["pipe", "pipe", "pipe"] });
  let text = "";
  const waiting = new Set<() => void>();
  const take = (chunk: Buffer): void => { text += chunk.toString(); for (const wake of waiting) wake(); };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  const ended = new Promise<void>((resolve) => { child.once("exit", () => { resolve(); for (const wake of waiting) wake(); }); });
  return {
    child,
    output: () => text,
    until: (pattern) => new Promise((resolve, reject) => {
      const fail = (what: string): void => { clearTimeout(timer); waiting.delete(check); reject(new Error(`${file} ${args.join(" ")} ${what}: ${text.slice(-2_000)}`)); };
      const timer = setTimeout(() => fail(`never printed ${pattern}; it printed`), PATIENCE_MS);
      const check = (): void => {
        if (pattern.test(text)) { clearTimeout(timer); waiting.delete(check); resolve(text); }
        else if (child.exitCode !== null) fail(`ended with ${child.exitCode}`);
      };
      waiting.add(check);
      check();
    }),
    stop: async () => { child.kill("SIGTERM"); await ended; },
  };
}

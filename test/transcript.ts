/**
 * Sessions at a terminal as text that reads aloud: what was typed, what was answered, how it ended.
 *
 *     ; A remark.
 *     $ kubectl apply -f - <<END         a command, for /bin/sh
 *     > kind: ConfigMap                  … which goes on
 *     > END
 *     configmap/web created              its output and its complaints, in the order they came
 *     (exit 1)                           its exit code, when that is not 0
 *     $[1.20] kubectl version            only where the session has that mark
 *     [1.20 1.31]| namespace/a deleted   a line of output that is there only where the session has one of these marks
 *     ...                                any lines, or none
 *
 * What differs from run to run (ages, addresses, generated names) is masked on both sides, and the columns' padding is folded.
 */
import type { ExecutionContext } from "ava";
import { readFileSync } from "node:fs";
import { exec, ExecError } from "../lib/util/exec.ts";

const MASKS: readonly [RegExp, string][] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "<uid>"],
  [/\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} [+-]\d{4}/g, "<time>"],
  [/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z/g, "<time>"],
  [/\w{3} \w{3} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}/g, "<time>"],
  [/\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d+)? \+0000 UTC/g, "<time>"],
  [/containerd:\/\/[0-9a-f]{64}/g, "containerd://<id>"],
  [/sha256([:=])[0-9a-f]{64}/gi, "sha256$1<digest>"],
  [/10\.244\.\d+\.\d+/g, "<pod-ip>"],
  [/10\.96\.\d+\.\d+/g, "<service-ip>"],
  [/10\.89\.\d+\.\d+/g, "<node-ip>"],
  [/127\.0\.0\.1:\d{4,5}\b/g, "<server>"],
  [/:3[0-2]\d{3}\/(TCP|UDP)/g, ":<port>/$1"],
  [/\bworker-\d\b/g, "<node>"],
  [/pod-template-hash([=:] ?)[a-z0-9]{6,10}\b/g, "pod-template-hash$1<hash>"],
  [/-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b/g, "-<hash>-<id>"],
  [/-[bcdfghjklmnpqrstvwxz2456789]{8,10}\b/g, "-<hash>"],
  [/-[bcdfghjklmnpqrstvwxz2456789]{5}\b/g, "-<id>"],
  [/(resourceVersion"?): "\d+"/g, '$1: "<rv>"'],
  [/\b(\d+(?:\.\d+)?(?:d|h|m|s|ms))+\b/g, "<age>"],
];

/** Masks what differs from run to run and folds the columns' padding. */
export function maskOutput(text: string): string {
  const masked = MASKS.reduce((result, [pattern, name]) => result.replace(pattern, name), text.replaceAll("\t", "  "));
  return masked.split("\n").map((line) => line.replace(/(\S) {2,}/g, "$1  ").replace(/-{2,}/g, "--").trimEnd()).join("\n").trim();
}

export interface Step { readonly command: string; readonly expected: string; readonly exitCode: number; readonly line: number }

/** The steps and lines that hold where the session has these marks. */
export function parseTranscript(text: string, marks: readonly string[]): Step[] {
  const steps: { command: string; expected: string; exitCode: number; line: number; here: boolean; told: boolean }[] = [];
  const holds = (condition: string | undefined): boolean => condition === undefined || condition.split(" ").some((mark) => marks.includes(mark));
  for (const [index, line] of text.trimEnd().split("\n").entries()) {
    const start = /^\$(?:\[([^\]]+)\])? (.*)$/.exec(line), last = steps.at(-1), code = /^\(exit (\d+)\)$/.exec(line), only = /^\[([^\]]+)\]\|( ?)(.*)$/.exec(line);
    if (start !== null) steps.push({ command: start[2]!, expected: "", exitCode: 0, line: index + 1, here: holds(start[1]), told: false });
    else if (last === undefined || line.startsWith("; ")) continue;
    else if (line.startsWith("> ") && !last.told) last.command += `\n${line.slice(2)}`;
    else if (code !== null) last.exitCode = Number(code[1]);
    else if (only === null || holds(only[1])) { last.expected += `${only === null ? line : only[3]}\n`; last.told = true; }
  }
  return steps.filter(({ here }) => here).map(({ command, expected, exitCode, line }) => ({ command, expected, exitCode, line }));
}

/** Whether `actual` is `expected`, in which a line `...` stands for any lines. Both are masked. */
export function matchesOutput(actual: string, expected: string): boolean {
  const pattern = expected.split("\n").map((line) => (line === "..." ? "(?:.*\\n)*?" : `${line.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}\\n`)).join("");
  return new RegExp(`^${pattern}$`).test(`${actual}\n`);
}

export interface SessionPlace { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly marks?: readonly string[]; readonly timeoutMs?: number }

/** Types a transcript's commands one after the other and holds each against what stands there. */
export async function replay(t: ExecutionContext, file: string, { cwd, env, marks = [], timeoutMs = 300_000 }: SessionPlace): Promise<void> {
  const steps = parseTranscript(readFileSync(file, "utf8"), marks);
  t.true(steps.length > 0, `${file} has no step`);
  for (const { command, expected, exitCode, line } of steps) {
    const run = await exec("/bin/sh", ["-c", `exec 2>&1\n${command}`], { cwd, env, timeoutMs }).then(({ stdout }) => ({ code: 0, stdout }), (error: unknown) => {
      if (error instanceof ExecError) return { code: error.exitCode, stdout: error.stdout };
      throw error;
    });
    const actual = maskOutput(run.stdout), wanted = maskOutput(expected), where = `${file}:${line}: $ ${command}`;
    if (wanted.split("\n").includes("...")) t.true(matchesOutput(actual, wanted), `${where}\n--- wanted\n${wanted}\n--- printed\n${actual}\n---`);
    else t.is(actual, wanted, where);
    t.is(run.code, exitCode, `${where}\n${run.stdout}`);
  }
}

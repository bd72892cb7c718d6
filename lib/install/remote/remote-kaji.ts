/** Our program on a host: where it and what it needs lie, and how it is called. Nothing the operator wrote is read by a shell. */
import type { MembersReport } from "../host/members-report.ts";
import type { RemoteHost, RunOptions, RunResult } from "./remote-host.ts";

export const PROGRAM = "/usr/local/bin/kaji", REMOTE_BUNDLE = "/var/lib/kaji/bundle", BUNDLE_MARK = `${REMOTE_BUNDLE}/.complete`, INSTALLED_FILE = "/var/lib/kaji/installed-packages", ADMIN_FILE = "/etc/kaji/admin.conf";
/** Hosts may be slow; what hangs for ever is told apart by the connection's own keep-alive. */
export const LONG_TIMEOUT_MS = 30 * 60_000, SHORT_TIMEOUT_MS = 3 * 60_000;
const LOCKED = 75;

/** A command on a host ended with another code than 0. */
export class CommandError extends Error { override readonly name = "CommandError"; }

/** What a person should read of a failed command: the message of our program, else its last lines. */
export function failureText({ code, stdout, stderr }: RunResult): string {
  const told = stderr.lastIndexOf("Error: ");
  if (told >= 0 && (told === 0 || stderr[told - 1] === "\n")) return stderr.slice(told + "Error: ".length).trim();
  const lines = (stderr.trim() === "" ? stdout : stderr).trim().split("\n").slice(-4).join("\n").trim();
  return lines === "" ? `exit code ${code}` : `exit code ${code}: ${lines}`;
}

/** Runs a command as root; any other code than 0 is an error. */
export async function must(host: RemoteHost, argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const result = await host.run(argv, { sudo: true, timeoutMs: SHORT_TIMEOUT_MS, ...options });
  if (result.code !== 0) throw new CommandError(failureText(result));
  return result;
}

/** Runs our program for something that changes the host; one at a time there, whoever asks. */
export async function changeWithKaji(host: RemoteHost, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const result = await host.run(["flock", "--timeout", "600", "--conflict-exit-code", String(LOCKED), PROGRAM, PROGRAM, ...args], { sudo: true, timeoutMs: LONG_TIMEOUT_MS, ...options });
  if (result.code === LOCKED && result.stderr.trim() === "") throw new CommandError("another kaji has been changing this host for ten minutes: wait until it is done, or end it");
  if (result.code !== 0) throw new CommandError(failureText(result));
  return result;
}

/** What the master tells of its cluster. */
export async function readMembers(master: RemoteHost, signal: AbortSignal): Promise<MembersReport> {
  const { stdout } = await must(master, [PROGRAM, "members", "list"], { signal });
  return JSON.parse(stdout) as MembersReport;
}

/** `kaji check`: what would keep this host from being a member of a cluster, for people or as JSON; with --fix it mends what it safely can. */
import { hostname } from "node:os";
import type { HostFinding } from "../../lib/install/host/checks/finding.ts";
import type { Mended } from "../../lib/install/host/checks/fix.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { FlagError, parseFlags } from "../../lib/util/flags.ts";

export const CHECK_FLAGS = {
  master: { type: "bool", help: "as a master" },
  fix: { type: "bool", help: "mend what is safe: load modules, set kernel settings, swap off for now, a missing machine-id, the time service" },
  output: { type: "string", default: "text", help: "text or json" },
  port: { type: "int", default: 6443, help: "port of the API server" },
  server: { type: "string", help: "ADDRESS:PORT of the master this host is to join: compares the clocks" },
  "node-name": { type: "string", help: "name of the node instead of the host's" },
} as const;

export interface CheckReport {
  readonly host: string; readonly role: "master" | "worker";
  /** No error is left. */
  readonly ok: boolean;
  readonly findings: readonly HostFinding[];
  /** What `--fix` did, and could not do. */
  readonly fixed: readonly Mended[];
}

/** Pure. */
export function renderReport({ findings, fixed }: CheckReport): string {
  const lines = [
    ...fixed.map(({ did, problem }) => (did === undefined ? `not fixed: ${problem}` : `fixed: ${did}`)),
    ...findings.map(({ severity, check, problem, advice }) => `${severity}: ${check}: ${problem}: ${advice}`),
  ];
  return `${lines.length === 0 ? "nothing found" : lines.join("\n")}\n`;
}

async function aheadOf(server: string | undefined): Promise<{ masterAheadMs?: number; unreachable?: HostFinding }> {
  if (server === undefined) return {};
  try {
    const ahead = await (await import("../../lib/install/host/master-clock.ts")).masterAheadMs(`https://${server}`, systemClock);
    return ahead === undefined ? {} : { masterAheadMs: ahead };
  } catch (error) {
    return { unreachable: { check: "master", severity: "error", problem: `the API server at ${server} cannot be reached: ${(error as Error).message}`, advice: "check the address, that the master runs, and the firewalls between" } };
  }
}

/** Returns 1 when an error is left. */
export async function check(argv: readonly string[]): Promise<number> {
  const { flags, args } = parseFlags(argv, CHECK_FLAGS);
  if (args.length > 0) throw new FlagError(`kaji check takes no arguments, got ${JSON.stringify(args[0])}`);
  if (flags.output !== "text" && flags.output !== "json") throw new FlagError(`Cannot use --output=${flags.output}: expected text or json`);
  if (flags.fix && process.getuid!() !== 0) throw new FlagError('Cannot run kaji check --fix as an ordinary user: run it with "sudo"');
  const role = flags.master ? "master" as const : "worker" as const, [{ hostFindings }, { mend }] = await Promise.all([import("../../lib/install/host/check.ts"), import("../../lib/install/host/checks/fix.ts")]);
  const { unreachable, ...clock } = await aheadOf(flags.server), look = (): Promise<HostFinding[]> => hostFindings(role, { apiPort: flags.port, nodeName: flags["node-name"], ...clock });
  let findings = await look();
  const fixed = flags.fix ? await mend(findings) : [];
  if (fixed.length > 0) findings = await look();
  if (unreachable !== undefined) findings.unshift(unreachable);
  const report: CheckReport = { host: hostname(), role, ok: findings.every((finding) => finding.severity !== "error"), findings, fixed };
  process.stdout.write(flags.output === "json" ? `${JSON.stringify(report, null, 2)}\n` : renderReport(report));
  return report.ok ? 0 : 1;
}

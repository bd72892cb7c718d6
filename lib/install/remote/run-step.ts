/** One step of a plan, done: thin. Each may be done again without harm. */
import { assertNever } from "../../util/assert.ts";
import type { Clock } from "../../util/clock.ts";
import path from "node:path";
import { eachOf } from "./fleet.ts";
import type { BundleFiles } from "./local-files.ts";
import type { Step } from "./plan.ts";
import type { RemoteHost, RunOptions } from "./remote-host.ts";
import { BUNDLE_MARK, changeWithKaji, CommandError, INSTALLED_FILE, LONG_TIMEOUT_MS, must, PROGRAM, readMembers, REMOTE_BUNDLE } from "./remote-kaji.ts";
import { megabytes } from "./step-text.ts";

export interface StepContext {
  /** The host the step is about; a step done on the master does not need it. */
  readonly host: RemoteHost | undefined;
  readonly master: RemoteHost;
  /** How to join, made once for all hosts. */
  readonly invitation: () => Promise<Invitation>;
  readonly bundle: BundleFiles | undefined;
  readonly progress: (detail: string) => void;
  readonly warn: (text: string) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}
/** Where to join, whom to trust, and a token that is valid for a short time. */
export interface Invitation { readonly server: string; readonly pin: string; readonly token: string }
export const TOKEN_LIFETIME = "30m";

const percent = (sent: number, total: number): string => `${total === 0 ? 100 : Math.floor((100 * sent) / total)} % of ${megabytes(total)}`;

/** Makes the invitation on the master. */
export async function invite(master: RemoteHost, signal: AbortSignal): Promise<Invitation> {
  const { settings, pin } = await readMembers(master, signal);
  if (settings === undefined) throw new CommandError("the cluster has no settings yet: kaji init did not come to its end");
  const { stdout } = await must(master, [PROGRAM, "token", "create", "--ttl", TOKEN_LIFETIME, "--description", "made by kaji apply"], { signal });
  return { server: new URL(settings.server).host, pin, token: stdout.trim() };
}
/** Takes it back; that it ends by itself is enough when that fails. */
export async function withdraw(master: RemoteHost, { token }: Invitation): Promise<void> {
  await master.run([PROGRAM, "token", "delete", token.split(".")[0]!], { sudo: true, timeoutMs: 30_000 }).catch(() => undefined);
}

const APT = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"], INSTALL = ["install", "-y", "-q", "--no-remove", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120", "libatomic1"];
async function installLibrary(host: RemoteHost, from: "bundle" | "packages", { bundle, signal }: StepContext): Promise<string> {
  await must(host, ["install", "-d", "-m", "0700", "/var/lib/kaji"], { signal });
  await noteInstalled(host, "libatomic1", signal); // Before it is there: noted and not installed does no harm, the other way round it stays for ever.
  if (from === "bundle" && bundle?.library !== undefined) {
    const remote = path.posix.join(REMOTE_BUNDLE, bundle.library);
    await must(host, ["mkdir", "-p", path.posix.dirname(remote)], { signal });
    await host.upload(path.join(bundle.folder, bundle.library), remote, { mode: 0o644, sudo: true, signal });
    await must(host, ["env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--install", "--refuse-downgrade", "--skip-same-version", remote], { signal });
    return "installed from the bundle";
  }
  const first = await host.run([...APT, ...INSTALL], { sudo: true, timeoutMs: LONG_TIMEOUT_MS, signal });
  if (first.code !== 0) { // An old or empty list of packages is the common reason.
    await must(host, [...APT, "update", "-q"], { timeoutMs: LONG_TIMEOUT_MS, signal });
    await must(host, [...APT, ...INSTALL], { timeoutMs: LONG_TIMEOUT_MS, signal });
  }
  return "installed";
}
const FILES_AT_ONCE = 4;
/** Some at a time; the first failure begins no more, and is thrown when what runs has ended. */
async function allOf<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items], failures: unknown[] = [];
  await eachOf(Array.from({ length: atOnce }, (_, i) => i), async () => {
    for (let item = queue.shift(); item !== undefined && failures.length === 0; item = queue.shift()) await work(item).catch((error: unknown) => { failures.push(error); });
  });
  if (failures.length > 0) throw failures[0];
}

/** So that `kaji reset` takes it away again. */
async function noteInstalled(host: RemoteHost, name: string, signal: AbortSignal): Promise<void> {
  const names = ((await host.readFile(INSTALLED_FILE, { sudo: true, signal }))?.toString("utf8") ?? "").split("\n").filter(Boolean);
  if (!names.includes(name)) await host.write(`${[...names, name].join("\n")}\n`, INSTALLED_FILE, { mode: 0o600, sudo: true, signal });
}

async function sendBundle(host: RemoteHost, bundle: BundleFiles, { progress, signal }: StepContext): Promise<string> {
  await must(host, ["install", "-d", "-m", "0700", "/var/lib/kaji"], { signal });
  await must(host, ["mkdir", "-p", ...new Set(bundle.files.map((file) => path.posix.join(REMOTE_BUNDLE, path.posix.dirname(file))))], { signal });
  await must(host, ["rm", "-f", BUNDLE_MARK], { signal });
  let sent = 0, done = 0;
  // Most files are small, and asking a host about each takes longer than sending it.
  await allOf(bundle.files, FILES_AT_ONCE, async (file) => {
    const outcome = await host.upload(path.join(bundle.folder, file), path.posix.join(REMOTE_BUNDLE, file), { mode: 0o644, sudo: true, signal });
    if (outcome === "sent") sent++;
    progress(`${++done} of ${bundle.files.length} files`);
  });
  // What an older bundle had and this one has not would be installed too.
  const wanted = new Set(bundle.files), { stdout } = await must(host, ["find", REMOTE_BUNDLE, "-type", "f", "-printf", "%P\\n"], { signal });
  const old = stdout.split("\n").filter((file) => /^(packages|images)\//.test(file) && !wanted.has(file));
  if (old.length > 0) await must(host, ["rm", "-f", ...old.map((file) => path.posix.join(REMOTE_BUNDLE, file))], { signal });
  await host.write(`${bundle.id}\n`, BUNDLE_MARK, { mode: 0o644, sudo: true, signal });
  return sent === bundle.files.length ? `${sent} files` : `${sent} of ${bundle.files.length} files had changed`;
}

interface Finding { readonly severity: string; readonly problem: string; readonly advice: string }
async function check(host: RemoteHost, step: Step & { kind: "check" }, { warn, signal }: StepContext): Promise<string> {
  const args = [...(step.role === "master" ? ["--master"] : []), ...(step.port === undefined ? [] : ["--port", String(step.port)]), ...(step.nodeName === undefined ? [] : ["--node-name", step.nodeName])];
  const result = await host.run([PROGRAM, "check", ...args, "--output", "json"], { sudo: true, timeoutMs: 300_000, signal });
  let findings: Finding[];
  try {
    const value = JSON.parse(result.stdout) as Finding[] | { findings: Finding[] };
    findings = Array.isArray(value) ? value : value.findings;
  } catch { throw new CommandError(`Cannot look at the host: ${result.code === 0 ? "kaji check printed no JSON" : `${result.stderr.trim().split("\n").at(-1) ?? ""} (exit code ${result.code})`}`); }
  const of = (severity: string): Finding[] => findings.filter((finding) => finding.severity === severity), errors = of("error");
  for (const { problem, advice } of of("warning")) warn(`${problem}: ${advice}`);
  if (errors.length > 0) throw new CommandError(errors.map(({ problem, advice }) => `${problem}: ${advice}`).join("\n"));
  return of("warning").length === 0 ? "" : `${of("warning").length} warnings`;
}

/** A host that leaves keeps the program it has, which may be of a time when reset did not ask. */
async function reset(host: RemoteHost, options: RunOptions): Promise<void> {
  try { await changeWithKaji(host, ["reset", "--yes"], options); }
  catch (error) {
    if (!(error instanceof CommandError) || error.message !== "unknown flag: --yes") throw error;
    await changeWithKaji(host, ["reset"], options);
  }
}

const lastTitle = (progress: (detail: string) => void) => (line: string): void => { const title = /^\s*[\d.]+ s\s+(.+)$/.exec(line)?.[1]; if (title !== undefined) progress(title); };
const JSON_INPUT = (value: unknown): string => JSON.stringify(value);

/** Does a step. Returns what there is to say of it. Throws CommandError or RemoteError, or the signal's reason. */
export async function runStep(step: Step, context: StepContext): Promise<string> {
  const { master, progress, signal } = context, host = (): RemoteHost => context.host!;
  switch (step.kind) {
    case "library": return installLibrary(host(), step.from, context);
    case "program": {
      await must(host(), ["mkdir", "-p", path.posix.dirname(PROGRAM)], { signal });
      await host().upload(step.program.file, PROGRAM, { mode: 0o755, sudo: true, signal, onProgress: (sent, total) => progress(percent(sent, total)) });
      return megabytes(step.program.bytes);
    }
    case "bundle": return sendBundle(host(), step.bundle, context);
    case "check": return check(host(), step, context);
    case "restart": await must(host(), ["systemctl", "restart", ...step.daemons.map((daemon) => `kaji-${daemon}.service`)], { signal }); return step.daemons.join(", ");
    case "init": await changeWithKaji(host(), ["init", ...step.args], { signal, onLine: lastTitle(progress) }); return "";
    case "record": await must(master, [PROGRAM, "members", "record"], { signal, input: JSON_INPUT(step.changes) }); return Object.keys(step.changes).join(", ");
    case "join": {
      const { server, pin, token } = await context.invitation();
      const args = ["join", server, "--token-file", "-", "--discovery-token-ca-cert-hash", pin, ...(step.nodeName === undefined ? [] : ["--node-name", step.nodeName]), ...(step.nodeIp === undefined ? [] : ["--node-ip", step.nodeIp]), ...(step.bundle ? ["--bundle", REMOTE_BUNDLE] : [])];
      const { stdout } = await changeWithKaji(host(), args, { signal, input: `${token}\n`, onLine: lastTitle(progress) });
      return /This host is node "([^"]+)" at (\S+?)\.$/m.exec(stdout)?.slice(1).join(" at ") ?? "";
    }
    case "configure": await must(master, [PROGRAM, "members", "configure", step.node], { signal, input: JSON_INPUT(step.wish) }); return "";
    case "drain": {
      const { stdout } = await must(master, [PROGRAM, "members", "drain", step.node, "--timeout", `${Math.ceil(step.timeoutMs / 1000)}s`], { signal, timeoutMs: step.timeoutMs + LONG_TIMEOUT_MS });
      return stdout.trim();
    }
    case "reset": await reset(host(), { signal, onLine: lastTitle(progress) }); return "";
    case "remove": await must(master, [PROGRAM, "members", "remove", step.node, ...(step.forget ? ["--forget"] : [])], { signal }); return "";
    default: return assertNever(step);
  }
}

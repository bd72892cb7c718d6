/**
 * What the mains of all daemons have in common: flags for help and log, the configuration file, word to systemd, an exit code.
 * A flag that cannot be used is told on stderr in pflag's words, before there is a log; any later failure is logged once.
 */
import { systemClock } from "./clock.ts";
import { type ConfigKind, withConfigFile } from "./config-flags.ts";
import { ConfigError } from "./config-file.ts";
import { FlagError, flagsHelp, parseFlags, type FlagSpec, type FlagValues } from "./flags.ts";
import { LOG_LEVELS, createLogger, type LogLevel, type Logger } from "./logger.ts";
import { sendToSystemd, ServiceNotifier, type Readiness } from "./service-notifier.ts";

/** A file that cannot be used: starting again does not help, so units do not (EX_CONFIG of sysexits.h). */
export const CONFIG_EXIT_CODE = 78;

export const DAEMON_FLAGS = {
  "log-level": { type: "string", default: "info", help: `one of ${LOG_LEVELS.join(", ")} (ours alone)` },
  v: { type: "int", help: "log verbosity; 4 and more means --log-level=debug" },
  help: { type: "bool", help: "this text" },
} as const;
export type DaemonFlags = FlagValues<typeof DAEMON_FLAGS>;

/** Parses the command line of a daemon, which takes no arguments. Throws FlagError. */
export function parseDaemonFlags<const F extends Record<string, FlagSpec> & typeof DAEMON_FLAGS>(name: string, argv: readonly string[], specs: F): FlagValues<F> {
  const { flags, args } = parseFlags(argv, specs), level = (flags as DaemonFlags)["log-level"];
  if (args.length > 0) throw new FlagError(`unknown command ${JSON.stringify(args[0])} for "${name}"`);
  if (!(LOG_LEVELS as readonly string[]).includes(level)) throw new FlagError(`invalid --log-level ${JSON.stringify(level)}: must be one of ${LOG_LEVELS.join(", ")}`);
  return flags;
}

export interface Daemon<T> {
  readonly name: string;
  readonly flags: Record<string, FlagSpec> & typeof DAEMON_FLAGS;
  /** What `--config` may hold beside flags. */
  readonly configKind?: ConfigKind;
  /** Reads and checks the command line, flags of the configuration file in front. Throws FlagError and ConfigError. */
  readonly parse: (argv: readonly string[]) => T;
  /** Settles when the daemon has stopped; says when it does its work. */
  readonly run: (options: T, log: Logger, readiness: Readiness) => Promise<void>;
}

/** Runs a daemon until it ends. Returns the exit code. */
export async function runDaemon<T>({ name, flags: specs, configKind, parse, run }: Daemon<T>, commandLine: readonly string[]): Promise<number> {
  let common: DaemonFlags, options: T;
  try {
    const argv = withConfigFile(commandLine, specs, configKind);
    common = parseDaemonFlags(name, argv, specs);
    if (common.help) { process.stdout.write(flagsHelp(`${name} [flags]`, specs)); return 0; }
    options = parse(argv);
  } catch (error) {
    if (!(error instanceof FlagError || error instanceof ConfigError)) throw error;
    process.stderr.write(`Error: ${error.message}\n`);
    return error instanceof ConfigError ? CONFIG_EXIT_CODE : 1;
  }
  const log = createLogger(name, (common.v ?? 0) >= 4 ? "debug" : common["log-level"] as LogLevel);
  const notifier = new ServiceNotifier({ env: process.env, pid: process.pid, clock: systemClock, log, send: sendToSystemd });
  if (notifier.active) process.once("SIGTERM", () => notifier.stopping());
  try {
    await run(options, log, notifier);
    return 0;
  } catch (error) {
    log.error({ error }, "exiting");
    return error instanceof ConfigError ? CONFIG_EXIT_CODE : 1;
  } finally { await notifier.close(); }
}

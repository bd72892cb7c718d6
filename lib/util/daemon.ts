/**
 * What the mains of all daemons have in common: flags for help and log, an exit code.
 * A flag that cannot be used is told on stderr in pflag's words, before there is a log; any later failure is logged once.
 */
import { FlagError, flagsHelp, parseFlags, type FlagSpec, type FlagValues } from "./flags.ts";
import { LOG_LEVELS, createLogger, type LogLevel, type Logger } from "./logger.ts";

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
  /** Reads and checks the command line. Throws FlagError. */
  readonly parse: (argv: readonly string[]) => T;
  /** Settles when the daemon has stopped. */
  readonly run: (options: T, log: Logger) => Promise<void>;
}

/** Runs a daemon until it ends. Returns the exit code. */
export async function runDaemon<T>({ name, flags: specs, parse, run }: Daemon<T>, argv: readonly string[]): Promise<number> {
  let common: DaemonFlags, options: T;
  try {
    common = parseDaemonFlags(name, argv, specs);
    if (common.help) { process.stdout.write(flagsHelp(`${name} [flags]`, specs)); return 0; }
    options = parse(argv);
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    process.stderr.write(`Error: ${error.message}\n`);
    return 1;
  }
  const log = createLogger(name, (common.v ?? 0) >= 4 ? "debug" : common["log-level"] as LogLevel);
  try {
    await run(options, log);
    return 0;
  } catch (error) {
    log.error({ error }, "exiting");
    return 1;
  }
}

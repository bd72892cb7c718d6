/**
 * Structured logs: JSON lines on stderr, fields first, constant message second.
 * Secrets never reach it: callers log names, never bodies; the redaction list is the second fence.
 */
import { pino } from "pino";

export interface Logger {
  child(fields: Record<string, unknown>): Logger;
  debug(fields: Record<string, unknown>, message: string): void;
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What an operator needs of an error that was met and dealt with. */
function withoutStack(error: Error): object {
  const { type, message } = pino.stdSerializers.err(error), { code } = error as { code?: unknown };
  return { type, message, ...(code === undefined ? {} : { code }) };
}

/** A logger whose every line carries `component`. Errors belong under the key `error`; only lines of level error, which nobody foresaw, tell where they came from. */
export function createLogger(component: string, level: LogLevel = "info"): Logger {
  return pino(
    {
      level,
      base: { component },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: (error: unknown) => (error instanceof Error ? pino.stdSerializers.err(error) : error) },
      hooks: {
        logMethod(args, method, severity) {
          const [fields] = args as unknown as [Record<string, unknown> | undefined];
          if (severity < pino.levels.values["error"]! && fields?.["error"] instanceof Error) (args as unknown[])[0] = { ...fields, error: withoutStack(fields["error"]) };
          method.apply(this, args);
        },
      },
      redact: { paths: ["token", "authorization", "password", "key", "*.token", "*.authorization", "*.password"], censor: "[redacted]" },
    },
    pino.destination({ fd: 2, sync: true }),
  ) as unknown as Logger;
}

/** Says nothing: for tests. */
export const silentLogger: Logger = { child: () => silentLogger, debug() {}, info() {}, warn() {}, error() {} };

/**
 * Command line flags as Go's pflag reads them: `--name=value`, `--name value`, `--name` for booleans,
 * lists by comma or repetition, durations such as `1m30s`. Errors use pflag's words, because users and scripts know them.
 */
export type FlagSpec =
  | { type: "string"; default?: string; help: string }
  | { type: "int"; default?: number; help: string }
  | { type: "bool"; default?: boolean; help: string }
  | { type: "duration"; default?: string; help: string }
  | { type: "list"; default?: readonly string[]; help: string };

type FlagValue<S extends FlagSpec> =
  S extends { type: "string" } ? (S extends { default: string } ? string : string | undefined)
  : S extends { type: "int" } ? (S extends { default: number } ? number : number | undefined)
  : S extends { type: "bool" } ? boolean
  : S extends { type: "duration" } ? (S extends { default: string } ? number : number | undefined)
  : string[];
export type FlagValues<F extends Record<string, FlagSpec>> = { [K in keyof F]: FlagValue<F[K]> };

export class FlagError extends Error { override readonly name = "FlagError"; }
/** Thrown where `--help` or `-h` was given: nothing is wrong, and nothing is to be done but to show what there is. */
export class HelpWanted extends Error {
  override readonly name = "HelpWanted";
  readonly specs: Record<string, FlagSpec>;
  constructor(specs: Record<string, FlagSpec>) { super("help is wanted"); this.specs = specs; }
}

const UNIT_MS: Record<string, number> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1, us: 0.001, "µs": 0.001, ns: 0.000_001 };

/** Parses a Go duration such as `1m30s` into milliseconds. Throws FlagError. */
export function parseDurationMs(text: string): number {
  if (text === "0") return 0;
  let total = 0;
  const rest = text.replace(/^-/, "").replace(/(\d+(?:\.\d+)?)(ms|us|µs|ns|h|m|s)/g, (_, number: string, unit: string) => { total += Number(number) * UNIT_MS[unit]!; return ""; });
  if (rest !== "" || text === "") throw new FlagError(`time: invalid duration ${JSON.stringify(text)}`);
  return text.startsWith("-") ? -total : total;
}

function convert(name: string, spec: FlagSpec, raw: string): unknown {
  switch (spec.type) {
    case "string": return raw;
    case "list": return raw === "" ? [] : raw.split(",");
    case "int":
      if (!/^[-+]?\d+$/.test(raw)) throw new FlagError(`invalid argument "${raw}" for "--${name}" flag: strconv.ParseInt: parsing "${raw}": invalid syntax`);
      return Number(raw);
    case "bool":
      if (/^(1|t|T|TRUE|true|True)$/.test(raw)) return true;
      if (/^(0|f|F|FALSE|false|False)$/.test(raw)) return false;
      throw new FlagError(`invalid argument "${raw}" for "--${name}" flag: strconv.ParseBool: parsing "${raw}": invalid syntax`);
    case "duration":
      try { return parseDurationMs(raw); }
      catch (error) { throw new FlagError(`invalid argument "${raw}" for "--${name}" flag: ${(error as Error).message}`); }
  }
}

/** Parses `argv` (without the program's name). Returns values, in milliseconds for durations, and the positional arguments. Throws FlagError, and HelpWanted for `--help`. */
export function parseFlags<const F extends Record<string, FlagSpec>>(argv: readonly string[], specs: F): { flags: FlagValues<F>; args: string[] } {
  const values: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(specs)) {
    values[name] = spec.type === "list" ? [...(spec.default ?? [])] : spec.type === "bool" ? (spec.default ?? false)
      : spec.type === "duration" && spec.default !== undefined ? parseDurationMs(spec.default) : spec.default;
  }
  const args: string[] = [], seen = new Set<string>();
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i]!;
    if ((argument === "--help" && !Object.hasOwn(specs, "help")) || (argument === "-h" && args.length === 0)) throw new HelpWanted(specs);
    if (argument === "--") { args.push(...argv.slice(i + 1)); break; }
    if (!argument.startsWith("--")) { args.push(argument); continue; }
    const equals = argument.indexOf("=");
    const name = argument.slice(2, equals < 0 ? undefined : equals);
    const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
    if (spec === undefined) throw new FlagError(`unknown flag: --${name}`);
    let raw = equals < 0 ? undefined : argument.slice(equals + 1);
    if (raw === undefined) {
      if (spec.type === "bool") raw = "true";
      else if (++i >= argv.length) throw new FlagError(`flag needs an argument: --${name}`);
      else raw = argv[i]!;
    }
    const value = convert(name, spec, raw);
    values[name] = spec.type === "list" && seen.has(name) ? [...(values[name] as string[]), ...(value as string[])] : value;
    seen.add(name);
  }
  return { flags: values as FlagValues<F>, args };
}

/** The help text of a command or daemon: usage line, then every flag. */
export function flagsHelp(usage: string, specs: Record<string, FlagSpec>): string {
  const rows = Object.entries(specs).map(([name, spec]) => {
    const fallback = spec.default === undefined || spec.default === "" || spec.default === false ? "" : ` (default ${Array.isArray(spec.default) ? `[${spec.default.join(",")}]` : String(spec.default)})`;
    return `      --${name}${spec.type === "bool" ? "" : ` ${spec.type}`}`.padEnd(48) + `${spec.help}${fallback}`;
  });
  return `Usage:\n  ${usage}\n${rows.length === 0 ? "" : `\nFlags:\n${rows.join("\n")}\n`}`;
}

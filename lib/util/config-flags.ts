/**
 * `--config FILE` of a daemon: flags by their names, and for a daemon whose upstream has a configuration kind, that kind as a second document.
 * A flag on the command line wins over the file's. Counterpart: none for kube-apiserver and kube-controller-manager, whose upstream has flags alone.
 */
import { readFileSync } from "node:fs";
import { type ConfigDocument, ConfigError, parseConfig } from "./config-file.ts";
import { FlagError, parseDurationMs, type FlagSpec } from "./flags.ts";

/** A kind of configuration upstream defines. */
export interface ConfigKind { readonly apiVersion: string; readonly kind: string }

const EXPECTED: Record<FlagSpec["type"], string> = { string: "text (in quotes where it looks like a number)", int: "a whole number", bool: "true or false", duration: "a duration such as 1m30s", list: "a list of texts" };

function flagValue(spec: FlagSpec, value: unknown): string | undefined {
  switch (spec.type) {
    case "string": return typeof value === "string" ? value : undefined;
    case "int": return Number.isSafeInteger(value) ? String(value) : undefined;
    case "bool": return typeof value === "boolean" ? String(value) : undefined;
    case "list": return Array.isArray(value) && value.every((each) => typeof each === "string" && !each.includes(",")) ? value.join(",") : undefined;
    case "duration":
      try { return typeof value === "string" && parseDurationMs(value) >= 0 ? value : undefined; }
      catch { return undefined; }
  }
}

const isKind = ({ value }: ConfigDocument): boolean => "kind" in value || "apiVersion" in value;

/** The flags a document stands for, as on a command line. Throws ConfigError. */
export function documentFlags(document: ConfigDocument, specs: Readonly<Record<string, FlagSpec>>): string[] {
  const known = Object.keys(specs).filter((name) => name !== "config" && name !== "help");
  return Object.entries(document.value).map(([name, value]) => {
    if (!known.includes(name)) throw document.unknown([name], known);
    const text = flagValue(specs[name]!, value);
    if (text === undefined) throw document.wrong([name], EXPECTED[specs[name]!.type], value);
    return `--${name}=${text}`;
  });
}

function read(file: string): ConfigDocument[] {
  let text: string;
  try { text = readFileSync(file, "utf8"); }
  catch (error) { throw new ConfigError(`Cannot read ${file}: ${(error as Error).message}; expected the daemon's configuration there`, { cause: error }); }
  return parseConfig(text, file);
}

/** The document of the kind in a file, or undefined when it holds flags alone. Throws ConfigError for any other kind. */
export function readConfigKind(file: string, wanted: ConfigKind): ConfigDocument | undefined {
  const documents = read(file).filter(isKind), [document] = documents;
  for (const field of ["kind", "apiVersion"] as const) if (document !== undefined && document.value[field] !== wanted[field]) throw document.wrong([field], wanted[field], document.value[field]);
  if (documents.length > 1) throw documents[1]!.error([], `a second document of kind ${wanted.kind}; expected one`);
  return document;
}

/** The command line with the flags of its `--config` file in front, those it gives itself left out. Throws ConfigError. */
export function withConfigFile(argv: readonly string[], specs: Readonly<Record<string, FlagSpec>>, kind: ConfigKind | undefined): string[] {
  const at = argv.findIndex((argument) => argument === "--config" || argument.startsWith("--config="));
  if (specs["config"] === undefined || at < 0) return [...argv];
  const file = argv[at] === "--config" ? argv[at + 1] : argv[at]!.slice("--config=".length);
  if (file === undefined || file === "") throw new FlagError("flag needs an argument: --config");
  const given = new Set(argv.map((argument) => argument.split("=")[0]!)), documents = read(file), flags = documents.filter((each) => !isKind(each)), [odd] = documents.filter(isKind);
  if (kind === undefined && odd !== undefined) throw odd.error([], 'expected flags by their names, as "secure-port: 6443"; this daemon reads no document with a kind');
  if (flags.length > 1) throw flags[1]!.error([], "a second document of flags; expected one");
  return [...flags.flatMap((document) => documentFlags(document, specs)).filter((flag) => !given.has(flag.split("=")[0]!)), ...argv];
}

/**
 * Secrets without a terminal: from the environment, or from a file it names. Files must not be readable by others.
 */
import { readFileSync, statSync } from "node:fs";
import type { SecretKind } from "./remote-host.ts";

/** The variable that holds a secret; with `_FILE` added, the one that names a file with it. */
export const SECRET_VARIABLES: Readonly<Record<SecretKind, string>> = { login: "KAJI_SSH_PASSWORD", sudo: "KAJI_SUDO_PASSWORD", passphrase: "KAJI_KEY_PASSPHRASE" };

/** What an operator can do where a secret is missing. */
export const howToGive = (what: SecretKind): string => `set ${SECRET_VARIABLES[what]} or ${SECRET_VARIABLES[what]}_FILE, or run kaji at a terminal to be asked`;

/** The secret the environment gives; undefined when it gives none. Throws when the file cannot be used. */
export function secretFromEnvironment(what: SecretKind, environment: NodeJS.ProcessEnv): string | undefined {
  const name = SECRET_VARIABLES[what], file = environment[`${name}_FILE`];
  if (environment[name] !== undefined) return environment[name];
  if (file === undefined) return undefined;
  let mode: number, text: string;
  try { [mode, text] = [statSync(file).mode, readFileSync(file, "utf8")]; }
  catch (error) { throw new Error(`Cannot read ${name}_FILE "${file}": ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`, { cause: error }); }
  if ((mode & 0o077) !== 0) throw new Error(`Cannot use ${name}_FILE "${file}": others may read it (mode ${(mode & 0o777).toString(8)}): chmod 600 it`);
  return text.replace(/\r?\n$/, "");
}

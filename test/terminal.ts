/** The programs of a session on a PATH of its own. */
import { mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import { clientProgram, type ClientName, type ClientVersion } from "./kubectl.ts";
import { pythonWithClient } from "./python-client.ts";

export type SessionProgram = ClientName | "python3";

/** Makes `bin` in `directory`, with links to the programs as they come with that version; returns its path. */
export async function linkPrograms(directory: string, programs: readonly SessionProgram[], version: ClientVersion): Promise<string> {
  const bin = path.join(directory, "bin");
  mkdirSync(bin);
  for (const name of programs) symlinkSync(name === "python3" ? await pythonWithClient() : await clientProgram(name, { version }), path.join(bin, name));
  return bin;
}

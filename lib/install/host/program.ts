/** This program where the units look for it. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, realpathSync, renameSync } from "node:fs";
import path from "node:path";
import { form } from "../../util/self.ts";
import { HOST_PATHS } from "./host-paths.ts";

/** Puts a copy of the running executable to /usr/local/bin/kaji unless it is that one. Throws when we run from source. */
export async function ensureBinary(): Promise<void> {
  if (form() !== "executable") throw new Error('Cannot install this host from source: build the executable ("npm run build") and run dist/kaji');
  const target = HOST_PATHS.binary, own = process.execPath;
  if (existsSync(target) && (realpathSync(target) === realpathSync(own) || readFileSync(target).equals(readFileSync(own)))) return;
  mkdirSync(path.dirname(target), { recursive: true });
  copyFileSync(own, `${target}.new`); // Then renamed: running daemons keep the file they were started from.
  renameSync(`${target}.new`, target);
}

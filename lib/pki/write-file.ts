/** Files that are whole or absent: written beside, flushed, then renamed. */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import path from "node:path";

/** Writes `text` to `file` with exactly `mode`; a crash leaves the old file or the new one. Creates the folder. */
export function writeFileAtomically(file: string, text: string, mode: number): void {
  const folder = path.dirname(file), temporary = path.join(folder, `.${path.basename(file)}.${process.pid}.new`);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  rmSync(temporary, { force: true });
  const descriptor = openSync(temporary, "wx", mode);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally { closeSync(descriptor); }
  renameSync(temporary, file);
  const folderDescriptor = openSync(folder, "r");
  try { fsyncSync(folderDescriptor); } finally { closeSync(folderDescriptor); }
}

export const writeKeyFile = (file: string, pem: string): void => writeFileAtomically(file, pem, 0o600);
export const writePublicFile = (file: string, pem: string): void => writeFileAtomically(file, pem, 0o644);

/** The person behind `sudo`: files meant for a user belong to the user. */
import { chown, mkdir, readFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type Kubeconfig, mergeKubeconfig, parseKubeconfig, readKubeconfig, writeKubeconfig } from "../client/kubeconfig.ts";
import { ADMIN_KUBECONFIG } from "./paths.ts";

export interface User { readonly uid: number; readonly gid: number; readonly home: string }

/** The user who called sudo, or the one running this. Source: sudo(8), SUDO_UID; passwd(5). */
export async function invokingUser(environment: NodeJS.ProcessEnv = process.env): Promise<User> {
  const uid = Number(environment["SUDO_UID"] ?? process.getuid!()), gid = Number(environment["SUDO_GID"] ?? process.getgid!());
  const entry = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":")).find((fields) => Number(fields[2]) === uid && fields.length >= 7);
  return { uid, gid, home: entry?.[5] ?? environment["HOME"] ?? "/root" };
}

async function ownDirectory(user: User, directory: string): Promise<void> {
  if (existsSync(directory)) return;
  await mkdir(directory, { mode: 0o750 });
  await chown(directory, user.uid, user.gid);
}

/** Where the invoking user's copy of the admin kubeconfig lies. */
export const userKubeconfigFile = (user: User): string => path.join(user.home, ".kube", "kaji.conf");

/** Writes the admin kubeconfig for the invoking user; never touches `~/.kube/config`. */
export async function writeUserKubeconfig(user: User): Promise<string> {
  const file = userKubeconfigFile(user);
  await ownDirectory(user, path.dirname(file));
  writeKubeconfig(file, parseKubeconfig(await readFile(ADMIN_KUBECONFIG, "utf8")));
  await chown(file, user.uid, user.gid);
  return file;
}

/** Adds the cluster to the user's `~/.kube/config` and makes it the current context. Returns the file. */
export async function mergeUserKubeconfig(user: User): Promise<string> {
  const file = path.join(user.home, ".kube", "config");
  await changeUserKubeconfig(user, file, (before) => { const admin = readKubeconfig(ADMIN_KUBECONFIG); return before === undefined ? admin : mergeKubeconfig(before, admin); });
  return file;
}

/** Replaces a kubeconfig of the user's by what `change` makes of it, if that is another; the user's it stays. Returns whether it did. */
export async function changeUserKubeconfig(user: User, file: string, change: (before: Kubeconfig | undefined) => Kubeconfig | undefined): Promise<boolean> {
  const before = existsSync(file) ? readKubeconfig(file) : undefined, after = change(before);
  if (after === undefined || isDeepStrictEqual(before, after)) return false;
  await ownDirectory(user, path.dirname(file));
  writeKubeconfig(file, after);
  await chown(file, user.uid, user.gid);
  return true;
}

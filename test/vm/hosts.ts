/** What an operator does on machines that are up: brings the program and the bundle there, makes one the master, lets the others join. */
import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { clientProgram } from "../kubectl.ts";
import { STATE, beside, copyTo, ssh, type Machine } from "./machines.ts";
import type { VmImage } from "./image.ts";

const PROGRAM = path.resolve(import.meta.dirname, "../../dist/kaji");
export const KUBECONFIG = path.join(STATE, "admin.conf");

/** The program, the bundle, and the one library a bare Debian lacks for the program to start. */
export async function bring(vm: Machine, image: VmImage): Promise<void> {
  await copyTo(vm, image, PROGRAM, "/root/kaji");
  await copyTo(vm, image, image.bundle, "/root/");
  const library = readdirSync(path.join(image.bundle, "packages")).find((file) => file.startsWith("libatomic1_"))!;
  await ssh(vm, image, `dpkg --install /root/bundle/packages/${library}`);
}

/** Makes `vm` the master. Returns the command others join with; the admin kubeconfig is kept on this machine. */
export async function makeMaster(vm: Machine, image: VmImage): Promise<{ join: string; kubeconfig: string }> {
  const { stdout } = await ssh(vm, image, "/root/kaji init"), join = /kaji (join .*)$/m.exec(stdout)?.[1];
  if (join === undefined) throw new Error(`kaji init printed no join command:\n${stdout}`);
  writeFileSync(KUBECONFIG, (await ssh(vm, image, "cat /etc/kaji/admin.conf")).stdout, { mode: 0o600 });
  return { join, kubeconfig: KUBECONFIG };
}

export const joinCluster = (vm: Machine, image: VmImage, join: string): Promise<{ stdout: string }> => ssh(vm, image, `/root/kaji ${join} --bundle /root/bundle`);

/** kubectl as if typed on a machine beside them. Throws with what it said. */
export async function kubectl(kubeconfig: string, args: readonly string[], input?: string): Promise<string> {
  const { stdout } = await beside(await clientProgram("kubectl"), args, { timeoutMs: 600_000, env: { PATH: process.env["PATH"], HOME: STATE, KUBECONFIG: kubeconfig }, ...(input === undefined ? {} : { input }) });
  return stdout;
}

/**
 * The test machines' network: a bridge in a network namespace of its own, so that nothing of this machine's network is touched.
 * Machine N is 10.99.0.(10+N) on the link `tapN`; this side of the bridge is 10.99.0.1.
 */
import { existsSync } from "node:fs";
import { exec, type ExecOptions } from "../../lib/util/exec.ts";

export const NAMESPACE = "kaji-vm", NETNS = `/run/netns/${NAMESPACE}`, GATEWAY = "10.99.0.1";
export const addressOf = (number: number): string => `10.99.0.${10 + number}`;
export const tapOf = (number: number): string => `tap${number}`;

/** Runs a program beside the machines: in their network, on this machine's files. */
export const beside = (command: string, args: readonly string[], options: ExecOptions = {}): Promise<{ stdout: string; stderr: string }> => exec("nsenter", [`--net=${NETNS}`, "--", command, ...args], options);

export async function ensureNetwork(): Promise<void> {
  if (existsSync(NETNS)) return;
  await exec("ip", ["netns", "add", NAMESPACE]);
  for (const args of [["link", "set", "lo", "up"], ["link", "add", "br0", "type", "bridge", "forward_delay", "0"], ["address", "add", `${GATEWAY}/24`, "dev", "br0"], ["link", "set", "br0", "up"]]) await beside("ip", args);
}

/** A machine's link to the bridge, made when it is not there. */
export async function ensureTap(number: number): Promise<void> {
  const tap = tapOf(number);
  if (await beside("ip", ["link", "show", tap]).then(() => true, () => false)) return;
  await beside("ip", ["tuntap", "add", tap, "mode", "tap"]);
  await beside("ip", ["link", "set", tap, "master", "br0", "up"]);
}

/** As pulling the network cable, and putting it back. The machine itself sees no change of its link, as behind a switch that died. */
export const setLink = (number: number, state: "up" | "down"): Promise<unknown> => beside("ip", ["link", "set", tapOf(number), state]);

export async function removeNetwork(): Promise<void> {
  if (existsSync(NETNS)) await exec("ip", ["netns", "delete", NAMESPACE]);
}

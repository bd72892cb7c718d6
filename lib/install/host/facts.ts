/** What this host is: its name, addresses and resolvers. Reads only. */
import { readFile } from "node:fs/promises";
import { hostname, networkInterfaces } from "node:os";
import { exec } from "../../util/exec.ts";
import { nameProblem } from "./checks/names.ts";
import { chooseAddress, type HostAddress } from "./address.ts";

const ownAddresses = (): HostAddress[] => Object.entries(networkInterfaces()).flatMap(([name, list]) => (list ?? []).filter((each) => !each.internal && each.family === "IPv4").map((each) => ({ interface: name, address: each.address })));

interface Route { dst?: string; dev?: string; prefsrc?: string }
const routes = async (...args: string[]): Promise<Route[]> => JSON.parse((await exec("ip", ["-j", "-4", "route", ...args]).catch(() => ({ stdout: "[]" }))).stdout || "[]") as Route[];

/** The address other hosts reach this one at; `master` is the master's, on a host that joins. */
export async function hostAddress(wanted: string | undefined, master: string | undefined): Promise<string> {
  const towards = master === undefined || !/^[\d.]+$/.test(master) ? undefined : (await routes("get", master))[0]?.prefsrc;
  return chooseAddress({ addresses: ownAddresses(), wanted, towardsMaster: towards, defaultInterface: (await routes("show", "default"))[0]?.dev });
}

/** The node's name. Throws when the host's own cannot be one. */
export function nodeName(wanted: string | undefined): string {
  const name = (wanted ?? hostname()).toLowerCase();
  const problem = nameProblem(name);
  if (problem !== undefined) throw new Error(`Cannot use ${JSON.stringify(name)} as this node's name: ${problem}; set another host name ("hostnamectl set-hostname NAME") or give --node-name`);
  return name;
}

/** A resolver file pods can use: none that points at this host's loopback, which is another one inside a pod. */
export async function resolvConf(): Promise<string> {
  for (const file of ["/run/systemd/resolve/resolv.conf", "/etc/resolv.conf"]) {
    const servers = [...(await readFile(file, "utf8").catch(() => "")).matchAll(/^nameserver\s+(\S+)/gm)].map((match) => match[1]!);
    if (servers.length > 0 && servers.every((server) => !server.startsWith("127.") && server !== "::1")) return file;
  }
  return "";
}

/**
 * The way out for hosts: forwarding and masquerading of the hosts' network on this machine, only with egress.
 * Undone by `removeEgress`: our chains go, a table that was not there before goes, forwarding returns to what it was.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { exec } from "../util/exec.ts";
import type { ClusterConfig } from "./cluster-config.ts";
import { MACHINE_LINK } from "./hosts.ts";
import { DATA_DIR } from "./paths.ts";

const FORWARD_SYSCTL = "/proc/sys/net/ipv4/ip_forward";
const NOTE_FILE = path.join(DATA_DIR, "egress.json");
interface Note { readonly forwarding: string; readonly tables: readonly string[] }

const JUMPS = [
  { table: "nat", chain: "POSTROUTING", ours: "KAJI-EGRESS" },
  { table: "filter", chain: "FORWARD", ours: "KAJI-EGRESS" },
] as const;

const tablesOf = (saved: string): string[] => [...saved.matchAll(/^\*(\S+)/gm)].map((match) => match[1]!);
const save = async (): Promise<string> => (await exec("iptables-save", [])).stdout;

/** Lets the hosts reach addresses outside this machine. Idempotent. */
export async function ensureEgress(config: ClusterConfig): Promise<void> {
  const before = await save();
  const noted = await readFile(NOTE_FILE, "utf8").then((text) => JSON.parse(text) as Note, () => undefined);
  if (noted === undefined) {
    await mkdir(DATA_DIR, { recursive: true });
    await writeFile(NOTE_FILE, JSON.stringify({ forwarding: (await readFile(FORWARD_SYSCTL, "utf8")).trim(), tables: tablesOf(before) } satisfies Note));
  }
  await writeFile(FORWARD_SYSCTL, "1\n");
  const rules = {
    nat: `-A KAJI-EGRESS -s ${config.hostCidr} ! -d ${config.hostCidr} -j MASQUERADE`,
    filter: [`-A KAJI-EGRESS -i ${MACHINE_LINK} -j ACCEPT`, `-A KAJI-EGRESS -o ${MACHINE_LINK} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`].join("\n"),
  };
  const text = JUMPS.map(({ table, chain, ours }) => {
    const jump = new RegExp(`^\\*${table}$[^*]*^-A ${chain} -j ${ours}$`, "m").test(before) ? "" : `-I ${chain} 1 -j ${ours}\n`;
    return `*${table}\n:${ours} - [0:0]\n${rules[table]}\n${jump}COMMIT\n`;
  }).join("");
  await exec("iptables-restore", ["--noflush", "--wait"], { input: text });
}

/** Takes the way out away again, and whatever of the firewall came only with it. */
export async function removeEgress(): Promise<void> {
  const noted = await readFile(NOTE_FILE, "utf8").then((text) => JSON.parse(text) as Note, () => undefined);
  if (noted === undefined) return;
  const present = await save();
  const text = JUMPS.filter(({ table, ours }) => new RegExp(`^\\*${table}$[^*]*^:${ours} `, "m").test(present))
    .map(({ table, chain, ours }) => `*${table}\n${new RegExp(`^\\*${table}$[^*]*^-A ${chain} -j ${ours}$`, "m").test(present) ? `-D ${chain} -j ${ours}\n` : ""}-F ${ours}\n-X ${ours}\nCOMMIT\n`).join("");
  if (text !== "") await exec("iptables-restore", ["--noflush", "--wait"], { input: text });
  for (const table of tablesOf(await save())) {
    const empty = !new RegExp(`^\\*${table}$[^*]*^(-A |:\\S+ -)`, "m").test(await save());
    // Only the nft back end can forget a table; the legacy one keeps the kernel's module loaded, with no rule in it.
    if (empty && !noted.tables.includes(table)) await exec("nft", ["delete", "table", "ip", table]).catch(() => undefined);
  }
  if (noted.forwarding !== "1") await writeFile(FORWARD_SYSCTL, `${noted.forwarding}\n`);
  await rm(NOTE_FILE, { force: true });
}

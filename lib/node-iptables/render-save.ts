/** Renders parsed save text again: the inverse of `parseSave`, byte for byte. */
import type { Counters, SaveItem } from "./model.ts";

const bracket = (counters: Counters): string => `[${counters.packets}:${counters.bytes}]`;

/** The text `iptables-save` would print. */
export function renderSave(items: readonly SaveItem[]): string {
  const lines: string[] = [];
  for (const item of items) {
    if (item.kind === "comment") { lines.push(item.text); continue; }
    lines.push(`*${item.table.name}`);
    for (const chain of item.table.chains) lines.push(`:${chain.name} ${chain.policy}${chain.counters === undefined ? "" : ` ${bracket(chain.counters)}`}`);
    for (const rule of item.table.rules) {
      lines.push(`${rule.counters === undefined ? "" : `${bracket(rule.counters)} `}-A ${rule.chain}${rule.body === "" ? "" : ` ${rule.body}`}`);
    }
    lines.push("COMMIT");
  }
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

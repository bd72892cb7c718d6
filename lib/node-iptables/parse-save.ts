/**
 * Parses the output of `iptables-save` and `ip6tables-save`, with or without counters.
 *
 * Promises: `renderSave(parseSave(text)) === text` for everything the tools print; a line it does not know is an error that
 * names it, never skipped.
 */
import type { Chain, Counters, Rule, SaveItem } from "./model.ts";

export class SaveSyntaxError extends Error {
  override readonly name = "SaveSyntaxError";
  readonly line: number;
  constructor(line: number, text: string, why: string) {
    super(`Cannot parse line ${line} ${JSON.stringify(text)}: ${why}`);
    this.line = line;
  }
}

function counters(packets: string | undefined, bytes: string | undefined): { counters?: Counters } {
  return packets === undefined || bytes === undefined ? {} : { counters: { packets: Number(packets), bytes: Number(bytes) } };
}

/** Parses save text. Throws SaveSyntaxError. */
export function parseSave(text: string): SaveItem[] {
  const items: SaveItem[] = [];
  let open: { name: string; chains: Chain[]; rules: Rule[] } | undefined;
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  for (const [index, line] of lines.entries()) {
    const fail = (why: string): SaveSyntaxError => new SaveSyntaxError(index + 1, line, why);
    if (line.startsWith("#") || line === "") {
      if (open !== undefined) throw fail("a comment inside a table");
      items.push({ kind: "comment", text: line });
    } else if (line.startsWith("*")) {
      if (open !== undefined) throw fail(`table ${open.name} has no COMMIT`);
      open = { name: line.slice(1), chains: [], rules: [] };
    } else if (open === undefined) {
      throw fail("expected a table");
    } else if (line === "COMMIT") {
      items.push({ kind: "table", table: open });
      open = undefined;
    } else if (line.startsWith(":")) {
      const match = /^:(\S+) (\S+)(?: \[(\d+):(\d+)\])?$/.exec(line);
      if (match === null) throw fail("expected `:CHAIN POLICY [packets:bytes]`");
      open.chains.push({ name: match[1]!, policy: match[2]!, ...counters(match[3], match[4]) });
    } else {
      const match = /^(?:\[(\d+):(\d+)\] )?-A (\S+)(?: (.*))?$/.exec(line);
      if (match === null) throw fail("expected `-A CHAIN …`");
      open.rules.push({ chain: match[3]!, body: match[4] ?? "", ...counters(match[1], match[2]) });
    }
  }
  if (open !== undefined) throw new SaveSyntaxError(lines.length, lines.at(-1) ?? "", `table ${open.name} has no COMMIT`);
  return items;
}

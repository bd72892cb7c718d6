/** `kaji members`: run on the master by `kaji apply`, over SSH. What goes in and out is JSON; see lib/install/host/members-report.ts. */
import { systemClock } from "../../lib/util/clock.ts";
import { FlagError, parseFlags } from "../../lib/util/flags.ts";
import type { Member, NodeWish } from "../../lib/install/host/members-report.ts";

async function readInput<T>(): Promise<T> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString("utf8")) as T;
}

export async function members(argv: readonly string[]): Promise<void> {
  const [verb = "", ...rest] = argv, { flags, args } = parseFlags(rest, {
    timeout: { type: "duration", default: "5m", help: "of drain: how long pods may take" }, forget: { type: "bool", help: "of remove: off the list of members too" },
  });
  const [name] = args, usage = new FlagError("Usage: kaji members list | record | configure NODE | drain NODE [--timeout 5m] | remove NODE [--forget]");
  if (args.length > 1 || ["list", "record"].includes(verb) !== (name === undefined)) throw usage;
  const [{ withClient }, work, { drain }] = await Promise.all([import("../../lib/install/host/tokens.ts"), import("../../lib/install/host/members.ts"), import("../../lib/install/host/drain.ts")]);
  switch (verb) {
    case "list": process.stdout.write(`${JSON.stringify(await withClient(work.membersReport))}\n`); return;
    case "record": { const changes = await readInput<Record<string, Member | null>>(); return withClient((client) => work.writeMembers(client, changes)); }
    case "configure": { const wish = await readInput<NodeWish>(); return withClient((client) => work.configureNode(client, name!, wish)); }
    case "drain": { const count = await withClient((client) => drain(client, { node: name!, timeoutMs: flags.timeout }, systemClock)); process.stdout.write(`${count} pods left\n`); return; }
    case "remove": return withClient(async (client) => { await work.removeNode(client, name!); if (flags.forget) await work.writeMembers(client, { [name!]: null }); });
    default: throw usage;
  }
}

/** Commands for real hosts: init, join, token, reset, check. As kubeadm's. */
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { systemClock } from "../../lib/util/clock.ts";
import { FlagError, parseFlags } from "../../lib/util/flags.ts";
import type { Progress } from "../../lib/install/progress.ts";

type Main = (argv: readonly string[]) => Promise<number | void>;
const print = (text: string): void => { process.stdout.write(text); };

function requireRoot(command: string): void {
  if (process.getuid!() !== 0) throw new FlagError(`Cannot run kaji ${command} as an ordinary user: run it with "sudo"`);
}
async function steps(): Promise<Progress> {
  return (await import("../../lib/install/progress.ts")).createProgress(process.stdout, () => systemClock.monotonicMs());
}
function noArguments(command: string, args: readonly string[]): void {
  if (args.length > 0) throw new FlagError(`kaji ${command} takes no arguments, got ${JSON.stringify(args[0])}`);
}

/** `-` is stdin. */
async function readToken(file: string): Promise<string> {
  if (file !== "-") return (await readFile(file, "utf8").catch((error: unknown) => { throw new FlagError(`Cannot read --token-file=${file}: ${(error as Error).message}`); })).trim();
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8").trim();
}

/** The token of a flag or of a file; undefined when there is neither. */
async function givenToken(flags: { token?: string | undefined; "token-file"?: string | undefined }): Promise<string | undefined> {
  const file = flags["token-file"];
  if (file === undefined) return flags.token;
  if (flags.token !== undefined) throw new FlagError("Cannot use --token and --token-file together: give one of them");
  return readToken(file);
}

const init: Main = async (argv) => {
  const { SETTINGS_DEFAULTS: D } = await import("../../lib/install/host/cluster-settings.ts"), { init: run, TOKEN_LIFETIME_MS } = await import("../../lib/install/host/init.ts");
  const { flags, args } = parseFlags(argv, {
    "advertise-address": { type: "string", help: "this host's address as others reach it; chosen when it is clear which" },
    port: { type: "int", default: D.port, help: "port of the API server" },
    "pod-cidr": { type: "string", default: D.podCidr, help: "addresses of pods" },
    "service-cidr": { type: "string", default: D.serviceCidr, help: "addresses of Services" },
    "cluster-domain": { type: "string", default: D.clusterDomain, help: "domain of the cluster's names" },
    "apiserver-cert-extra-sans": { type: "list", help: "more names and addresses the API server is reached by" },
    token: { type: "string", help: "the first token instead of a drawn one" },
    "token-file": { type: "string", help: "file that holds it, so that it is on no command line" },
    "token-ttl": { type: "duration", default: "24h", help: "how long it is valid; 0 is for ever" },
    profile: { type: "string", default: D.profile, help: "failure defaults: small or upstream" },
    "as-node": { type: "bool", help: "the master runs pods too" },
    "node-name": { type: "string", help: "name of that node instead of the host's" },
    bundle: { type: "string", help: "folder with packages/*.deb and images/*.tar, for hosts without internet" },
  });
  noArguments("init", args);
  const first = await givenToken(flags);
  requireRoot("init");
  const { kubeconfig, join, node } = await run({
    advertiseAddress: flags["advertise-address"], port: flags.port, podCidr: flags["pod-cidr"], serviceCidr: flags["service-cidr"], clusterDomain: flags["cluster-domain"], profile: flags.profile,
    certificateNames: flags["apiserver-cert-extra-sans"], token: first, tokenLifetimeMs: flags["token-ttl"] ?? TOKEN_LIFETIME_MS,
    asNode: flags["as-node"], nodeName: flags["node-name"], bundle: flags.bundle,
  }, { clock: systemClock, progress: await steps() });
  print(`\nThe master runs${node === undefined ? "" : `, and is node "${node}"`}. Use it:\n\n  export KUBECONFIG=${kubeconfig}\n\nLet other hosts join, as root on each:\n\n  ${join}\n`);
};

const join: Main = async (argv) => {
  const { flags, args } = parseFlags(argv, {
    token: { type: "string", help: "from the master: kaji token create" },
    "token-file": { type: "string", help: "file that holds the token (- for stdin), so that it is on no command line" },
    "discovery-token-ca-cert-hash": { type: "list", help: "pin of the cluster's authority: sha256:HEX" },
    "node-name": { type: "string", help: "name of the node instead of the host's" },
    "node-ip": { type: "string", help: "this host's address as others reach it" },
    bundle: { type: "string", help: "folder with packages/*.deb and images/*.tar, for hosts without internet" },
  });
  const [server] = args, pins = flags["discovery-token-ca-cert-hash"];
  if (server === undefined || args.length > 1 || (flags.token === undefined) === (flags["token-file"] === undefined) || pins.length === 0) throw new FlagError("Usage: kaji join ADDRESS:PORT --token TOKEN | --token-file FILE --discovery-token-ca-cert-hash sha256:HEX");
  const odd = pins.find((pin) => !/^sha256:[0-9a-f]{64}$/.test(pin));
  if (odd !== undefined) throw new FlagError(`Cannot use the pin ${JSON.stringify(odd)}: it must look like sha256: and 64 hexadecimal digits`);
  const given = (await givenToken(flags))!;
  requireRoot("join");
  const { join: run } = await import("../../lib/install/host/join.ts");
  const { node, address } = await run({ server, token: given, pins, nodeName: flags["node-name"], nodeIp: flags["node-ip"], bundle: flags.bundle }, { clock: systemClock, progress: await steps() });
  print(`\nThis host is node "${node}" at ${address}.\n`);
};

const token: Main = async (argv) => {
  const [verb = "list", ...rest] = argv, tokens = await import("../../lib/install/host/tokens.ts");
  const { flags, args } = parseFlags(rest, { ttl: { type: "duration", default: "24h", help: "how long it is valid; 0 is for ever" }, description: { type: "string", default: "", help: "what it is for" }, "print-join-command": { type: "bool", help: "print the whole command a host joins with" } });
  if (verb === "create") {
    const expires = flags.ttl === 0 ? undefined : new Date(systemClock.now().getTime() + flags.ttl), made = await tokens.createToken(args[0], expires, flags.description);
    return print(`${flags["print-join-command"] ? made.join : made.token}\n`);
  }
  if (verb === "list") {
    const rows = (await tokens.listTokens()).map((each) => `${each.token}  ${(each.expires?.toISOString().slice(0, 19) ?? "never").padEnd(20)}  ${each.description}\n`);
    return print(`TOKEN                    EXPIRES               DESCRIPTION\n${rows.join("")}`);
  }
  if (verb !== "delete" || args.length !== 1) throw new FlagError("Usage: kaji token list | create [TOKEN] [--ttl 24h] [--print-join-command] | delete TOKEN");
  await tokens.deleteToken(args[0]!);
};

/** Asks on the terminal; anything but yes is no. Throws FlagError where there is none. */
async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new FlagError("Cannot ask whether to go on, since this is no terminal: give --yes");
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try { return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim()); }
  finally { terminal.close(); }
}

const reset: Main = async (argv) => {
  const { flags, args } = parseFlags(argv, { yes: { type: "bool", help: "do not ask" }, "keep-packages": { type: "bool", help: "leave packages installed that came with the cluster" } });
  noArguments("reset", args);
  requireRoot("reset");
  if (!flags.yes && !(await confirm("This ends every pod of the cluster on this host and removes its data, a master's store included. Go on?"))) { print("Nothing was changed.\n"); return 1; }
  await (await import("../../lib/install/host/reset.ts")).reset({ keepPackages: flags["keep-packages"] }, { progress: await steps() });
};

const check: Main = async (argv) => (await import("./check-command.ts")).check(argv);

export const HOST_COMMANDS: Record<string, { run: Main; help: string }> = {
  init: { run: init, help: "make this host the master of a new cluster" },
  join: { run: join, help: "ADDRESS:PORT --token … : make this host a node" },
  token: { run: token, help: "list | create | delete: what lets hosts join" },
  check: { run: check, help: "[--master] [--fix] [--output json]: what would keep this host from being a member" },
  members: { run: async (argv) => (await import("./members-command.ts")).members(argv), help: "who belongs to the cluster (run by apply)" },
  reset: { run: reset, help: "[--yes]: take everything away from this host that init or join made" },
};

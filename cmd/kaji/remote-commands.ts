/** Commands for many hosts over SSH, typed on the operator's machine: config, plan, apply, exec, delete. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { shutdownSignal } from "../../lib/util/abort.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { FlagError, parseFlags, type FlagSpec } from "../../lib/util/flags.ts";
import type { ApplyDeps, KubeconfigWish } from "../../lib/install/remote/apply.ts";
import type { ClusterSpec } from "../../lib/install/remote/cluster-file.ts";

type Main = (argv: readonly string[]) => Promise<number | void>;
const print = (text: string): void => { process.stdout.write(text); };

/** What all of them take. */
const HOSTS = {
  file: { type: "string", help: "cluster.yaml; -f is the same" },
  master: { type: "list", help: "instead of a file: the master, user@address[:port]" }, worker: { type: "list", help: "instead of a file: workers, user@address[:port], separated by commas" },
  name: { type: "string", default: "kaji", help: "instead of a file: name of the kubeconfig's context" },
  identity: { type: "string", help: "instead of a file: SSH key file, after the agent" }, jump: { type: "string", help: "instead of a file: jump host, user@address[:port]" }, bundle: { type: "string", help: "folder for hosts without internet; {arch} stands for x64 or arm64" },
  "drain-timeout": { type: "duration", help: "how long pods of a leaving host may take (default 5m)" },
  "accept-new-host-keys": { type: "bool", help: "trust the key of a host met for the first time" },
  binary: { type: "list", help: "programs to send instead of those beside this one, for each architecture" },
  forget: { type: "list", help: "hosts to give up when they cannot be reached" },
  kubeconfig: { type: "string", help: "file to add the cluster to (default: the first of KUBECONFIG, or ~/.kube/config)" },
} as const satisfies Record<string, FlagSpec>;
const YES = { yes: { type: "bool", help: "do not ask" } } as const;

/** `-f FILE`, as kubectl has it. */
const longFlags = (argv: readonly string[]): string[] => {
  const end = argv.indexOf("--"), own = end < 0 ? argv : argv.slice(0, end);
  return [...own.map((word) => (word === "-f" ? "--file" : word.startsWith("-f=") ? `--file${word.slice(2)}` : word)), ...(end < 0 ? [] : argv.slice(end))];
};

interface HostFlags { file: string | undefined; master: string[]; worker: string[]; name: string; identity: string | undefined; jump: string | undefined; bundle: string | undefined; "drain-timeout": number | undefined }
async function clusterSpec(command: string, flags: HostFlags): Promise<ClusterSpec> {
  const { clusterFromFlags, DRAIN_TIMEOUT_MS, parseClusterFile } = await import("../../lib/install/remote/cluster-file.ts"), named = flags.master.length + flags.worker.length > 0, bundle = flags.bundle === undefined ? undefined : path.resolve(flags.bundle);
  if (named && flags.file !== undefined) throw new FlagError("Cannot use --file with --master or --worker: name the hosts in one place");
  if (named) return clusterFromFlags(flags.master, flags.worker, { name: flags.name, user: "root", identityFile: flags.identity, jump: flags.jump, bundle, drainTimeoutMs: flags["drain-timeout"] ?? DRAIN_TIMEOUT_MS });
  const file = flags.file ?? "cluster.yaml";
  if (!existsSync(file)) throw new FlagError(`Cannot find ${file}: "kaji config new" writes one, or name hosts: kaji ${command} --master root@ADDRESS --worker root@ADDRESS,root@ADDRESS`);
  const spec = parseClusterFile(readFileSync(file, "utf8"), file, path.dirname(path.resolve(file)));
  return { ...spec, bundle: bundle ?? spec.bundle, drainTimeoutMs: flags["drain-timeout"] ?? spec.drainTimeoutMs };
}

/** The terminal, the SSH transport and what is on this machine. */
async function operator(flags: { binary: string[]; "accept-new-host-keys": boolean }, signal: { interrupt: () => void }): Promise<ApplyDeps & { ask: ((question: string) => Promise<boolean>) | undefined }> {
  const [{ createConnect }, { KnownHosts }, { defaultIdentityFiles }, { confirmAt, createTerminal, TerminalSecrets }, { findProgram, readBundle }, { reachableServer }] = await Promise.all([
    import("../../lib/install/remote/connect.ts"), import("../../lib/install/remote/known-hosts.ts"), import("../../lib/install/remote/identities.ts"), import("../../lib/install/remote/terminal-secrets.ts"), import("../../lib/install/remote/local-files.ts"), import("../../lib/install/remote/operator-kubeconfig.ts"),
  ]);
  const terminal = createTerminal({ input: process.stdin, output: process.stderr, interrupt: signal.interrupt }), ask = confirmAt(terminal), secrets = new TerminalSecrets({ terminal, environment: process.env });
  const connect = createConnect({ secrets, agentSocket: process.env["SSH_AUTH_SOCK"], knownHosts: KnownHosts.ofUser(homedir()), confirm: ask }, { acceptNewHostKeys: flags["accept-new-host-keys"] });
  return { connect, usualIdentities: defaultIdentityFiles(homedir()), output: process.stdout, clock: systemClock, findProgram: (architecture) => findProgram(architecture, flags.binary), readBundle, reachableServer, ask };
}
/** Ctrl-C once ends cleanly; at a question the terminal is raw and tells us itself. */
function interruptible(): { signal: AbortSignal; interrupt: () => void } {
  return { signal: shutdownSignal(), interrupt: () => { process.kill(process.pid, "SIGINT"); } };
}

async function kubeconfigWish(file: string | undefined): Promise<KubeconfigWish> {
  const [{ invokingUser }, { kubeconfigFile }] = await Promise.all([import("../../lib/install/user.ts"), import("../../lib/install/remote/operator-kubeconfig.ts")]), found = await invokingUser();
  const user = process.env["SUDO_UID"] === undefined ? { ...found, home: homedir() } : found; // As kubectl finds its file.
  return { user, file: kubeconfigFile(file, process.env, user) };
}

const plan: Main = async (argv) => {
  const { flags, args } = parseFlags(longFlags(argv), HOSTS);
  if (args.length > 0) throw new FlagError(`kaji plan takes no arguments, got ${JSON.stringify(args[0])}`);
  const spec = await clusterSpec("plan", flags), stop = interruptible(), { planOnly } = await import("../../lib/install/remote/apply.ts");
  const { text, steps, failures } = await planOnly(spec, flags.forget, await operator(flags, stop), stop.signal);
  print(`\n${text}\n${steps === 0 ? "Everything is as wanted" : `${steps} steps; "kaji apply" does them`}\n`);
  return failures.length === 0 ? 0 : 1;
};

const apply: Main = async (argv) => {
  const { flags, args } = parseFlags(longFlags(argv), { ...HOSTS, ...YES });
  if (args.length > 0) throw new FlagError(`kaji apply takes no arguments, got ${JSON.stringify(args[0])}`);
  const spec = await clusterSpec("apply", flags), stop = interruptible(), startMs = systemClock.monotonicMs(), { apply: run } = await import("../../lib/install/remote/apply.ts"), kubeconfig = await kubeconfigWish(flags.kubeconfig), deps = await operator(flags, stop);
  const confirm = async (leaving: readonly string[]): Promise<boolean> => flags.yes || deps.ask === undefined || deps.ask(`${leaving.join(", ")} will be drained, taken out of the cluster and reset. Type yes to go on: `);
  const { steps, server, triedServers } = await run(spec, { forget: flags.forget, kubeconfig, confirm }, deps, stop.signal);
  const workers = spec.hosts.length - 1, seconds = ((systemClock.monotonicMs() - startMs) / 1000).toFixed(1), own = flags.kubeconfig === undefined ? "" : `  export KUBECONFIG=${kubeconfig.file}\n`;
  print(`\nCluster "${spec.name}" is as wanted (1 master, ${workers} worker${workers === 1 ? "" : "s"}, ${steps === 0 ? "nothing was to be done" : `${steps} steps`}, ${seconds} s).\n`);
  if (server === undefined) print(`\nIts API server cannot be reached from here (tried ${triedServers.join(", ")}): open the port in the firewall, or forward it: ssh -L 6443:${new URL(triedServers[0]!).host} …\n`);
  print(`\nType next:\n\n${own}  kubectl --context ${spec.name} get nodes -o wide\n\n`);
};

const exec: Main = async (argv) => {
  const { flags, args } = parseFlags(longFlags(argv), { ...HOSTS, hosts: { type: "list", help: "only these hosts" }, sudo: { type: "bool", help: "as root" } });
  if (args.length === 0) throw new FlagError("Usage: kaji exec [-f cluster.yaml] [--hosts a,b] [--sudo] -- COMMAND [ARGUMENT …]");
  const { chooseHosts, execOnHosts, exitCodeOf } = await import("../../lib/install/remote/exec.ts"), { failureLine } = await import("../../lib/install/remote/fleet.ts");
  const spec = await clusterSpec("exec", flags), hosts = chooseHosts(spec, flags.hosts), stop = interruptible();
  const result = await execOnHosts(hosts, args, { sudo: flags.sudo }, { ...(await operator(flags, stop)), write: print }, stop.signal), odd = [...result.codes].filter(([, code]) => code !== 0);
  if (odd.length > 0) process.stderr.write(`Exit codes: ${odd.map(([host, code]) => `${host} ${code}`).join(", ")}\n`);
  if (result.failures.length > 0) process.stderr.write(`${result.failures.map(failureLine).join("\n")}\n`);
  return exitCodeOf(result);
};

const remove: Main = async (argv) => {
  const { flags, args } = parseFlags(longFlags(argv), { ...HOSTS, ...YES });
  if (args.length > 0) throw new FlagError(`kaji delete takes no arguments, got ${JSON.stringify(args[0])}`);
  const spec = await clusterSpec("delete", flags), stop = interruptible(), { deleteCluster } = await import("../../lib/install/remote/delete.ts"), kubeconfig = await kubeconfigWish(flags.kubeconfig), deps = await operator(flags, stop);
  if (!flags.yes && deps.ask === undefined) throw new FlagError("Cannot ask whether to delete the cluster: there is no terminal; give --yes");
  const confirm = async (hosts: readonly string[]): Promise<boolean> => flags.yes || deps.ask!(`The cluster and all its data on ${hosts.join(", ")} will be deleted. Type yes to go on: `);
  const { hosts, context } = await deleteCluster(spec, { forget: flags.forget, kubeconfig, confirm }, deps, stop.signal);
  print(`\n${hosts.length === 0 ? "There was nothing to take away." : `Taken away from ${hosts.join(", ")}.`}${context ? ` Context "${spec.name}" is out of ${kubeconfig.file}.` : ""}\n`);
};

const config: Main = async (argv) => {
  const [verb, ...rest] = argv, { flags, args } = parseFlags(rest, { name: { type: "string", default: "kaji", help: "of the cluster" }, master: { type: "string", help: "user@address[:port]" }, worker: { type: "list", help: "user@address[:port], separated by commas" }, force: { type: "bool", help: "replace the file" } });
  if (verb !== "new" || args.length > 1) throw new FlagError("Usage: kaji config new [FILE] [--name NAME] [--master user@address] [--worker user@address,…] (FILE is cluster.yaml by default, - prints it)");
  const { clusterFromFlags, DRAIN_TIMEOUT_MS } = await import("../../lib/install/remote/cluster-file.ts"), { clusterFileText } = await import("../../lib/install/remote/cluster-file-template.ts"), [file = "cluster.yaml"] = args;
  const hosts = flags.master === undefined && flags.worker.length === 0 ? [] : clusterFromFlags(flags.master === undefined ? [] : [flags.master], flags.worker, { name: flags.name, user: "root", drainTimeoutMs: DRAIN_TIMEOUT_MS }).hosts.map((host) => host.reach), text = clusterFileText(flags.name, hosts);
  if (file === "-") return print(text);
  if (existsSync(file) && !flags.force) throw new FlagError(`Cannot write ${file}: it is there already; name another file, or give --force to replace it`);
  writeFileSync(file, text);
  print(`${file} is written. Type next:\n\n  ${hosts.length === 0 ? `edit ${file}: its hosts are examples\n  ` : ""}kaji plan -f ${file}\n  kaji apply -f ${file}\n`);
};

export const REMOTE_COMMANDS: Record<string, { run: Main; help: string }> = {
  config: { run: config, help: "new [FILE]: write a commented cluster.yaml for the commands below" },
  plan: { run: plan, help: "[-f cluster.yaml]: show what apply would do, change nothing" },
  apply: { run: apply, help: "[-f cluster.yaml] | --master user@a --worker user@b,…: make these hosts a cluster, over SSH" },
  exec: { run: exec, help: "[--hosts a,b] -- COMMAND: run a command on every host" },
  delete: { run: remove, help: "take the cluster away from all its hosts" },
};

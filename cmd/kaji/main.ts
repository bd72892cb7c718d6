/** kaji: a cluster on this machine, and the entry of every daemon (`kaji kube-apiserver …`). */
import { readFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { shutdownSignal } from "../../lib/util/abort.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { FlagError, flagsHelp, HelpWanted, parseFlags } from "../../lib/util/flags.ts";
import { HOST_COMMANDS } from "./host-commands.ts";
import { REMOTE_COMMANDS } from "./remote-commands.ts";
import { createLogger } from "../../lib/util/logger.ts";

type Main = (argv: readonly string[]) => Promise<number | void>;

/** Loaded only when asked for, so that a daemon carries no other daemon in memory. */
const DAEMONS: Record<string, () => Promise<{ main: Main }>> = {
  "kube-apiserver": () => import("../kube-apiserver/main.ts"),
  "kube-controller-manager": () => import("../kube-controller-manager/main.ts"),
  "kube-scheduler": () => import("../kube-scheduler/main.ts"),
  kubelet: () => import("../kubelet/main.ts"),
  "kube-proxy": () => import("../kube-proxy/main.ts"),
};

const UP_FLAGS = {
  workers: { type: "int", help: "hosts that run pods (default 3); more than now adds hosts" },
  egress: { type: "bool", default: true, help: "let hosts and pods reach addresses outside this machine" },
  "no-egress": { type: "bool", help: "no route out of this machine" },
  "no-demo": { type: "bool", help: "start no nginx at the end" },
  "host-cidr": { type: "string", help: "addresses of hosts (default 10.89.0.0/24)" },
  "pod-cidr": { type: "string", help: "addresses of pods (default 10.244.0.0/16)" },
  "service-cidr": { type: "string", help: "addresses of Services (default 10.96.0.0/16)" },
  "api-port": { type: "int", help: "port of the API server (default 6443)" },
  profile: { type: "string", help: "failure defaults: small or upstream (default small)" },
} as const;

const print = (text: string): void => { process.stdout.write(text); };

async function up(argv: readonly string[]): Promise<void> {
  const { flags, args } = parseFlags(argv, UP_FLAGS);
  if (args.length > 0) throw new FlagError(`kaji up takes no arguments, got ${JSON.stringify(args[0])}`);
  const [{ up: bringUp }, { CLUSTER_DEFAULTS }, { createProgress }] = await Promise.all([import("../../lib/install/up.ts"), import("../../lib/install/cluster-config.ts"), import("../../lib/install/progress.ts")]);
  const startMs = systemClock.monotonicMs();
  const result = await bringUp({
    demo: !flags["no-demo"],
    ...(flags.workers === undefined ? {} : { workers: flags.workers }),
    ...(flags["no-egress"] || !flags.egress ? { egress: false } : argv.some((a) => a.startsWith("--egress")) ? { egress: true } : {}),
    ...(flags["host-cidr"] === undefined ? {} : { hostCidr: flags["host-cidr"] }),
    ...(flags["pod-cidr"] === undefined ? {} : { podCidr: flags["pod-cidr"] }),
    ...(flags["service-cidr"] === undefined ? {} : { serviceCidr: flags["service-cidr"] }),
    ...(flags["api-port"] === undefined ? {} : { apiPort: flags["api-port"] }),
    ...(flags.profile === undefined ? {} : { profile: flags.profile }),
  }, CLUSTER_DEFAULTS, { clock: systemClock, progress: createProgress(process.stdout, () => systemClock.monotonicMs()) });
  const seconds = ((systemClock.monotonicMs() - startMs) / 1000).toFixed(1);
  print(`\nThe cluster runs (${result.config.workers.length} workers, ${seconds} s). Type next:\n\n  export KUBECONFIG=${result.kubeconfig}\n  kubectl get nodes -o wide\n  kubectl get pods -A\n  kaji host worker-1 -- ip address        a command on a host\n  kaji status · kaji image load IMAGE · kaji down\n\n"kaji" from a clone is: npm run --silent kaji --\n`);
}

async function down(argv: readonly string[]): Promise<void> {
  const { flags } = parseFlags(argv, { "keep-cache": { type: "bool", help: "keep the packed images for the next up" } });
  if (process.getuid!() !== 0) throw new FlagError('Cannot end the cluster as an ordinary user: run it with "sudo"');
  const [{ down: takeDown }, { createProgress }] = await Promise.all([import("../../lib/install/down.ts"), import("../../lib/install/progress.ts")]);
  await takeDown({ keepCache: flags["keep-cache"] }, { clock: systemClock, progress: createProgress(process.stdout, () => systemClock.monotonicMs()) });
}

async function status(argv: readonly string[]): Promise<number> {
  parseFlags(argv, {});
  const { clusterStatus, renderStatus } = await import("../../lib/install/status.ts");
  const found = await clusterStatus(systemClock);
  if (found === undefined) { print('There is no cluster on this machine; "kaji up" makes one.\n'); return 1; }
  print(renderStatus(found));
  return found.problems.length === 0 ? 0 : 1;
}

async function requireCluster(): Promise<import("../../lib/install/cluster-config.ts").ClusterConfig> {
  const { loadClusterConfig } = await import("../../lib/install/cluster-config.ts");
  const config = await loadClusterConfig();
  if (config === undefined) throw new FlagError('There is no cluster on this machine; "kaji up" makes one');
  return config;
}

async function host(argv: readonly string[]): Promise<number> {
  const config = await requireCluster(), separator = argv.indexOf("--");
  const [name] = argv, command = separator < 0 ? argv.slice(1) : argv.slice(separator + 1);
  if (name === undefined || name.startsWith("-") || command.length === 0) throw new FlagError(`Usage: kaji host NAME -- COMMAND [ARGUMENT …]; hosts: ${config.workers.map((w) => w.name).join(", ")}`);
  if (!config.workers.some((w) => w.name === name)) throw new FlagError(`There is no host ${JSON.stringify(name)}; hosts: ${config.workers.map((w) => w.name).join(", ")}`);
  const { enterHost } = await import("../../lib/install/hosts.ts");
  const child = spawn("nsenter", [...enterHost(name), ...command], { stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, killedBy) => resolve(killedBy === null ? (code ?? 1) : 128 + constants.signals[killedBy]));
  });
}

async function kubeconfig(argv: readonly string[]): Promise<void> {
  const { flags } = parseFlags(argv, { merge: { type: "bool", help: "add the cluster to ~/.kube/config and make it the current one" }, raw: { type: "bool", help: "print the file itself" } });
  await requireCluster();
  const { ADMIN_KUBECONFIG } = await import("../../lib/install/paths.ts");
  const { invokingUser, mergeUserKubeconfig, userKubeconfigFile } = await import("../../lib/install/user.ts");
  if (flags.raw) return print(readFileSync(ADMIN_KUBECONFIG, "utf8"));
  const user = await invokingUser();
  print(`${flags.merge ? await mergeUserKubeconfig(user) : userKubeconfigFile(user)}\n`);
}

async function image(argv: readonly string[]): Promise<void> {
  const [verb, source, ...rest] = argv;
  if (verb !== "load" || source === undefined || rest.length > 0) throw new FlagError("Usage: kaji image load IMAGE|FILE (an image of the local Docker engine, or a docker or OCI archive)");
  const config = await requireCluster(), { loadImage } = await import("../../lib/install/image-load.ts");
  const names = await loadImage(source, config.workers);
  print(`Loaded ${names.join(", ")} into ${config.workers.length} hosts\n`);
}

async function supervise(): Promise<void> {
  const { Supervisor } = await import("../../lib/install/supervisor.ts");
  await new Supervisor({ log: createLogger("supervisor"), clock: systemClock }).run(shutdownSignal());
}

/** Loads every daemon's code; the environment says where it is kept compiled. */
async function compile(argv: readonly string[]): Promise<void> {
  parseFlags(argv, {});
  for (const load of Object.values(DAEMONS)) await load();
}

async function version(argv: readonly string[]): Promise<void> {
  parseFlags(argv, {});
  const [{ BUILD_COMMIT, NODE_VERSION }, { CLIENT_API_VERSION }] = await Promise.all([import("../../lib/util/version.ts"), import("../../lib/client/client-config.ts")]);
  print(`commit: ${BUILD_COMMIT}\nAPI version: ${CLIENT_API_VERSION}\nNode version: ${NODE_VERSION}\nplatform: linux/${process.arch === "x64" ? "amd64" : process.arch}\n`);
}

const COMMANDS: Record<string, { run: Main; help: string }> = {
  up: { run: up, help: "start a cluster on this machine, or finish and check the one that is there" },
  down: { run: down, help: "end it and remove everything it made" },
  status: { run: status, help: "what runs and what is wrong" },
  host: { run: host, help: "NAME -- COMMAND: run a command on a host" },
  kubeconfig: { run: kubeconfig, help: "where the admin kubeconfig is; --merge adds it to ~/.kube/config" },
  image: { run: image, help: "load IMAGE|FILE: into every host's containerd" },
  ...HOST_COMMANDS,
  ...REMOTE_COMMANDS,
  version: { run: version, help: "commit, API version and Node version of this program" },
  supervise: { run: supervise, help: "keep the daemons alive (started by up)" },
  compile: { run: compile, help: "load the code of every daemon once, so that they start sooner (run by up)" },
};

function help(): string {
  const rows = Object.entries(COMMANDS).map(([name, { help: text }]) => `  ${name.padEnd(12)}${text}`);
  return `kaji: a Kubernetes cluster on real Linux hosts\n\nCommands:\n${rows.join("\n")}\n  ${Object.keys(DAEMONS).join(" | ")}\n              run one daemon\n\n${flagsHelp("kaji up [flags]", UP_FLAGS)}`;
}

/** Runs one command. Returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const [name = "help", ...rest] = argv;
  if (Object.hasOwn(DAEMONS, name)) return (await (await DAEMONS[name]!()).main(rest)) ?? 0;
  if (name === "help" || name === "--help" || name === "-h") { print(help()); return 0; }
  if (!Object.hasOwn(COMMANDS, name)) throw new FlagError(`unknown command ${JSON.stringify(name)} for "kaji"; "kaji help" lists them`);
  const { run: command, help: text } = COMMANDS[name]!;
  try { return (await command(rest)) ?? 0; }
  catch (error) {
    if (!(error instanceof HelpWanted)) throw error;
    print(`${text}\n\n${flagsHelp(`kaji ${name} [flags]`, error.specs)}`);
    return 0;
  }
}

/** The whole program: runs one command and leaves its exit code to the process. */
export async function run(argv: readonly string[]): Promise<void> {
  try { process.exitCode = await main(argv); }
  catch (error) {
    process.stderr.write(`Error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

if (import.meta.main) await run(process.argv.slice(2));

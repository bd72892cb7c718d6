/**
 * `kaji up`: a whole cluster on this machine, from nothing to nginx answering on its ClusterIP.
 *
 * Promises: harmless when the cluster runs already; finishes what an interrupted run or a reboot left; says how long each
 * step took; refuses, with what was found and what to do, before it changes anything.
 */
import { randomUUID } from "node:crypto";
import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { dnsAccess, dnsService } from "../api/helpers/cluster-dns.ts";
import type { Client } from "../client/client.ts";
import { createClient } from "../client/http-client.ts";
import { loadKubeconfig } from "../client/kubeconfig.ts";
import { nodes, rolebindings, roles, services } from "../api/schema/generated/references.ts";
import type { Clock } from "../util/clock.ts";
import { exec } from "../util/exec.ts";
import { form, selfCommand } from "../util/self.ts";
import { buildClusterConfig, type ClusterConfig, type ClusterOptions, dnsAddress, loadClusterConfig, masterAddress, saveClusterConfig, workerHost } from "./cluster-config.ts";
import { ensureHostCgroup } from "./cgroups.ts";
import { ensureCredentials } from "./credentials.ts";
import { type DemoAnswer, ensureDemo, fetchDemo, waitForDemo } from "./demo.ts";
import { ensureEgress } from "./egress.ts";
import { enterHost } from "./hosts.ts";
import { ensureBuiltImages, waitForContainerd } from "./image-load.ts";
import { ensureImages, unbuiltImages } from "./images.ts";
import { IMAGE_REQUIREMENTS, installPackages, missingPackages, REQUIREMENTS } from "./packages.ts";
import { ADMIN_KUBECONFIG, COMPILED_DIR, LOG_DIR } from "./paths.ts";
import { preflight } from "./preflight.ts";
import { isAlive } from "./processes.ts";
import type { Progress } from "./progress.ts";
import { logFile, readDaemonState } from "./supervisor.ts";
import { invokingUser, writeUserKubeconfig } from "./user.ts";
import { createIfMissing, until, waitForObjects } from "./wait.ts";

const API_TIMEOUT_MS = 60_000;
const NODES_TIMEOUT_MS = 90_000;

export class PreflightError extends Error { override readonly name = "PreflightError"; }

/** The running cluster's configuration, or a new one that passed every check. A larger `workers` grows a running cluster. */
async function decideConfig(options: Partial<ClusterOptions>, defaults: ClusterOptions, progress: Progress): Promise<ClusterConfig> {
  const known = await loadClusterConfig();
  if (known === undefined) {
    const config = buildClusterConfig({ ...defaults, ...options }, randomUUID());
    const findings = await preflight(config);
    for (const finding of findings.filter((f) => f.severity === "warning")) progress.note(`warning: ${finding.problem}: ${finding.advice}`);
    const errors = findings.filter((f) => f.severity === "error");
    if (errors.length > 0) throw new PreflightError(`Cannot start a cluster on this machine:\n${errors.map((e) => `  - ${e.problem}; ${e.advice}`).join("\n")}`);
    await saveClusterConfig(config);
    return config;
  }
  const asked = buildClusterConfig({ ...known, workers: known.workers.length, ...options }, known.id);
  for (const key of ["hostCidr", "podCidr", "serviceCidr", "apiPort", "profile", "egress"] as const) {
    if (asked[key] !== known[key]) throw new PreflightError(`Cannot change ${key} of the running cluster from ${String(known[key])} to ${String(asked[key])}: run "kaji down" first`);
  }
  if (asked.workers.length < known.workers.length) throw new PreflightError(`Cannot go from ${known.workers.length} to ${asked.workers.length} workers: run "kaji down" first`);
  if (asked.workers.length === known.workers.length) return known;
  const grown = { ...known, workers: Array.from({ length: asked.workers.length }, (_, i) => workerHost(known.hostCidr, i + 1)) };
  await saveClusterConfig(grown);
  return grown;
}

/** What our processes are started with: each keeps its code compiled, and finds it so. */
const environment = (): NodeJS.ProcessEnv => ({ ...process.env, NODE_COMPILE_CACHE: COMPILED_DIR });

/** Eight daemons starting at once would each strip the types off the same files: done once, before. Without it they start all the same. */
async function compileDaemons(): Promise<string> {
  if (form() !== "source") return "in the executable";
  if (existsSync(COMPILED_DIR)) return "compiled";
  const self = selfCommand(["compile"]);
  try { await exec(self.command, self.args, { env: environment() }); return "compiled now"; }
  catch (error) { return `left to each daemon: ${(error as Error).message}`; }
}

async function ensureSupervisor(): Promise<string> {
  const state = await readDaemonState("supervisor");
  if (state !== undefined && (await isAlive(state))) {
    process.kill(state.pid, "SIGHUP"); // It may have to start more.
    return "was running";
  }
  await mkdir(LOG_DIR, { recursive: true, mode: 0o700 });
  const self = selfCommand(["supervise"]), log = openSync(logFile("supervisor"), "a", 0o600);
  try { spawn(self.command, self.args, { detached: true, stdio: ["ignore", log, log], cwd: "/", env: environment() }).unref(); }
  finally { closeSync(log); }
  return "started";
}

async function supervisorTrouble(): Promise<string> {
  const text = await readFile(logFile("supervisor"), "utf8").catch(() => "");
  return text.trim().split("\n").slice(-3).join("\n");
}

/** A host must reach the API server: a firewall on this machine may forbid it. */
async function checkReach(config: ClusterConfig): Promise<void> {
  const host = config.workers[0]!, address = `${masterAddress(config)}:${config.apiPort}`;
  try { await exec("nsenter", [...enterHost(host.name), "curl", "-sk", "--max-time", "5", "-o", "/dev/null", `https://${address}/livez`]); }
  catch (error) {
    throw new Error(`Cannot reach the API server at ${address} from ${host.name}: a firewall on this machine seems to drop it; allow what comes in on the link kaji0 (ufw: "ufw allow in on kaji0", firewalld: "firewall-cmd --zone=trusted --add-interface=kaji0") and run again`, { cause: error });
  }
}

async function waitForNodes(client: Client, config: ClusterConfig, clock: Clock): Promise<string> {
  await waitForObjects(client, nodes, undefined, (all) => {
    const ready = new Set(all.filter((node) => node.status?.conditions?.find((c) => c.type === "Ready")?.status === "True").map((node) => node.metadata.name));
    const missing = config.workers.filter((host) => !ready.has(host.name)).map((host) => host.name);
    return missing.length === 0 || `${missing.join(", ")} not Ready (logs: ${LOG_DIR}/kubelet@${missing[0]}.log)`;
  }, clock, NODES_TIMEOUT_MS);
  return `${config.workers.length} Ready`;
}

export interface UpOptions extends Partial<ClusterOptions> { readonly demo: boolean }
export interface UpResult { readonly config: ClusterConfig; readonly kubeconfig: string; readonly answer: DemoAnswer | undefined }

export async function up(options: UpOptions, defaults: ClusterOptions, deps: { clock: Clock; progress: Progress }): Promise<UpResult> {
  const { clock, progress } = deps, { demo, ...clusterOptions } = options;
  if (process.getuid!() !== 0) throw new PreflightError('Cannot start a cluster as an ordinary user: namespaces, links and containerd need root; run it with "sudo"');
  await progress.step("packages", async () => {
    const needed = [...new Set([...(await missingPackages(REQUIREMENTS)), ...((await unbuiltImages()).length > 0 ? await missingPackages(IMAGE_REQUIREMENTS) : [])])];
    await installPackages(needed);
    return needed.length === 0 ? "nothing missing" : `installed ${needed.join(" ")}`;
  });
  let config!: ClusterConfig;
  await progress.step("checks", async () => { config = await decideConfig(clusterOptions, defaults, progress); });
  let images!: Awaited<ReturnType<typeof ensureImages>>;
  await Promise.all([
    progress.step("images", async () => { images = await ensureImages(); return images.map((image) => image.reference).join(" "); }),
    progress.step("programs", compileDaemons),
    progress.step("certificates", async () => { await ensureCredentials(config, clock); }),
  ]);
  await progress.step("hosts and daemons", async () => {
    for (const host of config.workers) await ensureHostCgroup(host.name);
    if (config.egress) await ensureEgress(config);
    return ensureSupervisor();
  });
  const client = createClient(loadKubeconfig(ADMIN_KUBECONFIG, { component: "kaji" }));
  try {
    await progress.step("API server", async () => {
      await until(`the API server becoming ready (logs: ${LOG_DIR})`, async () => ((await client.raw("GET", "/readyz")).status === 200 ? true : undefined), clock, API_TIMEOUT_MS)
        .catch(async (error: unknown) => { throw new Error(`${(error as Error).message}\n${await supervisorTrouble()}`, { cause: error }); });
    });
    await progress.step("cluster DNS", async () => {
      await createIfMissing(client, services, dnsService(dnsAddress(config)));
      const [role, binding] = dnsAccess();
      await createIfMissing(client, roles, role);
      await createIfMissing(client, rolebindings, binding);
    });
    await progress.step("images on hosts", async () => {
      const loaded = await Promise.all(config.workers.map(async (host) => { await waitForContainerd(host, clock); return ensureBuiltImages(host, images); }))
        .catch(async (error: unknown) => { throw new Error(`${(error as Error).message}\n${await supervisorTrouble()}`, { cause: error }); });
      return loaded.some((n) => n > 0) ? `${loaded.reduce((a, b) => a + b)} loaded` : "were there";
    });
    await checkReach(config);
    await progress.step("nodes", () => waitForNodes(client, config, clock));
    const kubeconfig = await writeUserKubeconfig(await invokingUser());
    if (!demo) return { config, kubeconfig, answer: undefined };
    let hostsWithPods: string[] = [], answer: DemoAnswer | undefined;
    await progress.step("nginx", async () => {
      await ensureDemo(client, config);
      hostsWithPods = await waitForDemo(client, config, clock);
      return `Ready on ${hostsWithPods.join(", ")}`;
    });
    await progress.step("curl", async () => {
      answer = await fetchDemo(client, config, hostsWithPods, clock);
      return `http://${answer.clusterIp}/ from ${answer.from}${answer.runsPods ? "" : ", which runs none of its pods"}: "${answer.title}"`;
    });
    return { config, kubeconfig, answer };
  } finally { client.close(); }
}

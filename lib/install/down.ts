/**
 * `kaji down`: ends the cluster on this machine and takes away everything it made: processes, namespaces, links, routes,
 * mounts, cgroups, firewall rules, data. Works on a half-made or damaged cluster too, and does nothing where there is none.
 */
import { rm, rmdir } from "node:fs/promises";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import type { Clock } from "../util/clock.ts";
import { removeCgroups } from "./cgroups.ts";
import { removeEgress } from "./egress.ts";
import { removeHosts } from "./hosts.ts";
import { CACHE_DIR, CONFIG_DIR, DATA_DIR, NAMESPACES_DIR, PIDS_DIR, RUN_DIR } from "./paths.ts";
import { processesOfHost, signalProcess } from "./processes.ts";
import type { Progress } from "./progress.ts";
import { type DaemonState, readDaemonState, stopProcess } from "./supervisor.ts";
import { until } from "./wait.ts";

const STOP_TIMEOUT_MS = 30_000;

async function stopSupervisor(clock: Clock): Promise<void> {
  const guardian = await readDaemonState("guardian");
  if (guardian !== undefined) await signalProcess(guardian, "SIGKILL");
  const supervisor = await readDaemonState("supervisor");
  if (supervisor !== undefined) await stopProcess(supervisor, clock, STOP_TIMEOUT_MS);
}

/** What a supervisor that was killed left running. */
async function stopLeftovers(clock: Clock): Promise<void> {
  const names = existsSync(PIDS_DIR) ? readdirSync(PIDS_DIR).filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -".json".length)) : [];
  const states = (await Promise.all(names.map(readDaemonState))).filter((state): state is DaemonState => state !== undefined && state.pid !== process.pid);
  await Promise.all(states.map((state) => stopProcess(state, clock)));
}

async function killHosts(clock: Clock): Promise<number> {
  const hosts = existsSync(NAMESPACES_DIR) ? readdirSync(NAMESPACES_DIR) : [];
  let killed = 0;
  await until("the end of the hosts' processes", async () => {
    const pids = (await Promise.all(hosts.map(processesOfHost))).flat();
    for (const pid of pids) { try { process.kill(pid, "SIGKILL"); killed += 1; } catch { /* Ended by itself. */ } }
    return pids.length === 0 ? true : undefined;
  }, clock, STOP_TIMEOUT_MS);
  return killed;
}

export interface DownOptions { readonly keepCache: boolean }

export async function down(options: DownOptions, deps: { clock: Clock; progress: Progress }): Promise<void> {
  const { clock, progress } = deps;
  await progress.step("stop daemons", async () => { await stopSupervisor(clock); await stopLeftovers(clock); });
  await progress.step("stop pods", async () => { await killHosts(clock); });
  await progress.step("remove hosts", async () => {
    await removeHosts();
    await removeEgress();
    await until("the removal of cgroups", async () => ((await removeCgroups()).length === 0 ? true : undefined), clock, STOP_TIMEOUT_MS);
  });
  await progress.step("remove data", async () => {
    const cache = options.keepCache ? [] : [CACHE_DIR];
    for (const directory of [RUN_DIR, DATA_DIR, CONFIG_DIR, ...cache]) await rm(directory, { recursive: true, force: true });
    await rmdir(path.dirname(CACHE_DIR)).catch(() => undefined); // Not empty: something else of ours is cached.
  });
}

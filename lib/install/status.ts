/** `kaji status`: what runs and what is wrong. */
import { createClient } from "../client/http-client.ts";
import { loadKubeconfig } from "../client/kubeconfig.ts";
import { nodes } from "../api/schema/generated/references.ts";
import { humanDuration } from "../api/helpers/human-duration.ts";
import type { Clock } from "../util/clock.ts";
import { loadClusterConfig } from "./cluster-config.ts";
import { daemonSpecs } from "./daemons.ts";
import { ADMIN_KUBECONFIG, LOG_DIR } from "./paths.ts";
import { isAlive } from "./processes.ts";
import { readDaemonState } from "./supervisor.ts";

export interface DaemonStatus { readonly name: string; readonly pid: number | undefined; readonly upFor: string; readonly restarts: number }
export interface ClusterStatus { readonly daemons: readonly DaemonStatus[]; readonly nodes: readonly { name: string; ready: boolean; message: string }[]; readonly problems: readonly string[] }

/** undefined when there is no cluster on this machine. */
export async function clusterStatus(clock: Clock): Promise<ClusterStatus | undefined> {
  const config = await loadClusterConfig();
  if (config === undefined) return undefined;
  const problems: string[] = [], now = clock.now();
  const daemons = await Promise.all(["supervisor", ...daemonSpecs(config).map((spec) => spec.name)].map(async (name): Promise<DaemonStatus> => {
    const state = await readDaemonState(name), alive = state !== undefined && (await isAlive(state));
    if (!alive) problems.push(`${name} does not run (log: ${LOG_DIR}/${name}.log)${name === "supervisor" ? '; "kaji up" starts it again' : ""}`);
    return { name, pid: alive ? state.pid : undefined, upFor: alive ? humanDuration(now.getTime() - Date.parse(state.startedAt)) : "", restarts: state?.restarts ?? 0 };
  }));
  const found: { name: string; ready: boolean; message: string }[] = [];
  const client = createClient(loadKubeconfig(ADMIN_KUBECONFIG, { component: "kaji" }));
  try {
    const health = await client.raw("GET", "/readyz?verbose");
    if (health.status !== 200) problems.push(`the API server is not ready: ${health.body.split("\n").filter((line) => line.startsWith("[-]")).join(", ")}`);
    for (const node of (await client.list(nodes)).items) {
      const condition = node.status?.conditions?.find((c) => c.type === "Ready");
      found.push({ name: node.metadata.name, ready: condition?.status === "True", message: condition?.message ?? "" });
      if (condition?.status !== "True") problems.push(`node ${node.metadata.name} is not Ready: ${condition?.message ?? "it never reported"}`);
    }
  } catch (error) { problems.push(`the API server does not answer: ${(error as Error).message}`); }
  finally { client.close(); }
  return { daemons, nodes: found, problems };
}

/** The text `kaji status` prints. */
export function renderStatus(status: ClusterStatus): string {
  const rows = [["DAEMON", "PID", "UP", "RESTARTS"], ...status.daemons.map((d) => [d.name, d.pid === undefined ? "-" : String(d.pid), d.upFor, String(d.restarts)])];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const table = rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i]!)).join("   ").trimEnd());
  const nodeLines = status.nodes.map((node) => `node ${node.name}: ${node.ready ? "Ready" : `not Ready: ${node.message}`}`);
  const verdict = status.problems.length === 0 ? ["everything runs"] : status.problems.map((problem) => `problem: ${problem}`);
  return [...table, "", ...nodeLines, ...verdict, ""].join("\n");
}

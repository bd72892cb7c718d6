/** What makes a host a node once it has its certificates: packages, containerd, images, kubelet and kube-proxy under systemd. */
import { mkdirSync } from "node:fs";
import path from "node:path";
import { nodes } from "../../api/schema/generated/references.ts";
import { createClient } from "../../client/http-client.ts";
import { loadKubeconfig, makeKubeconfig, writeKubeconfig } from "../../client/kubeconfig.ts";
import type { Clock } from "../../util/clock.ts";
import { exec } from "../../util/exec.ts";
import type { Progress } from "../progress.ts";
import { until, waitForObjects } from "../wait.ts";
import { ensurePackages, importImages, pauseImage } from "./bundle.ts";
import type { ClusterSettings } from "./cluster-settings.ts";
import { hostContainerdConfig } from "./containerd-on-host.ts";
import { configFile, NODE_DAEMONS, nodeConfig } from "./daemon-flags.ts";
import { CLIENT_FILE, PROXY_FILE, type Enrolled } from "./enroll.ts";
import { resolvConf } from "./facts.ts";
import { rememberModules, rememberSysctls, rememberTables } from "./host-before.ts";
import { HOST_PATHS } from "./host-paths.ts";
import { ensureBinary } from "./program.ts";
import { NODE_SYSCTLS } from "./sysctls.ts";
import { journalOf, startUnits, writeIfChanged } from "./systemd.ts";

const CONTAINERD_TIMEOUT_MS = 120_000, NODE_TIMEOUT_MS = 300_000;
export interface NodeOptions { readonly name: string; readonly address: string; readonly bundle: string | undefined }

/** Writes the file unless it names this server and authority already: a master may have moved. Returns whether it did. */
function ensureNodeKubeconfig(file: string, server: string, user: string, ca: string, pair: string): boolean {
  try {
    const kept = loadKubeconfig(file);
    if (kept.server === server && kept.caData === ca && kept.certificateFile === pair) return false;
  } catch { /* Missing or damaged: made anew. */ }
  writeKubeconfig(file, makeKubeconfig({ cluster: "kaji", server, user, ca, certificateFile: pair, keyFile: pair }));
  return true;
}

async function writeNode(settings: ClusterSettings, authority: string, { name, address, bundle }: NodeOptions): Promise<Set<string>> {
  const changed = new Set<string>(), config = (file: string): string => path.join(HOST_PATHS.config, file);
  for (const directory of ["/etc/cni/net.d", "/var/lib/kubelet", "/var/log/pods"]) mkdirSync(directory, { recursive: true });
  if (ensureNodeKubeconfig(config("kubelet.conf"), settings.server, `system:node:${name}`, authority, CLIENT_FILE)) changed.add("kubelet");
  if (ensureNodeKubeconfig(config("proxy.conf"), settings.server, "system:kube-proxy", authority, PROXY_FILE)) changed.add("kube-proxy");
  const containerdFile = config("containerd.toml");
  if (writeIfChanged(containerdFile, await hostContainerdConfig(pauseImage(bundle, containerdFile)), 0o644)) changed.add("containerd");
  const configs = nodeConfig(settings, { name, address, resolvConf: await resolvConf() }, HOST_PATHS);
  for (const daemon of NODE_DAEMONS) if (writeIfChanged(config(`${daemon}.yaml`), configFile(daemon, configs[daemon]), 0o644)) changed.add(daemon);
  return changed;
}

/** Brings the node up and waits until the cluster calls it Ready. */
export async function startNode({ settings, authority }: Enrolled, options: NodeOptions, { clock, progress }: { clock: Clock; progress: Progress }): Promise<void> {
  rememberModules();
  await progress.step("packages", async () => { const fresh = await ensurePackages(options.bundle); return fresh.length === 0 ? "nothing missing" : `installed ${fresh.length}`; });
  await progress.step("containerd and images", async () => {
    await ensureBinary();
    const changed = await writeNode(settings, authority, options);
    await rememberSysctls(NODE_SYSCTLS);
    await rememberTables();
    await startUnits(["containerd"], changed);
    await until("containerd answering", async () => { await exec("ctr", ["--address", HOST_PATHS.containerdSocket, "version"]); return true; }, clock, CONTAINERD_TIMEOUT_MS)
      .catch(async (error: unknown) => { throw new Error(`${(error as Error).message}\n${await journalOf("containerd")}`, { cause: error }); });
    const images = await importImages(options.bundle);
    await startUnits(NODE_DAEMONS, changed);
    return images === 0 ? "no images to load" : `${images} images loaded`;
  });
  const self = createClient({ server: settings.server, caData: authority, certificateFile: CLIENT_FILE, keyFile: CLIENT_FILE, component: "kaji" });
  try {
    await progress.step("node", async () => {
      await waitForObjects(self, nodes, undefined, (all) => all.some((node) => node.metadata.name === options.name && node.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True")) || `node "${options.name}" was not Ready`, clock, NODE_TIMEOUT_MS, `metadata.name=${options.name}`)
        .catch(async (error: unknown) => { throw new Error(`${(error as Error).message}\n${await journalOf("kubelet")}`, { cause: error }); });
      return `${options.name} is Ready`;
    });
  } finally { self.close(); }
}

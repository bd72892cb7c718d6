/**
 * `kaji join`: makes this host a node of a cluster. Counterpart: kubeadm join.
 *
 * A token and a pin are enough: the pin proves the cluster, the token lets this host ask for the certificate of its node; with that it asks
 * for kube-proxy's. Keys are made here and never leave. Run again, it finishes what an interrupted run left and changes nothing else.
 */
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { configmaps, nodes } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import type { Client } from "../../client/client.ts";
import { createClient } from "../../client/http-client.ts";
import { makeKubeconfig, writeKubeconfig } from "../../client/kubeconfig.ts";
import { writeKeyFile, writePublicFile } from "../../pki/write-file.ts";
import { requestCertificate, type CertificateWish } from "../../runtime/request-certificate.ts";
import type { Clock } from "../../util/clock.ts";
import { exec } from "../../util/exec.ts";
import type { Progress } from "../progress.ts";
import { until, waitForObjects } from "../wait.ts";
import { parseToken } from "./bootstrap-token.ts";
import { ensurePackages, importImages, pauseImage } from "./bundle.ts";
import { checkHost } from "./check.ts";
import { type ClusterSettings, parseSettings, SETTINGS_CONFIG_MAP } from "./cluster-settings.ts";
import { hostContainerdConfig } from "./containerd-on-host.ts";
import { environmentFile, NODE_DAEMONS, nodeFlags } from "./daemon-flags.ts";
import { discoverAuthority } from "./discovery.ts";
import { hostAddress, nodeName, resolvConf } from "./facts.ts";
import { HOST_PATHS } from "./host-paths.ts";
import { ensureBinary } from "./program.ts";
import { journalOf, startUnits, writeIfChanged } from "./systemd.ts";

const DISCOVERY_TIMEOUT_MS = 60_000, CERTIFICATE_TIMEOUT_MS = 120_000, CONTAINERD_TIMEOUT_MS = 120_000, NODE_TIMEOUT_MS = 300_000;
const CLIENT_FILE = path.join(HOST_PATHS.certificates, "kubelet-client-current.pem"), PROXY_FILE = path.join(HOST_PATHS.certificates, "kube-proxy-client-current.pem");

export interface JoinOptions {
  /** `ADDRESS:PORT` of the API server. */
  readonly server: string; readonly token: string; readonly pins: readonly string[];
  readonly nodeName?: string | undefined; readonly nodeIp?: string | undefined; readonly bundle?: string | undefined;
}

const clientWish = (name: string): CertificateWish => ({ signerName: "kubernetes.io/kube-apiserver-client-kubelet", subject: { commonName: `system:node:${name}`, organizations: ["system:nodes"] }, usage: "client auth", prefix: "node-csr-" });
const PROXY_WISH: CertificateWish = { signerName: "kubernetes.io/kube-apiserver-client", subject: { commonName: "system:kube-proxy" }, usage: "client auth", prefix: "node-csr-" };

async function obtain(client: Client, wish: CertificateWish, file: string): Promise<void> {
  if (existsSync(file)) return; // The daemon keeps it fresh.
  const { certificatePem, keyPem } = await requestCertificate(client, wish, AbortSignal.timeout(CERTIFICATE_TIMEOUT_MS));
  writeKeyFile(file, certificatePem + keyPem);
}

/** A Ready node of this name that is not us: two hosts have one name. */
async function checkNameIsFree(client: Client, name: string): Promise<void> {
  try {
    const node = await client.get(nodes, { name });
    if (node.status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True")) {
      throw new Error(`Cannot join as "${name}": a node of that name is in the cluster and Ready; give this host another name ("hostnamectl set-hostname NAME") or --node-name`);
    }
  } catch (error) { if (!hasReason(error, "NotFound")) throw error; }
}

async function writeNode(settings: ClusterSettings, node: { name: string; address: string }, authority: string, pause: string): Promise<Set<string>> {
  const changed = new Set<string>(), config = (file: string): string => path.join(HOST_PATHS.config, file);
  for (const directory of ["/etc/cni/net.d", "/var/lib/kubelet", "/var/log/pods"]) mkdirSync(directory, { recursive: true });
  const kubeconfig = (file: string, user: string, pair: string): void => { if (!existsSync(config(file))) writeKubeconfig(config(file), makeKubeconfig({ cluster: "kaji", server: settings.server, user, ca: authority, certificateFile: pair, keyFile: pair })); };
  kubeconfig("kubelet.conf", `system:node:${node.name}`, CLIENT_FILE);
  kubeconfig("proxy.conf", "system:kube-proxy", PROXY_FILE);
  if (writeIfChanged(config("containerd.toml"), await hostContainerdConfig(pause), 0o644)) changed.add("containerd");
  const flags = nodeFlags(settings, { ...node, resolvConf: await resolvConf() }, HOST_PATHS);
  for (const daemon of NODE_DAEMONS) if (writeIfChanged(config(`${daemon}.env`), environmentFile(daemon, flags[daemon]), 0o644)) changed.add(daemon);
  return changed;
}

/** Asks the cluster who it is, then for this host's certificates. */
async function enroll(options: JoinOptions, name: string): Promise<{ settings: ClusterSettings; authority: string }> {
  const server = `https://${options.server}`, authority = await discoverAuthority(server, options.pins, AbortSignal.timeout(DISCOVERY_TIMEOUT_MS));
  mkdirSync(HOST_PATHS.data, { recursive: true, mode: 0o700 });
  writePublicFile(path.join(HOST_PATHS.pki, "ca.crt"), authority);
  const joining = createClient({ server, caData: authority, token: options.token, component: "kaji" });
  let settings: ClusterSettings;
  try {
    settings = parseSettings((await joining.get(configmaps, { namespace: "kube-system", name: SETTINGS_CONFIG_MAP })).data?.["settings"] ?? "{}");
    if (!existsSync(CLIENT_FILE)) await checkNameIsFree(joining, name);
    await obtain(joining, clientWish(name), CLIENT_FILE);
  } catch (error) {
    if (hasReason(error, "Unauthorized")) throw new Error('Cannot join: the token is unknown or has expired; make a new one on the master with "kaji token create --print-join-command"', { cause: error });
    throw error;
  } finally { joining.close(); }
  const self = createClient({ server, caData: authority, certificateFile: CLIENT_FILE, keyFile: CLIENT_FILE, component: "kaji" });
  try { await obtain(self, PROXY_WISH, PROXY_FILE); }
  finally { self.close(); }
  return { settings, authority };
}

export async function join(options: JoinOptions, deps: { clock: Clock; progress: Progress }): Promise<{ node: string; address: string }> {
  const { clock, progress } = deps, name = nodeName(options.nodeName);
  parseToken(options.token);
  let address!: string, settings!: ClusterSettings, authority!: string;
  await progress.step("checks", async () => {
    address = await hostAddress(options.nodeIp, new URL(`https://${options.server}`).hostname);
    await checkHost("worker", { nodeName: name });
    return `address ${address}`;
  });
  await progress.step("certificates", async () => { ({ settings, authority } = await enroll(options, name)); });
  await progress.step("packages", async () => { const fresh = await ensurePackages(options.bundle); return fresh.length === 0 ? "nothing missing" : `installed ${fresh.length}`; });
  await progress.step("containerd and images", async () => {
    await ensureBinary();
    const changed = await writeNode(settings, { name, address }, authority, pauseImage(options.bundle));
    await startUnits(["containerd"], changed);
    await until("containerd answering", async () => { await exec("ctr", ["--address", HOST_PATHS.containerdSocket, "version"]); return true; }, clock, CONTAINERD_TIMEOUT_MS)
      .catch(async (error: unknown) => { throw new Error(`${(error as Error).message}\n${await journalOf("containerd")}`, { cause: error }); });
    const images = await importImages(options.bundle);
    await startUnits(NODE_DAEMONS, changed);
    return images === 0 ? "images come from their registries" : `${images} images loaded`;
  });
  const self = createClient({ server: settings.server, caData: authority, certificateFile: CLIENT_FILE, keyFile: CLIENT_FILE, component: "kaji" });
  try {
    await progress.step("node", async () => {
      await waitForObjects(self, nodes, undefined, (all) => all.some((node) => node.metadata.name === name && node.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True")) || `node "${name}" was not Ready`, clock, NODE_TIMEOUT_MS, `metadata.name=${name}`)
        .catch(async (error: unknown) => { throw new Error(`${(error as Error).message}\n${await journalOf("kubelet")}`, { cause: error }); });
      return `${name} is Ready`;
    });
  } finally { self.close(); }
  return { node: name, address };
}

/**
 * `kaji init`: makes this host the master of a new cluster: certificates, kubeconfigs, daemons under systemd, and what hosts need to join.
 *
 * Promises: harmless when run again (keeps every key, renews what ends soon); refuses what cannot work before it changes anything.
 * Counterpart: kubeadm init. Differs: the master is no node and runs no pods unless asked (`--as-node`; then nothing keeps pods away); its
 * daemons are programs under systemd, not static pods.
 */
import { chmodSync, existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { createClient } from "../../client/http-client.ts";
import { loadKubeconfig, parseKubeconfig } from "../../client/kubeconfig.ts";
import type { Client } from "../../client/client.ts";
import { dnsAccess, dnsService } from "../../api/helpers/cluster-dns.ts";
import type { ConfigMap } from "../../api/schema/generated/models.ts";
import { clusterrolebindings, clusterroles, configmaps, nodes, rolebindings, roles, secrets, services } from "../../api/schema/generated/references.ts";
import { ensureClusterPki } from "../../pki/cluster-pki.ts";
import type { Clock } from "../../util/clock.ts";
import { ensureKubeconfig } from "../credentials.ts";
import { REQUIREMENTS } from "../packages.ts";
import type { Progress } from "../progress.ts";
import { createIfMissing, until } from "../wait.ts";
import { bootstrapObjects } from "./bootstrap-objects.ts";
import { authorityPin, generateToken, joinCommand, tokenSecret } from "./bootstrap-token.ts";
import { ensurePackages } from "./bundle.ts";
import { checkHost } from "./check.ts";
import { gatherMachine } from "./checks/gather-machine.ts";
import { checkSettings, type ClusterSettings, dnsOf, parseSettings } from "./cluster-settings.ts";
import { configFile, MASTER_DAEMONS, masterConfig, servingNames } from "./daemon-flags.ts";
import { enroll, type Enrolled } from "./enroll.ts";
import { hostAddress, nodeName } from "./facts.ts";
import { HOST_PATHS } from "./host-paths.ts";
import { startNode } from "./node.ts";
import { ensureBinary } from "./program.ts";
import { journalOf, startUnits, writeIfChanged } from "./systemd.ts";

/** What the daemons of a master call. */
const MASTER_REQUIREMENTS = REQUIREMENTS.filter((each) => each.program === "ip");
const READY_TIMEOUT_MS = 180_000;
export const TOKEN_LIFETIME_MS = 24 * 3_600_000;
export const ADMIN_FILE = path.join(HOST_PATHS.config, "admin.conf");

export interface InitOptions {
  readonly advertiseAddress?: string | undefined; readonly port: number; readonly podCidr: string; readonly serviceCidr: string; readonly clusterDomain: string; readonly profile: string;
  /** More names and addresses for the API server's certificate. */
  readonly certificateNames: readonly string[]; readonly token?: string | undefined; readonly tokenLifetimeMs: number;
  /** The master is a node too. Once it is, it stays one. */
  readonly asNode: boolean; readonly nodeName?: string | undefined;
  /** Folder with packages and images, for hosts without internet. */
  readonly bundle?: string | undefined;
}
export interface InitResult { readonly settings: ClusterSettings; readonly kubeconfig: string; readonly join: string; readonly node: string | undefined }

/** What of a ConfigMap to write when the master's address is another than when it was made: the rest of its data stays. Pure. */
export function movedData(kept: Pick<ConfigMap, "data">, fresh: Pick<ConfigMap, "data">, server: string): Record<string, string> | undefined {
  const old = kept.data?.["settings"] === undefined ? parseKubeconfigServer(kept.data?.["kubeconfig"]) : parseSettings(kept.data["settings"]).server;
  if (old === server) return undefined;
  return kept.data?.["settings"] === undefined ? { ...fresh.data } : { settings: JSON.stringify({ ...parseSettings(kept.data["settings"]), server }, null, 2) };
}
const parseKubeconfigServer = (text: string | undefined): string | undefined => (text === undefined ? undefined : parseKubeconfig(text).clusters[0]?.cluster.server);

async function writeObjects(client: Client, settings: ClusterSettings, authorityPem: string): Promise<void> {
  const objects = bootstrapObjects(settings, authorityPem), [role, binding] = dnsAccess();
  for (const each of objects.clusterRoles) await createIfMissing(client, clusterroles, each);
  for (const each of objects.clusterRoleBindings) await createIfMissing(client, clusterrolebindings, each);
  for (const each of [...objects.roles, role]) await createIfMissing(client, roles, each);
  for (const each of [...objects.roleBindings, binding]) await createIfMissing(client, rolebindings, each);
  for (const each of objects.configMaps) {
    await createIfMissing(client, configmaps, each);
    const moved = movedData(await client.get(configmaps, each.metadata), each, settings.server);
    if (moved !== undefined) await client.patch(configmaps, each.metadata, "merge", { data: moved });
  }
  await createIfMissing(client, services, dnsService(dnsOf(settings)));
}

interface OwnNode { readonly name: string; readonly address: string; readonly token: string; readonly settings: ClusterSettings; readonly authorityPem: string; readonly bundle: string | undefined }
/** Joins the master to its own cluster, as any host would, and marks the node as kubeadm does, without a taint. */
async function joinItself(client: Client, { name, address, token, settings, authorityPem, bundle }: OwnNode, deps: { clock: Clock; progress: Progress }): Promise<void> {
  let enrolled!: Enrolled;
  await deps.progress.step("certificates of the node", async () => {
    enrolled = await enroll({ server: settings.server, token, pins: [authorityPin(authorityPem)], name, identity: (await gatherMachine(undefined)).identity, now: deps.clock.now() });
  });
  await startNode(enrolled, { name, address, bundle }, deps);
  await client.patch(nodes, { name }, "merge", { metadata: { labels: { "node-role.kubernetes.io/control-plane": "" } } });
}

export async function init(options: InitOptions, deps: { clock: Clock; progress: Progress }): Promise<InitResult> {
  const { clock, progress } = deps, token = options.token ?? generateToken();
  const asNode = options.asNode || existsSync(path.join(HOST_PATHS.config, "kubelet.conf")), name = asNode ? nodeName(options.nodeName) : undefined;
  let address!: string, settings!: ClusterSettings, authorityPem!: string;
  await progress.step("checks", async () => {
    address = await hostAddress(options.advertiseAddress, undefined);
    const { podCidr, serviceCidr, clusterDomain } = options;
    settings = checkSettings({ server: `https://${address}:${options.port}`, podCidr, serviceCidr, clusterDomain, profile: options.profile as ClusterSettings["profile"] }, address);
    await checkHost("master", { apiPort: options.port });
    if (asNode) await checkHost("worker", { nodeName: name });
    return `address ${address}`;
  });
  const changed = new Set<string>();
  await progress.step("packages", async () => { const fresh = await ensurePackages(options.bundle, MASTER_REQUIREMENTS); return fresh.length === 0 ? "nothing missing" : `installed ${fresh.length}`; });
  await progress.step("certificates", async () => {
    await ensureBinary();
    mkdirSync(HOST_PATHS.data, { recursive: true, mode: 0o700 });
    mkdirSync(HOST_PATHS.pki, { recursive: true });
    chmodSync(HOST_PATHS.config, 0o755);
    const names = servingNames(settings, address, options.certificateNames), now = clock.now(), local = `https://127.0.0.1:${options.port}`;
    const { ca, written } = ensureClusterPki({ dir: HOST_PATHS.pki, advertiseAddresses: names.addresses, serviceNames: names.dns, clock });
    if (written.length > 0) changed.add("kube-apiserver");
    authorityPem = ca.certificatePem;
    const client = (commonName: string, ...organizations: string[]) => ({ subject: { commonName, ...(organizations.length === 0 ? {} : { organizations }) }, usages: ["client"], now } as const);
    await ensureKubeconfig(ADMIN_FILE, settings.server, ca, "kubernetes-admin", client("kubernetes-admin", "kubeadm:cluster-admins"));
    for (const component of ["controller-manager", "scheduler"]) await ensureKubeconfig(path.join(HOST_PATHS.config, `${component}.conf`), local, ca, `system:kube-${component}`, client(`system:kube-${component}`));
  });
  await progress.step("daemons", async () => {
    const configs = masterConfig(settings, address, HOST_PATHS, { asNode });
    for (const daemon of MASTER_DAEMONS) if (writeIfChanged(path.join(HOST_PATHS.config, `${daemon}.yaml`), configFile(daemon, configs[daemon]), 0o644)) changed.add(daemon);
    await startUnits(MASTER_DAEMONS, changed);
  });
  const client = createClient(loadKubeconfig(ADMIN_FILE, { component: "kaji" }));
  try {
    await progress.step("API server", async () => {
      await until("the API server becoming ready", async () => ((await client.raw("GET", "/readyz")).status === 200 ? true : undefined), clock, READY_TIMEOUT_MS)
        .catch(async (error: unknown) => { throw new Error(`${(error as Error).message}\n${await journalOf("kube-apiserver")}`, { cause: error }); });
    });
    await progress.step("what hosts need to join", async () => {
      await writeObjects(client, settings, authorityPem);
      const expires = options.tokenLifetimeMs === 0 ? undefined : new Date(clock.now().getTime() + options.tokenLifetimeMs);
      await createIfMissing(client, secrets, tokenSecret(token, expires, "made by kaji init"));
    });
    if (name !== undefined) await joinItself(client, { name, address, token, settings, authorityPem, bundle: options.bundle }, deps);
  } finally { client.close(); }
  return { settings, kubeconfig: ADMIN_FILE, join: joinCommand(settings.server, token, authorityPin(authorityPem)), node: name };
}

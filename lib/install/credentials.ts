/**
 * Who is who in a cluster on this machine: a kubeconfig with a client certificate for every component and for the
 * administrator, and a serving certificate for each kubelet. Idempotent; what expires soon is made anew.
 */
import { X509Certificate } from "node:crypto";
import { chmod, mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { Clock } from "../util/clock.ts";
import { loadKubeconfig, makeKubeconfig, writeKubeconfig } from "../client/kubeconfig.ts";
import { issue, type IssueOptions, type KeyPair } from "../pki/certificate.ts";
import { ensureClusterPki, leafProblem } from "../pki/cluster-pki.ts";
import { parsePrivateKey, privateKeyPem } from "../pki/keys.ts";
import { writeKeyFile, writePublicFile } from "../pki/write-file.ts";
import { apiUrl, type ClusterConfig } from "./cluster-config.ts";
import { apiServerNames } from "./daemons.ts";
import { ADMIN_KUBECONFIG, CONFIG_DIR, kubeconfigFile, PKI_DIR } from "./paths.ts";

async function keptPair(file: string, server: string, caPem: string): Promise<KeyPair | undefined> {
  try {
    const config = loadKubeconfig(file);
    if (config.server !== server || config.caData !== caPem || config.certificateData === undefined || config.keyData === undefined) return undefined;
    return { certificate: new X509Certificate(config.certificateData), certificatePem: config.certificateData, key: parsePrivateKey(config.keyData) };
  } catch { return undefined; } // Missing or damaged: made anew.
}

/** Writes a kubeconfig with a client certificate unless the one there is good. */
export async function ensureKubeconfig(file: string, server: string, ca: KeyPair, user: string, wanted: IssueOptions): Promise<void> {
  const kept = await keptPair(file, server, ca.certificatePem);
  if (kept !== undefined && leafProblem(kept, ca, wanted) === undefined) return;
  const pair = issue(ca, wanted);
  writeKubeconfig(file, makeKubeconfig({ cluster: "kaji", server, user, ca: ca.certificatePem, certificate: pair.certificatePem, key: privateKeyPem(pair.key) }));
}

async function ensureKubeletServing(ca: KeyPair, host: { name: string; address: string }, now: Date): Promise<void> {
  const files = [`kubelet-${host.name}.crt`, `kubelet-${host.name}.key`].map((file) => path.join(PKI_DIR, file)) as [string, string];
  const wanted: IssueOptions = { subject: { commonName: `system:node:${host.name}`, organizations: ["system:nodes"] }, usages: ["server"], names: [host.name, host.address], now };
  const kept = await Promise.all(files.map((file) => readFile(file, "utf8"))).then(([certificatePem, keyPem]) => ({ certificate: new X509Certificate(certificatePem!), key: parsePrivateKey(keyPem!) }), () => undefined);
  if (kept !== undefined && leafProblem(kept, ca, wanted) === undefined) return;
  const pair = issue(ca, wanted);
  writeKeyFile(files[1], privateKeyPem(pair.key));
  writePublicFile(files[0], pair.certificatePem);
}

/** Makes or renews every key, certificate and kubeconfig of the cluster. */
export async function ensureCredentials(config: ClusterConfig, clock: Clock): Promise<void> {
  await mkdir(PKI_DIR, { recursive: true });
  await chmod(CONFIG_DIR, 0o755);
  const names = apiServerNames(config), now = clock.now(), server = apiUrl(config);
  const { ca } = ensureClusterPki({ dir: PKI_DIR, advertiseAddresses: names.addresses, serviceNames: names.dns, clock });
  const client = (commonName: string, ...organizations: string[]): IssueOptions => ({ subject: { commonName, ...(organizations.length === 0 ? {} : { organizations }) }, usages: ["client"], now });
  await ensureKubeconfig(ADMIN_KUBECONFIG, `https://127.0.0.1:${config.apiPort}`, ca, "kubernetes-admin", client("kubernetes-admin", "kubeadm:cluster-admins"));
  for (const component of ["controller-manager", "scheduler"]) await ensureKubeconfig(kubeconfigFile(component), `https://127.0.0.1:${config.apiPort}`, ca, `system:kube-${component}`, client(`system:kube-${component}`));
  for (const host of config.workers) {
    await ensureKubeconfig(kubeconfigFile(`kubelet-${host.name}`), server, ca, `system:node:${host.name}`, client(`system:node:${host.name}`, "system:nodes"));
    await ensureKubeconfig(kubeconfigFile(`proxy-${host.name}`), server, ca, "system:kube-proxy", client("system:kube-proxy"));
    await ensureKubeletServing(ca, host, now);
  }
}

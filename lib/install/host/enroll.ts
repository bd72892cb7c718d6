/**
 * Making this host known to a cluster: proves the cluster by its pin, then gets the certificates of this host's kubelet and kube-proxy.
 * Keys are made here and never leave. What an earlier run got is kept; what belongs to another cluster or name is refused.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { X509Certificate } from "node:crypto";
import { configmaps, nodes } from "../../api/schema/generated/references.ts";
import type { Node } from "../../api/schema/generated/models.ts";
import { hasReason } from "../../api/status-error.ts";
import type { Client } from "../../client/client.ts";
import { createClient } from "../../client/http-client.ts";
import { readCertificate } from "../../pki/certificate.ts";
import { writeKeyFile, writePublicFile } from "../../pki/write-file.ts";
import { requestCertificate, type CertificateWish } from "../../runtime/request-certificate.ts";
import { parseToken } from "./bootstrap-token.ts";
import { checkClone } from "./checks/identity.ts";
import type { IdentityFacts } from "./checks/host-facts.ts";
import { type ClusterSettings, parseSettings, SETTINGS_CONFIG_MAP } from "./cluster-settings.ts";
import { discoverAuthority } from "./discovery.ts";
import { HOST_PATHS } from "./host-paths.ts";
import { certificateTimeout, explain, JoinError, tokenRefused } from "./join-error.ts";

const DISCOVERY_TIMEOUT_MS = 60_000, CERTIFICATE_TIMEOUT_MS = 120_000;
export const CLIENT_FILE = path.join(HOST_PATHS.certificates, "kubelet-client-current.pem"), PROXY_FILE = path.join(HOST_PATHS.certificates, "kube-proxy-client-current.pem");

const clientWish = (name: string): CertificateWish => ({ signerName: "kubernetes.io/kube-apiserver-client-kubelet", subject: { commonName: `system:node:${name}`, organizations: ["system:nodes"] }, usage: "client auth", prefix: "node-csr-" });
const PROXY_WISH: CertificateWish = { signerName: "kubernetes.io/kube-apiserver-client", subject: { commonName: "system:kube-proxy" }, usage: "client auth", prefix: "node-csr-" };

/** Whether a pair that is there can go on being used: not when it is unreadable or has ended. Throws JoinError when it is another cluster's or name's. Pure. */
export function isUsable(pem: string, authorityPem: string, commonName: string, now: Date): boolean {
  let certificate: X509Certificate;
  try { certificate = new X509Certificate(pem); } catch { return false; }
  if (!certificate.verify(new X509Certificate(authorityPem).publicKey)) throw new JoinError('Cannot join: this host holds certificates of another cluster: take it out of that one first ("kaji reset")');
  const { subject, notAfter } = readCertificate(pem);
  if (subject.commonName !== commonName) throw new JoinError(`Cannot join: this host is ${subject.commonName.replace(/^system:node:/, "node ")} of the cluster already, wanted ${commonName.replace(/^system:node:/, "node ")}: leave the name, or run "kaji reset" first`);
  return notAfter > now;
}

async function obtain(client: Client, wish: CertificateWish, file: string): Promise<void> {
  const timeout = AbortSignal.timeout(CERTIFICATE_TIMEOUT_MS);
  try {
    const { certificatePem, keyPem } = await requestCertificate(client, wish, timeout);
    writeKeyFile(file, certificatePem + keyPem);
  } catch (error) { throw timeout.aborted ? certificateTimeout(wish.subject.commonName, CERTIFICATE_TIMEOUT_MS / 1_000) : error; }
}

/** Throws JoinError when a Ready node has this name. Pure. */
export function checkNameIsFree(node: Pick<Node, "status">, name: string, own: IdentityFacts): void {
  if (!(node.status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") ?? false)) return;
  const clone = node.status?.nodeInfo?.machineID === own.machineId && own.machineId !== "";
  throw new JoinError(clone
    ? `Cannot join as "${name}": a node of that name and with this host's machine-id is in the cluster and Ready: when this host is a clone, give it another name ("hostnamectl set-hostname NAME") and machine-id ("rm /etc/machine-id; systemd-machine-id-setup", then reboot); when it was reset just now, wait a minute or delete the node`
    : `Cannot join as "${name}": a node of that name is in the cluster and Ready: give this host another name ("hostnamectl set-hostname NAME") or --node-name`);
}

/** Compares this host with the nodes there are. */
async function checkOthers(client: Client, name: string, own: IdentityFacts, isMember: boolean): Promise<void> {
  let items: Node[];
  try { ({ items } = await client.list(nodes)); }
  catch (error) {
    if (!hasReason(error, "Forbidden")) throw error;
    // Made by an earlier release: the token may see one node by its name.
    items = await client.get(nodes, { name }).then((node) => [node], (e: unknown) => { if (hasReason(e, "NotFound")) return []; throw e; });
  }
  const same = items.find((node) => node.metadata.name === name);
  if (same !== undefined && !isMember) checkNameIsFree(same, name, own);
  const clone = checkClone(own, name, items.map((node) => ({ name: node.metadata.name ?? "", machineId: node.status?.nodeInfo?.machineID ?? "", systemUuid: node.status?.nodeInfo?.systemUUID ?? "" })));
  const found = clone.find((finding) => finding.severity === "error");
  if (found !== undefined) throw new JoinError(`Cannot join: ${found.problem}: ${found.advice}`);
}

export interface Enrollment { readonly server: string; readonly token: string; readonly pins: readonly string[]; readonly name: string; readonly identity: IdentityFacts; readonly now: Date }
export interface Enrolled { readonly settings: ClusterSettings; readonly authority: string }

/** Asks the cluster who it is, then for this host's certificates. Throws JoinError with the next step. */
export async function enroll({ server, token, pins, name, identity, now }: Enrollment): Promise<Enrolled> {
  const { id } = parseToken(token), { authority, tokenIds } = await discoverAuthority(server, pins, AbortSignal.timeout(DISCOVERY_TIMEOUT_MS));
  const has = (file: string, commonName: string): boolean => existsSync(file) && isUsable(readFileSync(file, "utf8"), authority, commonName, now);
  const hasClient = has(CLIENT_FILE, `system:node:${name}`), hasProxy = has(PROXY_FILE, "system:kube-proxy");
  mkdirSync(HOST_PATHS.data, { recursive: true, mode: 0o700 });
  writePublicFile(path.join(HOST_PATHS.pki, "ca.crt"), authority);
  const joining = createClient({ server, caData: authority, token, component: "kaji" });
  let settings: ClusterSettings;
  try {
    settings = parseSettings((await joining.get(configmaps, { namespace: "kube-system", name: SETTINGS_CONFIG_MAP })).data?.["settings"] ?? "{}");
    await checkOthers(joining, name, identity, hasClient);
    if (!hasClient) await obtain(joining, clientWish(name), CLIENT_FILE);
  } catch (error) { throw hasReason(error, "Unauthorized") ? tokenRefused(id, tokenIds, error) : explain(server, error); }
  finally { joining.close(); }
  if (hasProxy) return { settings, authority };
  const self = createClient({ server, caData: authority, certificateFile: CLIENT_FILE, keyFile: CLIENT_FILE, component: "kaji" });
  try { await obtain(self, PROXY_WISH, PROXY_FILE); }
  catch (error) { throw explain(server, error); }
  finally { self.close(); }
  return { settings, authority };
}

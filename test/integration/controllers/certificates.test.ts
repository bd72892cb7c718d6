import { mkdtempSync, writeFileSync } from "node:fs";
import { X509Certificate } from "node:crypto";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "ava";
import { certificatesigningrequests, clusterrolebindings, clusterroles, nodes } from "../../../lib/api/schema/generated/references.ts";
import { createClient } from "../../../lib/client/http-client.ts";
import { bootstrapObjects } from "../../../lib/install/host/bootstrap-objects.ts";
import { SETTINGS_DEFAULTS } from "../../../lib/install/host/cluster-settings.ts";
import { createAuthority, readCertificate } from "../../../lib/pki/certificate.ts";
import { privateKeyPem } from "../../../lib/pki/keys.ts";
import { requestCertificate } from "../../../lib/runtime/request-certificate.ts";
import { World } from "./world.ts";

const folder = mkdtempSync(path.join(tmpdir(), "kaji-ca-")), authority = createAuthority({ commonName: "kubernetes", now: new Date() });
let world: World;
test.before(async () => {
  writeFileSync(path.join(folder, "ca.crt"), authority.certificatePem);
  writeFileSync(path.join(folder, "ca.key"), privateKeyPem(authority.key));
  world = await World.start([`--cluster-signing-cert-file=${folder}/ca.crt`, `--cluster-signing-key-file=${folder}/ca.key`], []);
});
test.after.always(async () => { await world.stop(); });

const as = (user: string, groups: string[]) => {
  const { certificatePem, keyPem } = world.server.identity(user, groups);
  return createClient({ server: world.server.url, caData: world.server.caPem, certificateData: certificatePem, keyData: keyPem, component: "test" });
};
const subject = { commonName: "system:node:n9", organizations: ["system:nodes"] };

test.serial("a joining node's request is signed once its group is bound to the nodeclient role, and not before", async (t) => {
  const client = as("system:bootstrap:abcdef", ["system:bootstrappers", "system:bootstrappers:kubeadm:default-node-token"]);
  const group = [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "system:bootstrappers:kubeadm:default-node-token" }];
  const bind = (name: string, role: string) => world.client.create(clusterrolebindings, { metadata: { name }, roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role }, subjects: group });
  await bind("kubeadm:kubelet-bootstrap", "system:node-bootstrapper");
  const early = new AbortController(), wish = { signerName: "kubernetes.io/kube-apiserver-client-kubelet", subject, usage: "client auth", prefix: "node-csr-" } as const;
  const first = requestCertificate(client, wish, early.signal);
  await world.until("the request", async () => (await world.list(certificatesigningrequests)).length === 1);
  await bind("kubeadm:node-autoapprove-bootstrap", "system:certificates.k8s.io:certificatesigningrequests:nodeclient");
  early.abort();
  await t.throwsAsync(first);
  const issued = await requestCertificate(client, wish, AbortSignal.timeout(20_000)), facts = readCertificate(issued.certificatePem);
  t.true(new X509Certificate(issued.certificatePem).verify(authority.certificate.publicKey));
  t.like(facts, { usages: ["client"], dnsNames: [], isAuthority: false });
  t.is(facts.subject.commonName, "system:node:n9");
  client.close();
});

test.serial("a node gets no serving certificate until the controller may approve for that signer", async (t) => {
  const client = as("system:node:n9", ["system:nodes"]), wish = { signerName: "kubernetes.io/kubelet-serving", subject, usage: "server auth", prefix: "csr-", names: ["n9"] } as const;
  await world.addNode("n9");
  await t.throwsAsync(requestCertificate(client, wish, AbortSignal.timeout(1_500)));
  const { clusterRoles, clusterRoleBindings } = bootstrapObjects({ ...SETTINGS_DEFAULTS, server: world.server.url }, authority.certificatePem), own = { metadata: { name: "kaji:kubelet-serving-approver" } };
  await world.client.create(clusterroles, clusterRoles.find(({ metadata }) => metadata.name === own.metadata.name)!);
  await world.client.create(clusterrolebindings, clusterRoleBindings.find(({ metadata }) => metadata.name === own.metadata.name)!);
  await t.notThrowsAsync(requestCertificate(client, wish, AbortSignal.timeout(20_000)));
  await world.client.delete(nodes, { name: "n9" });
  client.close();
});

test.serial("a node gets a serving certificate for its own addresses, and nobody answers when one is not its own", async (t) => {
  const client = as("system:node:n9", ["system:nodes"]), wish = { signerName: "kubernetes.io/kubelet-serving", subject, usage: "server auth", prefix: "csr-" } as const;
  const issued = requestCertificate(client, { ...wish, names: ["n9", "192.0.2.9"] }, AbortSignal.timeout(20_000)); // Before the node is there.
  await world.addNode("n9");
  t.deepEqual([...readCertificate((await issued).certificatePem).ipAddresses], ["192.0.2.9"]);
  await t.throwsAsync(requestCertificate(client, { ...wish, names: ["192.0.2.10"] }, AbortSignal.timeout(1_500)));
  await world.client.delete(nodes, { name: "n9" });
  client.close();
});

test.serial("cluster-info is signed with each token, and a token that has ended is removed with its signature", async (t) => {
  const { configmaps, secrets } = await import("../../../lib/api/schema/generated/references.ts"), { tokenSecret } = await import("../../../lib/install/host/bootstrap-token.ts");
  await world.client.create(configmaps, { metadata: { name: "cluster-info", namespace: "kube-public" }, data: { kubeconfig: "text" } });
  await world.client.create(secrets, tokenSecret("aaaaaa.0123456789abcdef", undefined, ""));
  await world.client.create(secrets, tokenSecret("bbbbbb.0123456789abcdef", new Date(Date.now() + 3_000), ""));
  const signatures = async (): Promise<string[]> => Object.keys((await world.get(configmaps, "cluster-info", "kube-public"))!.data!).filter((name) => name !== "kubeconfig").toSorted();
  await world.until("two signatures", async () => (await signatures()).length === 2);
  await world.until("the end of the second", async () => (await world.get(secrets, "bootstrap-token-bbbbbb", "kube-system")) === undefined);
  await world.until("its signature gone", async () => (await signatures()).length === 1);
  t.deepEqual(await signatures(), ["jws-kubeconfig-aaaaaa"]);
});

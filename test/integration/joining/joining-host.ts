/**
 * A host that joins, run by joining.test.ts in a mount namespace of its own, where /etc and /var/lib can be written without anybody noticing. The API
 * server is in this process; requests for certificates are answered at once. Prints, as JSON, what each try came to.
 */
import { readFileSync, rmSync } from "node:fs";
import { startEphemeralApiServer } from "../../../lib/apiserver/ephemeral.ts";
import { certificatesigningrequests, clusterrolebindings, clusterroles, configmaps, namespaces, nodes, rolebindings, roles, secrets } from "../../../lib/api/schema/generated/references.ts";
import type { Node } from "../../../lib/api/schema/generated/models.ts";
import { createClient } from "../../../lib/client/http-client.ts";
import { bootstrapObjects } from "../../../lib/install/host/bootstrap-objects.ts";
import { authorityPin, tokenSecret } from "../../../lib/install/host/bootstrap-token.ts";
import { CLIENT_FILE, enroll, type Enrollment } from "../../../lib/install/host/enroll.ts";
import { HOST_PATHS } from "../../../lib/install/host/host-paths.ts";
import { createIfMissing } from "../../../lib/install/wait.ts";
import { readCertificate, signLeaf } from "../../../lib/pki/certificate.ts";
import { parseRequest } from "../../../lib/pki/certificate-request.ts";
import { silentLogger } from "../../../lib/util/logger.ts";

const TOKEN = "abcdef.0123456789abcdef", EXPIRED = "expire.0123456789abcdef", identity = { machineId: "a".repeat(32), productUuid: "" };
const server = await startEphemeralApiServer({ log: silentLogger }), { authority } = server, stop = new AbortController();
const admin = createClient({ server: server.url, caData: server.caPem, certificateData: server.admin.certificatePem, keyData: server.admin.keyPem, component: "test" });
const settings = { server: server.url, podCidr: "10.244.0.0/16", serviceCidr: "10.96.0.0/16", clusterDomain: "cluster.local", profile: "small" } as const;

async function prepare(): Promise<void> {
  const objects = bootstrapObjects(settings, server.caPem);
  for (const name of ["kube-system", "kube-public"]) await createIfMissing(admin, namespaces, { metadata: { name }, spec: {}, status: {} });
  for (const each of objects.clusterRoles) await createIfMissing(admin, clusterroles, each);
  for (const each of objects.clusterRoleBindings) await createIfMissing(admin, clusterrolebindings, each);
  for (const each of objects.roles) await createIfMissing(admin, roles, each);
  for (const each of objects.roleBindings) await createIfMissing(admin, rolebindings, each);
  for (const each of objects.configMaps) await createIfMissing(admin, configmaps, { ...each, data: { ...each.data, ...(each.metadata.name === "cluster-info" ? { "jws-kubeconfig-abcdef": "signed" } : {}) } });
  await admin.create(secrets, tokenSecret(TOKEN, undefined, ""));
  await admin.create(secrets, tokenSecret(EXPIRED, new Date(Date.now() - 60_000), ""));
}

/** What the approving and signing loops do. */
async function signRequests(): Promise<void> {
  for await (const { type, object } of admin.watch(certificatesigningrequests, {}, stop.signal)) {
    if (type !== "ADDED") continue;
    const { publicKey, subject } = parseRequest(Buffer.from(object.spec.request, "base64").toString()), certificate = signLeaf(authority, publicKey, { subject, usages: ["client"], now: new Date() });
    const approved = await admin.update(certificatesigningrequests, { ...object, status: { conditions: [{ type: "Approved", status: "True", reason: "Test", message: "" }] } }, { subresource: "approval" });
    await admin.update(certificatesigningrequests, { ...approved, status: { ...approved.status, certificate: Buffer.from(certificate).toString("base64") } }, { subresource: "status" });
  }
}

async function node(name: string, machineID: string, ready: "True" | "False"): Promise<void> {
  const made = await admin.create(nodes, { metadata: { name } } as Node);
  await admin.update(nodes, { ...made, status: { conditions: [{ type: "Ready", status: ready }], nodeInfo: { machineID, systemUUID: "", bootID: "", kernelVersion: "", osImage: "", containerRuntimeVersion: "", kubeletVersion: "", kubeProxyVersion: "", operatingSystem: "", architecture: "" } } }, { subresource: "status" });
}

const outcome = (changed: Partial<Enrollment>): Promise<string> => enroll({ server: server.url, token: TOKEN, pins: [authorityPin(server.caPem)], name: "n1", identity, now: new Date(), ...changed })
  .then(({ settings: found }) => `joined ${readCertificate(readFileSync(CLIENT_FILE)).subject.commonName} at ${found.server === server.url}`, (error: unknown) => (error as Error).message);
const forget = (): void => { for (const folder of [HOST_PATHS.config, HOST_PATHS.data]) rmSync(folder, { recursive: true, force: true }); };

await prepare();
const signing = signRequests().catch((error: unknown) => { if (!stop.signal.aborted) throw error; }), results: Record<string, string> = {};
results["wrong pin"] = await outcome({ pins: [`sha256:${"0".repeat(64)}`] });
results["unknown token"] = await outcome({ token: "zzzzzz.0123456789abcdef" });
results["expired token"] = await outcome({ token: EXPIRED });
results["wrong secret"] = await outcome({ token: "abcdef.aaaaaaaaaaaaaaaa" });
await node("n2", "b".repeat(32), "True");
results["name taken"] = await outcome({ name: "n2" });
results["clone"] = await outcome({ identity: { ...identity, machineId: "b".repeat(32) } });
results["first"] = await outcome({});
const first = readFileSync(CLIENT_FILE, "utf8");
results["again"] = await outcome({});
results["kept"] = String(readFileSync(CLIENT_FILE, "utf8") === first);
results["other name"] = await outcome({ name: "n3" });
forget();
results["after reset"] = await outcome({});
stop.abort();
await signing;
process.stdout.write(JSON.stringify(results));
process.exit(0);

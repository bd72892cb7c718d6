/**
 * A master that ages: run by aging.test.ts under libfaketime, so that TLS itself believes the date. API server, renewal and clients of all components live
 * in this process; time jumps 30 days at a step, thirteen months in all. Prints what happened as JSON.
 */
import { readFileSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { X509Certificate } from "node:crypto";
import path from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { defaultAdmission, defaultHooks } from "../../../lib/apiserver/defaults.ts";
import { startApiServer } from "../../../lib/apiserver/server.ts";
import { ServingFileReader } from "../../../lib/apiserver/serving-files.ts";
import { Credentials } from "../../../lib/client/credentials.ts";
import { createClient } from "../../../lib/client/http-client.ts";
import { loadKubeconfig } from "../../../lib/client/kubeconfig.ts";
import { ensureKubeconfig } from "../../../lib/install/credentials.ts";
import { readCertificate } from "../../../lib/pki/certificate.ts";
import { ensureClusterPki } from "../../../lib/pki/cluster-pki.ts";
import { MasterCertificates } from "../../../lib/runtime/master-certificates.ts";
import { MemoryStore } from "../../../lib/storage/memory-store.ts";
import { systemClock, type Clock } from "../../../lib/util/clock.ts";
import { silentLogger } from "../../../lib/util/logger.ts";

export interface AgingReport { readonly days: number; readonly calls: number; readonly failures: readonly string[]; readonly renewals: Readonly<Record<string, number>>; readonly daysLeft: Readonly<Record<string, number>>; readonly servedDaysLeft: number; readonly kubeletClientDaysLeft: number }
const STEP_DAYS = 30, STEPS = 14, CALLS = 3, DAY_MS = 86_400_000, ISSUER = "https://kubernetes.default.svc.cluster.local", RELOAD_MS = 50;
const [directory, timeFile, mode] = process.argv.slice(2) as [string, string, "renew" | "neglect"];
const pki = path.join(directory, "pki"), users = { "admin.conf": "kubernetes-admin", "controller-manager.conf": "system:kube-controller-manager", "scheduler.conf": "system:kube-scheduler" } as const;

/** Its durations follow the date: what is looked at every few seconds is looked at after each jump. */
const clock: Clock = { ...systemClock, monotonicMs: () => Date.now() };
const daysLeft = (certificate: X509Certificate): number => Math.floor((certificate.validToDate.getTime() - Date.now()) / DAY_MS);

function age(days: number): void {
  writeFileSync(`${timeFile}.new`, `+${days}d\n`);
  renameSync(`${timeFile}.new`, timeFile);
}

async function startMaster(signal: AbortSignal): Promise<{ url: string; reloaded: () => number }> {
  const { ca, serviceAccountKey } = ensureClusterPki({ dir: pki, advertiseAddresses: [], serviceNames: [], clock });
  const file = (name: string): string => path.join(pki, name), authorities = [ca.certificate];
  const files = new ServingFileReader({ certificateFile: file("apiserver.crt"), keyFile: file("apiserver.key"), clientCaFile: file("ca.crt"), frontProxyCaFile: file("front-proxy-ca.crt") }, silentLogger);
  const server = await startApiServer({
    store: new MemoryStore(), clock: systemClock, host: "127.0.0.1", port: 0, certificates: files.serving,
    auth: {
      clientAuthorities: () => authorities, frontProxy: undefined, serviceAccountKeys: [serviceAccountKey], serviceAccountSigningKey: serviceAccountKey, serviceAccountIssuers: [ISSUER], apiAudiences: [ISSUER],
      maxTokenExpirationSeconds: 0, extendTokenExpiration: true, tokenFile: undefined, anonymous: false, bootstrapTokens: false, authorizationModes: ["RBAC"], jwksUri: `${ISSUER}/openid/v1/jwks`,
    },
    inFlight: { readsMax: 400, writesMax: 200 }, kubernetesService: { clusterIp: "10.96.0.1", advertiseAddress: "192.0.2.1", serviceCidrs: ["10.96.0.0/16"] },
    admission: defaultAdmission({}), hooks: defaultHooks({ serviceCidrs: ["10.96.0.0/16"] }), streamHandlers: () => [],
  });
  let reloads = 0;
  files.follow((serving) => { server.setCertificates(serving); reloads += 1; }, signal, RELOAD_MS);
  for (const [name, user] of Object.entries(users)) await ensureKubeconfig(path.join(directory, name), server.url, ca, user, { subject: { commonName: user, organizations: user === "kubernetes-admin" ? ["kubeadm:cluster-admins"] : [] }, usages: ["client"], now: clock.now() });
  return { url: server.url, reloaded: () => reloads };
}

/** The certificate the server shows to who connects now. */
function shown(url: string): Promise<X509Certificate> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => { const found = socket.getPeerX509Certificate()!; socket.destroy(); resolve(found); });
    socket.once("error", reject);
  });
}

async function main(): Promise<AgingReport> {
  const stop = new AbortController(), { url, reloaded } = await startMaster(stop.signal), failures: string[] = [], renewals: Record<string, number> = {};
  const clients = Object.entries(users).map(([file, user]) => ({ user, client: createClient(loadKubeconfig(path.join(directory, file), { component: "aging" }), { clock }) }));
  const toKubelets = new Credentials({ server: "https://kubelet", caFile: path.join(pki, "ca.crt"), certificateFile: path.join(pki, "apiserver-kubelet-client.crt"), keyFile: path.join(pki, "apiserver-kubelet-client.key") }, () => clock.monotonicMs());
  const keeper = new MasterCertificates({ clock, log: silentLogger }, { directory });
  let calls = 0;
  const callAll = async (day: number): Promise<void> => {
    for (const { user, client } of clients) for (let i = 0; i < CALLS; i++) {
      calls += 1;
      try {
        const answer = await client.raw("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", { body: '{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}', headers: { "content-type": "application/json" } });
        const who = (JSON.parse(answer.body) as { status?: { userInfo?: { username?: string } } }).status?.userInfo?.username;
        if (answer.status !== 201 || who !== user) failures.push(`day ${day}: ${user} got ${answer.status} as ${who ?? "nobody"}`);
      } catch (error) { failures.push(`day ${day}: ${user}: ${(error as Error).message}`); }
    }
  };
  await callAll(0);
  for (let step = 1; step <= STEPS; step++) {
    age(step * STEP_DAYS);
    await callAll(step * STEP_DAYS); // Before anybody has looked, too.
    const before = reloaded(), renewed = mode === "renew" ? keeper.renewDue() : [];
    for (const file of renewed) renewals[path.basename(file)] = (renewals[path.basename(file)] ?? 0) + 1;
    if (renewed.some((file) => file.endsWith("apiserver.crt"))) while (reloaded() === before) await systemClock.sleep(RELOAD_MS);
    await callAll(step * STEP_DAYS);
  }
  const pairs = readdirSync(pki).filter((name) => name.endsWith(".crt") && !readCertificate(readFileSync(path.join(pki, name))).isAuthority);
  const left = Object.fromEntries(pairs.map((name) => [name, daysLeft(new X509Certificate(readFileSync(path.join(pki, name))))] as const));
  const report: AgingReport = { days: STEPS * STEP_DAYS, calls, failures, renewals, daysLeft: left, servedDaysLeft: daysLeft(await shown(url)), kubeletClientDaysLeft: daysLeft(new X509Certificate(toKubelets.tls().cert!)) };
  stop.abort();
  return report;
}

process.stdout.write(JSON.stringify(await main()));
process.exit(0);

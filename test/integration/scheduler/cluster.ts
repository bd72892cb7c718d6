/** A real API server and a real scheduler as processes of their own, with certificates and RBAC as in a cluster. No nodes but those a test makes. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { configFromKubeconfig, makeKubeconfig, writeKubeconfig, type Kubeconfig } from "../../../lib/client/kubeconfig.ts";
import { createClient } from "../../../lib/client/http-client.ts";
import type { Client } from "../../../lib/client/client.ts";
import { ensureClusterPki, type ClusterPki } from "../../../lib/pki/cluster-pki.ts";
import { issue } from "../../../lib/pki/certificate.ts";
import { privateKeyPem } from "../../../lib/pki/keys.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { freePort } from "../../free-port.ts";

export interface Cluster {
  /** As an administrator. */
  readonly client: Client;
  readonly schedulerPort: number;
  readonly directory: string;
  startScheduler(flags?: readonly string[]): ChildProcess;
  /** Polls until `read` gives something; throws with the last state of affairs. */
  until<T>(what: string, read: () => Promise<T | undefined>): Promise<T>;
  stop(): Promise<void>;
}

const root = path.resolve(import.meta.dirname, "../../..");

function kubeconfig(pki: ClusterPki, server: string, user: string, organizations: string[]): Kubeconfig {
  const pair = issue(pki.ca, { subject: { commonName: user, organizations }, usages: ["client"], now: new Date() });
  return makeKubeconfig({ cluster: "test", server, user, ca: pki.ca.certificatePem, certificate: pair.certificatePem, key: privateKeyPem(pair.key) });
}

export async function startCluster(): Promise<Cluster> {
  const directory = mkdtempSync(path.join(tmpdir(), "scheduler-it-")), pkiDirectory = path.join(directory, "pki"), file = (name: string): string => path.join(pkiDirectory, name);
  mkdirSync(pkiDirectory);
  const pki = ensureClusterPki({ dir: pkiDirectory, advertiseAddresses: ["127.0.0.1", "192.0.2.1", "10.96.0.1"], serviceNames: ["kubernetes"], clock: systemClock });
  const [port, schedulerPort] = [await freePort(), await freePort()], children: ChildProcess[] = [];
  const start = (daemon: string, flags: readonly string[]): ChildProcess => {
    const child = spawn(process.execPath, ["--no-warnings", path.join(root, "cmd", daemon, "main.ts"), ...flags], { stdio: ["ignore", "inherit", "inherit"] });
    children.push(child);
    return child;
  };
  start("kube-apiserver", [
    "--bind-address=127.0.0.1", "--advertise-address=192.0.2.1", `--secure-port=${port}`, `--data-file=${path.join(directory, "state.db")}`, `--tls-cert-file=${file("apiserver.crt")}`, `--tls-private-key-file=${file("apiserver.key")}`,
    `--client-ca-file=${file("ca.crt")}`, `--service-account-key-file=${file("sa.pub")}`, `--service-account-signing-key-file=${file("sa.key")}`, "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
    "--service-cluster-ip-range=10.96.0.0/16", "--authorization-mode=Node,RBAC", "--log-level=warn",
  ]);
  const server = `https://127.0.0.1:${port}`, client = createClient(configFromKubeconfig(kubeconfig(pki, server, "admin", ["system:masters"]), directory));
  const schedulerConfig = path.join(directory, "scheduler.conf");
  writeKubeconfig(schedulerConfig, kubeconfig(pki, server, "system:kube-scheduler", []));
  const cluster: Cluster = {
    client, schedulerPort, directory,
    startScheduler: (flags = []) => start("kube-scheduler", [`--kubeconfig=${schedulerConfig}`, "--bind-address=127.0.0.1", `--secure-port=${schedulerPort}`, `--client-ca-file=${file("ca.crt")}`, "--log-level=warn", ...flags]),
    async until(what, read) {
      for (let last: unknown, end = Date.now() + 20_000; ; await systemClock.sleep(20)) {
        try { const found = await read(); if (found !== undefined) return found; }
        catch (error) { last = error; }
        if (Date.now() > end) throw new Error(`Waited in vain for ${what}`, { cause: last });
      }
    },
    async stop() {
      client.close();
      await Promise.all(children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exited = once(child, "exit");
        child.kill("SIGTERM");
        await exited;
      }));
      rmSync(directory, { recursive: true });
    },
  };
  try { await cluster.until("the API server", async () => ((await client.raw("GET", "/readyz")).status === 200 ? true : undefined)); }
  catch (error) { await cluster.stop(); throw error; }
  return cluster;
}

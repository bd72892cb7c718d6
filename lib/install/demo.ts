/**
 * The closing check of `kaji up`: nginx behind a Service, its page fetched through the ClusterIP from a host that runs
 * none of its pods. Everything lies in one namespace of its own, so it is taken away with one delete.
 */
import type { Client } from "../client/client.ts";
import type { Deployment, Namespace, Pod, Service } from "../api/schema/generated/models.ts";
import { deployments, namespaces, pods, services } from "../api/schema/generated/references.ts";
import type { Clock } from "../util/clock.ts";
import { exec } from "../util/exec.ts";
import type { ClusterConfig } from "./cluster-config.ts";
import { enterHost } from "./hosts.ts";
import { NGINX_IMAGE } from "./images.ts";
import { createIfMissing, until, waitForObjects } from "./wait.ts";

export const DEMO_NAMESPACE = "kaji-demo";
const NAME = "nginx";
const LABELS = { app: NAME };
const READY_TIMEOUT_MS = 120_000;
const ANSWER_TIMEOUT_MS = 15_000;

const demoReplicas = (config: ClusterConfig): number => Math.max(1, Math.min(2, config.workers.length - 1));

function demoDeployment(replicas: number): Deployment {
  return {
    apiVersion: "apps/v1", kind: "Deployment", metadata: { name: NAME, namespace: DEMO_NAMESPACE, labels: LABELS },
    spec: {
      replicas, selector: { matchLabels: LABELS },
      template: {
        metadata: { name: "", labels: LABELS },
        spec: {
          topologySpreadConstraints: [{ maxSkew: 1, topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "DoNotSchedule", labelSelector: { matchLabels: LABELS } }],
          containers: [{
            name: NAME, image: NGINX_IMAGE, imagePullPolicy: "IfNotPresent", ports: [{ containerPort: 80 }],
            readinessProbe: { httpGet: { path: "/", port: 80 }, periodSeconds: 5 },
          }],
        },
      },
    },
  };
}
const demoService: Service = { apiVersion: "v1", kind: "Service", metadata: { name: NAME, namespace: DEMO_NAMESPACE }, spec: { selector: LABELS, ports: [{ port: 80, targetPort: 80 }] } };
const demoNamespace: Namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: DEMO_NAMESPACE }, spec: {} };

/** Creates what is missing of the demonstration. */
export async function ensureDemo(client: Client, config: ClusterConfig): Promise<void> {
  await createIfMissing(client, namespaces, demoNamespace);
  await createIfMissing(client, services, demoService);
  await createIfMissing(client, deployments, demoDeployment(demoReplicas(config)));
}

const isReady = (pod: Pod): boolean => pod.metadata.deletionTimestamp === undefined && pod.status?.conditions?.find((c) => c.type === "Ready")?.status === "True";

/** Waits until the wanted number of pods is Ready. Returns the hosts they run on. */
export async function waitForDemo(client: Client, config: ClusterConfig, clock: Clock): Promise<string[]> {
  const wanted = demoReplicas(config);
  const found = await waitForObjects(client, pods, DEMO_NAMESPACE, (all) => {
    const ready = all.filter(isReady).length;
    return ready >= wanted || `${ready} of ${wanted} nginx pods were Ready (see: kubectl -n ${DEMO_NAMESPACE} describe pods)`;
  }, clock, READY_TIMEOUT_MS);
  return [...new Set(found.filter(isReady).map((pod) => pod.spec.nodeName!))].sort();
}

export interface DemoAnswer { readonly clusterIp: string; readonly from: string; readonly runsPods: boolean; readonly title: string }

/** Fetches the page through the ClusterIP from a host without the pods (with one worker: from that one). */
export async function fetchDemo(client: Client, config: ClusterConfig, hostsWithPods: readonly string[], clock: Clock): Promise<DemoAnswer> {
  const service = await client.get(services, { namespace: DEMO_NAMESPACE, name: NAME });
  const clusterIp = service.spec.clusterIP!;
  const from = config.workers.find((host) => !hostsWithPods.includes(host.name)) ?? config.workers.at(-1)!;
  const page = await until(`an answer from http://${clusterIp}/ on ${from.name}`, async () => (await exec("nsenter", [...enterHost(from.name), "curl", "-sS", "--fail", "--max-time", "2", `http://${clusterIp}/`])).stdout, clock, ANSWER_TIMEOUT_MS);
  return { clusterIp, from: from.name, runsPods: hostsWithPods.includes(from.name), title: /<title>([^<]*)/.exec(page)?.[1]?.trim() ?? page.slice(0, 60) };
}

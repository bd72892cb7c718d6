/** nginx and its Service in a namespace of a test's own, and what tests ask of them. */
import type { Client } from "../../../lib/client/client.ts";
import type { Deployment, EndpointSlice, Pod } from "../../../lib/api/schema/generated/models.ts";
import { deployments, endpointslices, namespaces, pods, services } from "../../../lib/api/schema/generated/references.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { exec } from "../../../lib/util/exec.ts";
import { enterHost } from "../../../lib/install/hosts.ts";
import { NGINX_IMAGE } from "../../../lib/install/images.ts";
import { waitForObjects } from "../../../lib/install/wait.ts";

export interface Workload { readonly namespace: string; readonly name: string; readonly clusterIp: string }
const labels = { app: "web" };
export const isReady = (pod: Pod): boolean => pod.metadata.deletionTimestamp === undefined && pod.status?.conditions?.find((c) => c.type === "Ready")?.status === "True";

/** A deployment whose every page names the pod that served it. */
function deployment(namespace: string, replicas: number): Deployment {
  return {
    apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", namespace, labels },
    spec: {
      replicas, selector: { matchLabels: labels },
      template: {
        metadata: { name: "", labels },
        spec: {
          terminationGracePeriodSeconds: 2,
          containers: [{
            name: "nginx", image: NGINX_IMAGE, imagePullPolicy: "IfNotPresent", ports: [{ containerPort: 80 }],
            command: ["/bin/sh", "-c", 'hostname > /usr/share/nginx/html/index.html && exec nginx -g "daemon off;"'],
            readinessProbe: { httpGet: { path: "/", port: 80 }, periodSeconds: 1 },
          }],
        },
      },
    },
  };
}

/** Creates namespace, deployment and Service and waits until all replicas are Ready. */
export async function startWorkload(client: Client, namespace: string, replicas: number, timeoutMs?: number): Promise<Workload> {
  await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace }, spec: {} });
  const service = await client.create(services, { apiVersion: "v1", kind: "Service", metadata: { name: "web", namespace }, spec: { selector: labels, ports: [{ port: 80 }] } });
  await client.create(deployments, deployment(namespace, replicas));
  await waitForReady(client, namespace, replicas, timeoutMs);
  return { namespace, name: "web", clusterIp: service.spec.clusterIP! };
}

export async function waitForReady(client: Client, namespace: string, replicas: number, timeoutMs = 120_000): Promise<Pod[]> {
  const found = await waitForObjects(client, pods, namespace, (all) => {
    const ready = all.filter(isReady).length;
    return ready === replicas || `${ready} of ${replicas} pods were Ready`;
  }, systemClock, timeoutMs);
  await waitForObjects(client, endpointslices, namespace, (slices) => {
    const ready = readyAddresses(slices).length;
    return ready === replicas || `${ready} of ${replicas} endpoints were ready`;
  }, systemClock, timeoutMs);
  return found.filter(isReady);
}

export const readyAddresses = (slices: readonly EndpointSlice[]): string[] => slices.flatMap((slice) => slice.endpoints ?? []).filter((e) => e.conditions?.ready !== false).flatMap((e) => e.addresses);

export const removeWorkload = (client: Client, workload: Workload): Promise<void> => client.delete(namespaces, { name: workload.namespace });

/** Runs a program on a host. */
export const onHost = (host: string, ...command: string[]): Promise<{ stdout: string }> => exec("nsenter", [...enterHost(host), ...command], { timeoutMs: 300_000 });

/** Fetches `count` times, each on a connection of its own, from `host`; returns who answered, and how often. */
export async function countAnswers(host: string, clusterIp: string, count: number): Promise<Map<string, number>> {
  const { stdout } = await onHost(host, "curl", "-sS", "--fail", "--max-time", "5", "-H", "Connection: close", `http://${clusterIp}/?[1-${count}]`);
  const answers = new Map<string, number>();
  for (const name of stdout.split("\n").filter(Boolean)) answers.set(name, (answers.get(name) ?? 0) + 1);
  return answers;
}

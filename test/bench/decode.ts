/** Decoding, encoding and tracking of a typical pod: microseconds an object on one core. */
import { decodeObject } from "../../lib/api/decode/decode.ts";
import { encodeObject } from "../../lib/api/encode/encode.ts";
import { trackUpdate } from "../../lib/api/managed-fields/track-update.ts";

const container = (name: string): object => ({
  name, image: "registry.example.com/team/web:1.27.3", imagePullPolicy: "IfNotPresent", command: ["/usr/bin/web"], args: ["--port=8080", "--verbose"],
  ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }, { name: "metrics", containerPort: 9090, protocol: "TCP" }],
  env: [{ name: "LOG_LEVEL", value: "info" }, { name: "POD_IP", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "status.podIP" } } }],
  resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { cpu: "500m", memory: "256Mi" } },
  livenessProbe: { httpGet: { path: "/healthz", port: "http", scheme: "HTTP" }, initialDelaySeconds: 5, periodSeconds: 10, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 3 },
  volumeMounts: [{ name: "config", mountPath: "/etc/web", readOnly: true }, { name: "kube-api-access", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount", readOnly: true }],
  terminationMessagePath: "/dev/termination-log", terminationMessagePolicy: "File",
});

/** About 2 KB of JSON. */
const pod = {
  apiVersion: "v1", kind: "Pod",
  metadata: {
    generateName: "web-7c9f8d6b5-", namespace: "default", labels: { app: "web", "pod-template-hash": "7c9f8d6b5" }, annotations: { "example.com/owner": "team" },
    ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: "web-7c9f8d6b5", uid: "0b4f6f0e-3a3c-4a76-9d2f-5f2c0a1b2c3d", controller: true, blockOwnerDeletion: true }],
  },
  spec: {
    containers: [container("web")], restartPolicy: "Always", terminationGracePeriodSeconds: 30, dnsPolicy: "ClusterFirst", serviceAccountName: "default", schedulerName: "default-scheduler",
    tolerations: [{ key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 30 }],
    volumes: [{ name: "config", configMap: { name: "web", defaultMode: 420 } }, { name: "kube-api-access", projected: { defaultMode: 420, sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: "token" } }] } }],
  },
};

function microsecondsEach(work: () => void): number {
  const each = 2_000, rounds: number[] = [];
  for (let round = 0; round < 9; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < each; i++) work();
    rounds.push(Number(process.hrtime.bigint() - start) / 1_000 / each);
  }
  return rounds.sort((a, b) => a - b)[4]!;
}

export async function run(print: (line: Record<string, unknown>) => void): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(pod)), expected = { group: "", version: "v1", kind: "Pod" };
  const { object } = decodeObject("Pod", bytes, "Strict", { expected });
  const odd = Buffer.from(bytes.toString().replace('"100m"', "0.1"));
  const round = (value: number): number => Math.round(value * 10) / 10;
  print({ bench: "decode", what: "JSON.parse alone", bytes: bytes.length, microseconds: round(microsecondsEach(() => void JSON.parse(bytes.toString()))) });
  print({ bench: "decode", what: "decodeObject pod", bytes: bytes.length, microseconds: round(microsecondsEach(() => void decodeObject("Pod", bytes, "Strict", { expected }))) });
  print({ bench: "decode", what: "decodeObject pod, exact way", bytes: odd.length, microseconds: round(microsecondsEach(() => void decodeObject("Pod", odd, "Strict", { expected }))) });
  print({ bench: "decode", what: "JSON.stringify alone", microseconds: round(microsecondsEach(() => void JSON.stringify(object))) });
  print({ bench: "decode", what: "encodeObject pod", microseconds: round(microsecondsEach(() => void encodeObject("Pod", object))) });
  const write = { model: "Pod", apiVersion: "v1", subresource: "", hasStatus: true, manager: "bench", now: new Date() };
  const metadata = object["metadata"] as object, live = { ...object, metadata: { ...metadata, uid: "1", managedFields: trackUpdate({ ...write, live: undefined, object }) } };
  const running = { ...(JSON.parse(JSON.stringify(live)) as object), status: { phase: "Running" } };
  print({ bench: "decode", what: "trackUpdate create", microseconds: round(microsecondsEach(() => void trackUpdate({ ...write, live: undefined, object }))) });
  print({ bench: "decode", what: "trackUpdate status", microseconds: round(microsecondsEach(() => void trackUpdate({ ...write, subresource: "status", live, object: running }))) });
}

/** What a container is given: variables, command words, volumes, and how these follow changes. */
import type { ExecutionContext, TestFn } from "ava";
import { configmaps, pods, secrets } from "../../../lib/api/schema/generated/references.ts";
import { until } from "../../../lib/install/wait.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { type Lab, labTest, shell, SLEEP } from "./lab.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

async function makeSources(lab: Lab): Promise<void> {
  await lab.create(configmaps, { apiVersion: "v1", kind: "ConfigMap", metadata: lab.meta("settings"), data: { colour: "blue", "file.conf": "a=1\n" }, binaryData: { raw: Buffer.from([0, 255]).toString("base64") } });
  await lab.create(secrets, { apiVersion: "v1", kind: "Secret", metadata: lab.meta("keys"), type: "Opaque", data: { password: base64("hunter2"), user: base64("admin") } });
}

async function variables(t: ExecutionContext, lab: Lab): Promise<void> {
  await makeSources(lab);
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
  const main = shell("main", 'env; echo "WORDS=$1|$2|$3|$4"', {
    args: ["argv0", "$(PLAIN)", "$$(PLAIN)", "$(NOBODY)", "$(COMPOSED)"],
    resources: { requests: { cpu: "100m", memory: "16Mi" }, limits: { cpu: "250m" } },
    envFrom: [{ prefix: "CM_", configMapRef: { name: "settings" } }, { secretRef: { name: "keys" } }, { configMapRef: { name: "missing", optional: true } }],
    env: [
      { name: "PLAIN", value: "plain" }, { name: "COMPOSED", value: "$(PLAIN)-$(user)-$(NOBODY)" }, { name: "ESCAPED", value: "$$(PLAIN)" },
      field("NAME", "metadata.name"), field("NAMESPACE", "metadata.namespace"), field("UID", "metadata.uid"), field("LABEL", "metadata.labels['app']"), field("NOTE", "metadata.annotations['note']"),
      field("NODE", "spec.nodeName"), field("ACCOUNT", "spec.serviceAccountName"), field("HOST_IP", "status.hostIP"), field("HOST_IPS", "status.hostIPs"), field("POD_IP", "status.podIP"), field("POD_IPS", "status.podIPs"),
      { name: "CPU_LIMIT", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "1m" } } }, { name: "CPU_LIMIT_WHOLE", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
      { name: "MEMORY_REQUEST", valueFrom: { resourceFieldRef: { containerName: "main", resource: "requests.memory", divisor: "1Mi" } } },
      { name: "MEMORY_LIMIT", valueFrom: { resourceFieldRef: { resource: "limits.memory" } } }, // Not set: the node's allocatable.
      { name: "COLOUR", valueFrom: { configMapKeyRef: { name: "settings", key: "colour" } } }, { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "keys", key: "password" } } },
      { name: "ABSENT", valueFrom: { configMapKeyRef: { name: "missing", key: "k", optional: true } } }, { name: "ABSENT_KEY", valueFrom: { secretKeyRef: { name: "keys", key: "k", optional: true } } },
    ],
  });
  await lab.pod("env", [main], { restartPolicy: "Never", labels: { app: "env" }, annotations: { note: "two words" } });
  const pod = await lab.podUntil("env", "Succeeded", (p) => p.status?.phase === "Succeeded");
  const lines = (await lab.logs("env")).split("\n"), got = Object.fromEntries(lines.filter((l) => l.includes("=")).map((l) => [l.slice(0, l.indexOf("=")), l.slice(l.indexOf("=") + 1)]));
  const { hostIP, podIP } = pod.status!;
  const expected: Record<string, string> = {
    PLAIN: "plain", COMPOSED: "plain-admin-$(NOBODY)", ESCAPED: "$(PLAIN)", CM_colour: "blue", password: "hunter2", user: "admin",
    NAME: "env", NAMESPACE: lab.namespace, UID: pod.metadata.uid!, LABEL: "env", NOTE: "two words", NODE: pod.spec.nodeName!, ACCOUNT: "default", HOST_IP: hostIP!, HOST_IPS: hostIP!, POD_IP: podIP!, POD_IPS: podIP!,
    CPU_LIMIT: "250", CPU_LIMIT_WHOLE: "1", MEMORY_REQUEST: "16", COLOUR: "blue", PASSWORD: "hunter2", HOSTNAME: "env",
    KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443", KUBERNETES_PORT: "tcp://10.96.0.1:443", WORDS: "plain|$(PLAIN)|$(NOBODY)|plain-admin-$(NOBODY)",
  };
  t.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, got[name]])), expected);
  t.true(Number(got["MEMORY_LIMIT"]) > 1024 ** 2);
  t.false("ABSENT" in got || "ABSENT_KEY" in got);
}

async function volumes(t: ExecutionContext, lab: Lab): Promise<void> {
  await makeSources(lab);
  const mounts = ["config", "items", "secret", "projected", "downward", "empty", "memory"].map((name) => ({ name, mountPath: `/v/${name}`, readOnly: name === "config" }));
  await lab.readyPod("files", [shell("main", SLEEP, { volumeMounts: [...mounts, { name: "config", mountPath: "/v/one.conf", subPath: "file.conf" }, { name: "host", mountPath: "/v/host" }, { name: "empty", mountPath: "/v/expr", subPathExpr: "$(NAME)/deep" }], env: [{ name: "NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] })], {
    labels: { app: "files" },
    volumes: [
      { name: "config", configMap: { name: "settings" } }, { name: "items", configMap: { name: "settings", defaultMode: 0o400, items: [{ key: "colour", path: "nested/shade", mode: 0o640 }, { key: "raw", path: "raw" }] } },
      { name: "secret", secret: { secretName: "keys", defaultMode: 0o600 } }, { name: "empty", emptyDir: {} }, { name: "memory", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } }, { name: "host", hostPath: { path: "/etc/hostname", type: "File" } },
      { name: "downward", downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
      { name: "projected", projected: { sources: [
        { configMap: { name: "settings", items: [{ key: "colour", path: "colour" }] } }, { secret: { name: "keys", items: [{ key: "user", path: "who/user" }] } },
        { downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] } }, { serviceAccountToken: { path: "token", audience: "vault", expirationSeconds: 3_600 } },
      ] } },
    ],
  });
  const token = await lab.sh("files", "cat /v/projected/token");
  t.deepEqual(JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString()).aud, ["vault"]);
  const script = `cd /v; cat config/colour; echo; cat config/file.conf one.conf; busybox od -An -tx1 items/raw; busybox stat -L -c '%a %n' items/nested/shade items/raw secret/password empty memory; cat secret/password projected/colour projected/who/user projected/name downward/labels; echo
    touch config/x 2>&1; busybox head -c 2000000 /dev/zero > memory/big 2>/dev/null || echo full; echo kept > expr/file; cat empty/files/deep/file; busybox mount | grep -c ' /v/memory type tmpfs'`;
  t.deepEqual((await lab.sh("files", script)).split("\n"), [
    "blue", "a=1", "a=1", " 00 ff", "640 items/nested/shade", "400 items/raw", "600 secret/password", "777 empty", "777 memory", 'hunter2blueadminfilesapp="files"', "touch: config/x: Read-only file system", "full", "kept", "1",
  ]);
  // A change reaches the files while the container runs, but not a subPath.
  await lab.client.patch(configmaps, { namespace: lab.namespace, name: "settings" }, "merge", { data: { colour: "green", "file.conf": "a=2\n", more: "new" } });
  await lab.client.patch(pods, { namespace: lab.namespace, name: "files" }, "merge", { metadata: { labels: { stage: "late" } } });
  const startMs = systemClock.monotonicMs();
  await until("the new files", async () => ((await lab.sh("files", "cd /v; cat config/colour config/more projected/colour; cat downward/labels config/file.conf; cat one.conf 2>&1")) === 'greennewgreenapp="files"\nstage="late"a=2\na=1' ? true : undefined), systemClock, 60_000);
  t.log(`a change reached the files after ${((systemClock.monotonicMs() - startMs) / 1_000).toFixed(1)} s`);
  t.is(await lab.kubectl("get", "pod", "files", "-o", "jsonpath={.status.containerStatuses[0].restartCount}"), "0");
}

export function registerEnvironment(test: TestFn): void {
  labTest(test, "wl-env", "variables of every source and $(VAR) in words reach the container", variables);
  labTest(test, "wl-volumes", "volumes of every kind are there with their modes, and follow changes while the container runs", volumes);
}

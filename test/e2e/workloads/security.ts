/** Who a container runs as, what it may do, and which of the host's namespaces it shares. */
import type { ExecutionContext, TestFn } from "ava";
import { type Lab, labTest, shell, SLEEP, statusOf } from "./lab.ts";

async function identity(t: ExecutionContext, lab: Lab): Promise<void> {
  const locked = shell("main", SLEEP, {
    volumeMounts: [{ name: "data", mountPath: "/data" }, { name: "scratch", mountPath: "/tmp" }],
    securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] }, seccompProfile: { type: "RuntimeDefault" } },
  });
  await lab.readyPod("locked", [locked], {
    volumes: [{ name: "data", emptyDir: {} }, { name: "scratch", emptyDir: {} }],
    securityContext: { runAsUser: 1_000, runAsGroup: 3_000, runAsNonRoot: true, fsGroup: 2_000, supplementalGroups: [4_000] },
  });
  t.deepEqual((await lab.sh("locked", "id -u; id -g; id -G; touch /data/mine && busybox stat -c '%u %g' /data/mine; busybox stat -c '%a %g' /data; touch /nope 2>&1; grep -E '^(CapBnd|NoNewPrivs|Seccomp):' /proc/1/status | busybox tr -d '\\t'")).split("\n"), [
    "1000", "3000", "3000 2000 4000", "1000 2000", "2777 2000", "touch: /nope: Read-only file system", "CapBnd:0000000000000400", "NoNewPrivs:1", "Seccomp:2",
  ]);

  await lab.pod("root", [shell("main", SLEEP)], { securityContext: { runAsNonRoot: true } });
  const refused = await lab.podUntil("root", "CreateContainerConfigError", (p) => statusOf(p, "main")?.state?.waiting?.reason === "CreateContainerConfigError");
  t.is(statusOf(refused, "main")!.state!.waiting!.message, `container has runAsNonRoot and image will run as root (pod: "root_${lab.namespace}(${refused.metadata.uid})", container: main)`);

  await lab.readyPod("plain", [shell("main", SLEEP), shell("mighty", SLEEP, { securityContext: { privileged: true } })], { shareProcessNamespace: true, hostname: "named" });
  t.is(await lab.sh("plain", "hostname; id -u; grep CapBnd /proc/self/status | busybox tr -d '\\t'", "main"), "named\n0\nCapBnd:00000000a80425fb");
  t.is(await lab.sh("plain", "ps | grep -c '[s]leep 100000$'", "main"), "2"); // It sees the other's processes.
  t.true(Number.parseInt((await lab.sh("plain", "grep CapBnd /proc/self/status | busybox cut -f 2", "mighty")), 16) > 0xa80425fb);
}

async function hostNamespaces(t: ExecutionContext, lab: Lab): Promise<void> {
  const pod = await lab.readyPod("host", [shell("main", SLEEP, { ports: [{ containerPort: 7_999, hostPort: 7_999 }] })], { hostNetwork: true, dnsPolicy: "ClusterFirstWithHostNet", nodeName: "worker-2" });
  t.is(pod.status!.podIP, pod.status!.hostIP);
  t.is(await lab.sh("host", "hostname; busybox ip -4 -o addr show eth0 | busybox awk '{print $4}'; grep nameserver /etc/resolv.conf"), `worker-2\n${pod.status!.hostIP}/24\nnameserver 10.96.0.10`);
  t.is(await lab.kubectl("get", "pod", "host", "-o", "jsonpath={.spec.containers[0].ports[0].hostPort}"), "7999");
}

async function hostPort(t: ExecutionContext, lab: Lab): Promise<void> {
  await lab.readyPod("server", [shell("main", `hostname > /usr/share/nginx/html/index.html; exec nginx -g "daemon off;"`, { ports: [{ containerPort: 80, hostPort: 7_998 }], readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1 } })], { nodeName: "worker-2" });
  await lab.withTools("client", { nodeName: "worker-1" });
  t.is(await lab.sh("client", "/machine/bin/curl -sS --max-time 5 http://10.89.0.12:7998/"), "server");
}

export function registerSecurity(test: TestFn): void {
  labTest(test, "wl-security", "user, groups, capabilities, read-only root and seccomp are the kernel's truth", identity);
  labTest(test, "wl-host", "a pod on the host's network has its address and name, and still the cluster's DNS", hostNamespaces);
  labTest(test, "wl-hostport", "a host port leads to its pod from another host", hostPort);
}

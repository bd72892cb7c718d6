/** Three bare machines become a cluster: one master, two workers; nginx answers through its ClusterIP on a machine of its own. */
import test from "ava";
import path from "node:path";
import { until } from "../../lib/install/wait.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { bring, joinCluster, kubectl, makeMaster } from "./hosts.ts";
import { bringUp, calibrate, collectJournals, ssh, takeDown, type Machine } from "./machines.ts";
import type { VmImage } from "./image.ts";

const NGINX = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: nginx}
spec:
  replicas: 3
  selector: {matchLabels: {app: nginx}}
  template:
    metadata: {labels: {app: nginx}}
    spec:
      nodeSelector: {kubernetes.io/hostname: vm2}
      containers: [{name: nginx, image: "kaji.local/nginx:1", imagePullPolicy: IfNotPresent, ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: nginx}
spec: {selector: {app: nginx}, ports: [{port: 80}]}
`;

let image: VmImage, all: Machine[], join: string, kubeconfig: string, scale: number;
const startMs = systemClock.monotonicMs();
const said = (t: { log(text: string): void }, what: string): void => { t.log(`${((systemClock.monotonicMs() - startMs) / 1000).toFixed(0).padStart(5)} s  ${what}`); };

test.before(async (t) => {
  await takeDown();
  ({ image, machines: all } = await bringUp(3));
  said(t, "three machines are up");
  scale = await calibrate(all[0]!, image);
  t.log(`calibration: a machine is ${scale.toFixed(1)} times slower than this one`);
});
test.after.always(async (t) => {
  if (!t.passed && image !== undefined) await collectJournals(image, path.resolve(import.meta.dirname, "../../dist/vm-journals"));
  await takeDown();
});

test.serial("kaji init makes the first the master, kaji join makes the others nodes that are Ready", async (t) => {
  await Promise.all(all.map((vm) => bring(vm, image)));
  said(t, "program and bundle are there");
  ({ join, kubeconfig } = await makeMaster(all[0]!, image));
  said(t, "the master runs");
  await Promise.all(all.slice(1).map((vm) => joinCluster(vm, image, join)));
  said(t, "both workers joined");
  t.deepEqual((await kubectl(kubeconfig, ["get", "nodes", "-o", 'jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}'])).trim().split("\n"), ["vm2 True", "vm3 True"]);
});

test.serial("curl of a ClusterIP on a machine that runs none of its pods brings nginx's page", async (t) => {
  await kubectl(kubeconfig, ["apply", "-f", "-"], NGINX);
  await kubectl(kubeconfig, ["rollout", "status", "deployment/nginx", `--timeout=${Math.ceil(60 * scale)}s`]);
  said(t, "three replicas run");
  const address = await kubectl(kubeconfig, ["get", "service", "nginx", "-o", "jsonpath={.spec.clusterIP}"]);
  const page = await until("an answer", async () => (await ssh(all[2]!, image, `curl -sS --fail --max-time 20 http://${address}/`)).stdout, systemClock, 5_000 * scale);
  said(t, `${address} answers on ${all[2]!.name}`);
  t.regex(page, /<title>Welcome to nginx!<\/title>/);
});

test.serial("logs of a pod are read through the API server, which trusts the kubelet's signed certificate", async (t) => {
  t.regex(await kubectl(kubeconfig, ["logs", "deployment/nginx"]), /GET \/ HTTP/);
});

test.serial("a pin that is wrong is refused with the one that was found and the next step", async (t) => {
  const wrong = await t.throwsAsync(joinCluster(all[1]!, image, join.replace(/sha256:.*/, `sha256:${"0".repeat(64)}`)));
  t.regex(wrong.message, /Cannot trust .* has the pin sha256:[0-9a-f]{64}.*kaji token create/s);
});

test.serial("kaji reset leaves no unit, file, link, rule, mount or package of ours behind", async (t) => {
  const vm = all[2]!;
  await kubectl(kubeconfig, ["delete", "node", vm.name]);
  await ssh(vm, image, "/root/kaji reset");
  said(t, `${vm.name} is reset`);
  const left = await ssh(vm, image, "ls -d /etc/kaji /var/lib/kaji /run/kaji /var/lib/kubelet /etc/cni /usr/local/bin/kaji 2>/dev/null; ls /etc/systemd/system | grep kaji; ip -br link | grep -v -E '^(lo|eth0)'; ls -d /sys/fs/cgroup/kubepods* 2>/dev/null; grep -c kaji /proc/mounts; dpkg -l containerd 2>/dev/null | grep ^ii; true");
  t.is(left.stdout.trim(), "0");
});

/** The mission's proof: bare machines become a cluster, and nginx answers through its ClusterIP on a machine of its own. */
import type { TestFn } from "ava";
import { until } from "../../../lib/install/wait.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { KUBECONFIG, kubectl } from "../hosts.ts";
import { timed, vmTest, type VmLab } from "../lab.ts";
import { type FileHost, kajiSucceeds, moveIn, writeClusterFile } from "../operator.ts";

const LAST_WORKER = "vm3", OTHER_WORKER = "vm2";
/** On one machine, so that the other runs none of its pods. */
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
      nodeSelector: {kubernetes.io/hostname: ${OTHER_WORKER}}
      containers: [{name: nginx, image: "kaji.local/nginx:1", imagePullPolicy: IfNotPresent, ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: nginx}
spec: {selector: {app: nginx}, ports: [{port: 80}]}
`;
const NODES = 'jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}';

/** The machines of the cluster as the operator's file names them. */
export const fileHosts = (lab: VmLab): FileHost[] => lab.machines.map(({ name, address }, i) => ({ name, address, role: i === 0 ? "master" : "worker" }));

export function registerFounding(test: TestFn, lab: () => VmLab): void {
  vmTest(test, lab, "one kaji apply makes three bare machines a cluster whose nodes are Ready", async (t, lab) => {
    moveIn(lab.image);
    writeClusterFile(fileHosts(lab), lab.image.bundle);
    t.log(await timed(t, "command 1 of 3: kaji apply", () => kajiSucceeds(["apply", "--accept-new-host-keys"])));
    t.deepEqual((await kubectl(KUBECONFIG, ["get", "nodes", "-o", NODES])).trim().split("\n"), [`${OTHER_WORKER} True`, `${LAST_WORKER} True`]);
  });
}

/** Apart from founding, because between them the cluster is seen with nothing running. */
export function registerFirstPage(test: TestFn, lab: () => VmLab): void {
  vmTest(test, lab, "curl of a ClusterIP on a machine that runs none of its pods brings nginx's page", async (t, lab) => {
    await timed(t, "command 2 of 3: kubectl apply", () => kubectl(KUBECONFIG, ["apply", "-f", "-"], NGINX));
    await timed(t, "three replicas run", () => kubectl(KUBECONFIG, ["rollout", "status", "deployment/nginx", `--timeout=${Math.ceil(lab.limitMs(60_000) / 1000)}s`]));
    const page = await timed(t, `command 3 of 3: curl on ${LAST_WORKER}, which runs none of its pods`, () => firstPage(lab));
    t.regex(page, /<title>Welcome to nginx!<\/title>/);
    t.regex(await kubectl(KUBECONFIG, ["logs", "--selector=app=nginx", "--tail=-1"]), /GET \/ HTTP/, "logs come through the API server, which trusts the kubelet's signed certificate");
  });
}

/** nginx's page as the last worker gets it. */
export async function firstPage(lab: VmLab): Promise<string> {
  const address = await kubectl(KUBECONFIG, ["get", "service", "nginx", "-o", "jsonpath={.spec.clusterIP}"]);
  return until("an answer", () => lab.sh(lab.named(LAST_WORKER), `curl -sS --fail --max-time 20 http://${address}/`), systemClock, lab.limitMs(10_000));
}

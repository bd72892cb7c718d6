/** What people script with kubectl, and helm's hooks, over the real controllers: jobs, daemon sets, stateful sets and drains. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import test from "ava";
import { nodes, pods } from "../../../lib/api/schema/generated/references.ts";
import { clientsOf, type Clients } from "../apiserver/clients.ts";
import { World } from "./world.ts";

let world: World, clients: Clients;
test.before(async () => {
  world = await World.start([], ["n1", "n2", "n3"]);
  clients = clientsOf(world);
  world.ends.set("ok:1", 0);
});
test.after.always(async () => { clients.remove(); await world.stop(); });

const kubectl = (...args: string[]): Promise<string> => clients.ok(args, { timeoutMs: 120_000 });
async function apply(text: string): Promise<string> {
  const file = path.join(clients.directory, `${Math.random().toString(36).slice(2)}.yaml`);
  writeFileSync(file, text);
  return kubectl("apply", "-f", file);
}
const workload = (kind: string, name: string, image: string, more = ""): string => `
apiVersion: apps/v1
kind: ${kind}
metadata: { name: ${name} }
spec:
  selector: { matchLabels: { app: ${name} } }
${more}
  template:
    metadata: { labels: { app: ${name} } }
    spec: { containers: [ { name: c, image: "${image}" } ] }
`;

test("kubectl creates a job, waits for it, shows and describes it, and makes one from a cron job", async (t) => {
  await kubectl("create", "job", "once", "--image=ok:1");
  t.regex(await kubectl("wait", "--for=condition=complete", "--timeout=60s", "job/once"), /job\.batch\/once condition met/);
  t.regex(await kubectl("get", "job", "once"), /once\s+Complete\s+1\/1\s+/);
  t.regex(await kubectl("describe", "job", "once"), /Pods Statuses:\s+0 Active \(0 Ready\) \/ 1 Succeeded \/ 0 Failed/);
  await kubectl("create", "cronjob", "tick", "--image=ok:1", "--schedule=0 0 1 1 *");
  await kubectl("create", "job", "--from=cronjob/tick", "by-hand");
  await kubectl("wait", "--for=condition=complete", "--timeout=60s", "job/by-hand");
  await kubectl("delete", "job", "once", "--wait=true", "--timeout=60s");
  await world.until("the end of the job's pods", async () => (await world.list(pods, "batch.kubernetes.io/job-name=once")).length === 0); // Its owner goes first, the collector follows.
});

test("kubectl rolls daemon sets and stateful sets, tells their history and undoes it", async (t) => {
  for (const [kind, short, more] of [["DaemonSet", "ds", ""], ["StatefulSet", "sts", "  replicas: 2\n  serviceName: x"]] as const) {
    const name = `roll-${short}`;
    await apply(workload(kind, name, "app:1", more));
    t.regex(await kubectl("rollout", "status", `${short}/${name}`, "--timeout=90s"), /successfully rolled out|partitioned roll out complete: 2 new pods/);
    await kubectl("set", "image", `${short}/${name}`, "c=app:2");
    await kubectl("rollout", "status", `${short}/${name}`, "--timeout=90s");
    t.regex(await kubectl("rollout", "history", `${short}/${name}`), /REVISION\s+CHANGE-CAUSE\n1\s+<none>\n2\s+<none>/);
    t.regex(await kubectl("rollout", "history", `${short}/${name}`, "--revision=1"), /Image:\s+app:1/);
    await kubectl("rollout", "undo", `${short}/${name}`);
    await kubectl("rollout", "status", `${short}/${name}`, "--timeout=90s");
    t.deepEqual([...new Set((await world.list(pods, `app=${name}`)).map((p) => p.spec.containers[0]!.image))], ["app:1"]);
    await kubectl("rollout", "restart", `${short}/${name}`);
    await kubectl("rollout", "status", `${short}/${name}`, "--timeout=90s");
  }
});

test.serial("kubectl drain leaves daemons, waits for the budget, and moves the rest", async (t) => {
  await apply(workload("DaemonSet", "agent", "app:1"));
  await apply(workload("Deployment", "web", "app:1", "  replicas: 3"));
  await apply("apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: { name: web }\nspec: { maxUnavailable: 1, selector: { matchLabels: { app: web } } }\n");
  await kubectl("rollout", "status", "ds/agent", "--timeout=60s");
  await kubectl("rollout", "status", "deploy/web", "--timeout=60s");
  await world.until("budget", async () => (await kubectl("get", "pdb", "web", "-o", "jsonpath={.status.disruptionsAllowed}")) === "1");
  const [pod] = await world.list(pods, "app=web"), node = pod!.spec.nodeName!;
  const refused = await clients.kubectl(["drain", node, "--timeout=30s"]);
  t.regex(refused.stderr, /cannot delete DaemonSet-managed Pods \(use --ignore-daemonsets to ignore\)/);
  const drained = await kubectl("drain", node, "--ignore-daemonsets", "--timeout=90s");
  t.regex(drained, new RegExp(`node/${node} drained`));
  t.true((await world.list(pods, "app=web")).filter((p) => p.metadata.deletionTimestamp === undefined).every((p) => p.spec.nodeName !== node));
  t.true((await world.list(pods, "app=agent")).some((p) => p.spec.nodeName === node && p.metadata.deletionTimestamp === undefined));
  await kubectl("uncordon", node);
  t.is((await world.get(nodes, node))!.spec.unschedulable, undefined);
});

test("helm runs a chart's hooks as jobs, before and after", async (t) => {
  const chart = path.join(clients.directory, "hooked"), hook = (name: string, when: string): string => `
apiVersion: batch/v1
kind: Job
metadata:
  name: ${name}
  annotations: { helm.sh/hook: ${when}, helm.sh/hook-delete-policy: before-hook-creation }
spec:
  template: { spec: { restartPolicy: Never, containers: [ { name: c, image: "ok:1" } ] } }
`;
  mkdirSync(path.join(chart, "templates"), { recursive: true });
  writeFileSync(path.join(chart, "Chart.yaml"), "apiVersion: v2\nname: hooked\nversion: 0.1.0\n");
  writeFileSync(path.join(chart, "templates/all.yaml"), ["pre-install,pre-upgrade", "post-install"].map((when, i) => hook(`hook-${i}`, when)).join("---"));
  writeFileSync(path.join(chart, "templates/config.yaml"), "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: hooked }\n");
  const helm = async (...args: string[]) => { const { code, stdout, stderr } = await clients.helm(args); if (code !== 0) throw new Error(`helm ${args.join(" ")} ended with ${code}: ${stderr}`); return stdout; };
  await helm("install", "hooked", chart, "--timeout", "60s");
  for (const name of ["hook-0", "hook-1"]) t.regex(await kubectl("get", "job", name), /Complete\s+1\/1/);
  t.regex(await helm("upgrade", "hooked", chart, "--timeout", "60s"), /STATUS: deployed/);
  await helm("uninstall", "hooked");
});

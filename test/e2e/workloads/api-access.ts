/** Pods as clients of the API, through the Service `kubernetes` and with a token of their own. */
import type { ExecutionContext, TestFn } from "ava";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { rolebindings, roles, serviceaccounts } from "../../../lib/api/schema/generated/references.ts";
import { type Lab, labTest, MACHINE_ENV, MACHINE_MOUNT, MACHINE_VOLUME, shell, SLEEP } from "./lab.ts";

const MOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

async function inPod(t: ExecutionContext, lab: Lab): Promise<void> {
  await lab.create(serviceaccounts, { apiVersion: "v1", kind: "ServiceAccount", metadata: lab.meta("reader") });
  await lab.create(roles, { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata: lab.meta("reader"), rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] }] });
  await lab.create(rolebindings, { apiVersion: "rbac.authorization.k8s.io/v1", kind: "RoleBinding", metadata: lab.meta("reader"), roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" }, subjects: [{ kind: "ServiceAccount", name: "reader", namespace: lab.namespace }] });
  await lab.withTools("asker", { serviceAccountName: "reader" });
  const ask = (where: string): Promise<string> => lab.sh("asker", `cd ${MOUNT}; /machine/bin/curl -sS --max-time 10 --cacert ca.crt -H "Authorization: Bearer $(cat token)" -w '\\n%{http_code} %{remote_ip}' https://kubernetes.default.svc${where}`);
  const list = await ask(`/api/v1/namespaces/${lab.namespace}/pods`);
  t.regex(list, /\n200 10\.96\.0\.1$/);
  t.deepEqual((JSON.parse(list.slice(0, list.lastIndexOf("\n"))) as { items: { metadata: { name: string } }[] }).items.map((p) => p.metadata.name), ["asker"]);
  t.regex(await ask(`/api/v1/namespaces/${lab.namespace}/secrets`), new RegExp(`secrets is forbidden: User \\\\"system:serviceaccount:${lab.namespace}:reader\\\\" cannot list resource \\\\"secrets\\\\" in API group \\\\"\\\\" in the namespace \\\\"${lab.namespace}\\\\"[\\s\\S]*\\n403 10\\.96\\.0\\.1$`));
  t.is(await lab.sh("asker", `cat ${MOUNT}/namespace; ls ${MOUNT}`), `${lab.namespace}ca.crt\nnamespace\ntoken`);
  const token = await lab.sh("asker", `cat ${MOUNT}/token`);
  const claims = JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString()) as { iss: string; sub: string; "kubernetes.io": { pod: { name: string } } };
  t.deepEqual([claims.iss, claims.sub, claims["kubernetes.io"].pod.name], ["https://kubernetes.default.svc.cluster.local", `system:serviceaccount:${lab.namespace}:reader`, "asker"]);
  // The token ends with its pod.
  const as = async (): Promise<string> => (await lab.tryKubectl("--kubeconfig=/dev/null", "--server=https://10.89.0.1:6443", "--certificate-authority=/etc/kaji/pki/ca.crt", `--token=${token}`, "get", "pods", "-o", "name")).stderr;
  t.is(await as(), "");
  await lab.kubectl("delete", "pod", "asker");
  t.regex(await as(), /Unauthorized|You must be logged in/);

  await lab.readyPod("none", [shell("main", SLEEP)], { automountServiceAccountToken: false });
  t.is((await lab.trySh("none", `ls ${MOUNT}`)).code, 1);
}

async function copies(t: ExecutionContext, lab: Lab): Promise<void> {
  await lab.readyPod("store", [shell("main", `ln -s /bin/busybox /bin/tar; ${SLEEP}`, { env: [MACHINE_ENV], volumeMounts: [MACHINE_MOUNT] })], { volumes: [MACHINE_VOLUME] });
  const directory = await mkdtemp(path.join(os.tmpdir(), "kaji-copy-")), file = path.join(directory, "random");
  try {
    const bytes = Buffer.alloc(3_000_000, "not so random ");
    await writeFile(file, bytes);
    await lab.kubectl("cp", file, "store:/tmp/copy");
    t.is(await lab.sh("store", "busybox wc -c < /tmp/copy"), String(bytes.length));
    await lab.kubectl("cp", "store:/tmp/copy", `${file}.back`);
    t.true((await readFile(`${file}.back`)).equals(bytes));
  } finally { await rm(directory, { recursive: true, force: true }); }
}

export function registerApiAccess(test: TestFn): void {
  labTest(test, "wl-api", "a pod reaches the API as its service account, within what RBAC allows, and not after its end", inPod);
  labTest(test, "wl-copy", "kubectl cp carries files in and out", copies);
}

import test, { type ExecutionContext } from "ava";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { makeKubeconfig, readKubeconfig } from "../../../../lib/client/kubeconfig.ts";
import { adaptKubeconfig, forgetKubeconfig, kubeconfigFile, saveKubeconfig, serverCandidates } from "../../../../lib/install/remote/operator-kubeconfig.ts";

const user = { uid: process.getuid!(), gid: process.getgid!(), home: "/home/me" };
const admin = (authority: string) => makeKubeconfig({ cluster: "kaji", server: "https://10.0.0.1:6443", user: "kubernetes-admin", ca: authority, certificate: "C", key: "K" });
function fileOf(t: ExecutionContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), "kaji-kubeconfig-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return path.join(folder, ".kube", "config");
}

test("saveKubeconfig() merges under the cluster's name, is readable by its user only, and changes nothing the second time", async (t) => {
  const file = fileOf(t), one = adaptKubeconfig(admin("A"), "one", "https://192.0.2.1:6443"), two = adaptKubeconfig(admin("B"), "two", "https://192.0.2.2:6443");
  t.true(await saveKubeconfig(user, file, one));
  t.true(await saveKubeconfig(user, file, two));
  t.is(statSync(file).mode & 0o777, 0o600);
  const saved = readKubeconfig(file);
  t.deepEqual([saved.contexts.map((each) => each.name), saved.users.map((each) => each.name), saved["current-context"]], [["one", "two"], ["one-admin", "two-admin"], "two"]);
  t.false(await saveKubeconfig(user, file, two));
});

test("saveKubeconfig() never replaces another cluster's entry of the same name, and replaces its own when the address changed", async (t) => {
  const file = fileOf(t);
  await saveKubeconfig(user, file, adaptKubeconfig(admin("A"), "prod", "https://192.0.2.1:6443"));
  const before = readFileSync(file, "utf8");
  await t.throwsAsync(saveKubeconfig(user, file, adaptKubeconfig(admin("B"), "prod", "https://192.0.2.2:6443")), { message: /another cluster of that name is in it; give this one another name/ });
  t.is(readFileSync(file, "utf8"), before);
  t.true(await saveKubeconfig(user, file, adaptKubeconfig(admin("A"), "prod", "https://192.0.2.9:6443")));
});

test("forgetKubeconfig() takes out this cluster only", async (t) => {
  const file = fileOf(t), other = adaptKubeconfig(admin("A"), "other", "https://192.0.2.1:6443"), own = adaptKubeconfig(admin("B"), "own", "https://192.0.2.2:6443"), authority = own.clusters[0]!.cluster["certificate-authority-data"];
  t.false(await forgetKubeconfig(user, file, "own", authority));
  await saveKubeconfig(user, file, other);
  await saveKubeconfig(user, file, own);
  t.false(await forgetKubeconfig(user, file, "other", authority));
  t.true(await forgetKubeconfig(user, file, "own", authority));
  const left = readKubeconfig(file);
  t.deepEqual([left.clusters.map((each) => each.name), left.users.map((each) => each.name), left["current-context"]], [["other"], ["other-admin"], ""]);
});

test("serverCandidates() tries the address SSH used first, then what hosts use", (t) => {
  t.deepEqual(serverCandidates("https://10.0.0.1:6443", ["vm1.example", "2001:db8::1", "10.0.0.1"]), ["https://vm1.example:6443", "https://[2001:db8::1]:6443", "https://10.0.0.1:6443"]);
});

test("kubeconfigFile() is the one kubectl would change", (t) => {
  t.is(kubeconfigFile("/a", { KUBECONFIG: "/b" }, user), "/a");
  t.is(kubeconfigFile(undefined, { KUBECONFIG: ":/b:/c" }, user), "/b");
  t.is(kubeconfigFile(undefined, {}, user), "/home/me/.kube/config");
});

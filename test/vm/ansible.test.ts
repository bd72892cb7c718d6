/**
 * The same cluster from Ansible: bare machines, no Python on them; the install playbook twice, nginx through its ClusterIP, a new release, reset.
 * It is what `ansible/vagrant` and `ansible/multipass` run on machines of theirs.
 */
import test from "ava";
import { appendFileSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { packBundle, sha256 } from "../../lib/install/bundle/make-bundle.ts";
import { exec, ExecError } from "../../lib/util/exec.ts";
import { registerFirstPage } from "./cluster/founding.ts";
import { KUBECONFIG, kubectl } from "./hosts.ts";
import { timed, VmLab, vmTest } from "./lab.ts";
import { STATE } from "./machines.ts";

const ROOT = path.resolve(import.meta.dirname, "../.."), FOLDER = path.join(STATE, "ansible"), PROGRAM = path.join(ROOT, "dist/kaji"), NAME = `kaji-linux-${process.arch}`;
const TOKEN = /\b[a-z0-9]{6}\.[a-z0-9]{16}\b/;

let lab: VmLab;
const theLab = (): VmLab => lab;

/** A release's folder: program, bundle and sums. `more` is put behind the program's end, as if it were another build. */
async function makeRelease(name: string, bundle: string, more: string): Promise<string> {
  const folder = path.join(FOLDER, name), program = path.join(folder, NAME), archive = path.join(folder, `kaji-bundle-${process.arch}.tar.gz`);
  mkdirSync(folder, { recursive: true });
  if (more === "") symlinkSync(PROGRAM, program);
  else { copyFileSync(PROGRAM, program); appendFileSync(program, more); }
  await packBundle(bundle, archive);
  writeFileSync(path.join(folder, "SHA256SUMS"), `${await sha256(program)}  ${NAME}\n${await sha256(archive)}  ${path.basename(archive)}\n`);
  return folder;
}

/** The second worker is reached as a person who may use sudo, the others as root. Upstream's failure defaults, for `writeClusterFile`'s reason. */
function writeInventory({ image, machines }: VmLab, release: string): void {
  const hosts = machines.map((vm, i) => [vm.name, { ansible_host: vm.address, ansible_user: i === 2 ? "robot" : "root" }] as const);
  const vars = { ansible_ssh_private_key_file: image.sshKey, ansible_ssh_common_args: `-o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=${path.join(FOLDER, "known_hosts")}`, ansible_ssh_timeout: 60, kaji_release: release, kaji_use_bundle: true, kaji_profile: "upstream", kaji_kubeconfig: KUBECONFIG };
  const inventory = { kaji: { vars, children: { kaji_master: { hosts: Object.fromEntries(hosts.slice(0, 1)) }, kaji_nodes: { hosts: Object.fromEntries(hosts.slice(1)) } } } };
  writeFileSync(path.join(FOLDER, "inventory.yml"), JSON.stringify(inventory, null, 2));
}

interface Recap { readonly changed: number; readonly failed: number; readonly unreachable: number }
/** Runs a playbook as an operator does. Returns each host's line of the recap; throws with the end of what was said when it fails. */
async function playbook(name: string, ...more: string[]): Promise<{ recap: Record<string, Recap>; output: string }> {
  const env = { PATH: process.env["PATH"], HOME: FOLDER, LC_ALL: "C.UTF-8", ANSIBLE_NOCOLOR: "1" };
  const { stdout, stderr } = await exec("ansible-playbook", ["-v", "-i", path.join(FOLDER, "inventory.yml"), `${name}.yml`, ...more], { cwd: path.join(ROOT, "ansible"), env })
    .catch((error: unknown) => { throw error instanceof ExecError ? new Error(`${name}.yml failed:\n${error.stdout.slice(-6_000)}\n${error.stderr.slice(-2_000)}`, { cause: error }) : error; });
  const lines = [...stdout.matchAll(/^(\S+)\s+: ok=\d+\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)/gm)];
  const recap = Object.fromEntries(lines.map(([, host, changed, unreachable, failed]) => [host!, { changed: Number(changed), unreachable: Number(unreachable), failed: Number(failed) }]));
  return { recap, output: stdout + stderr };
}
const unchanged = { changed: 0, unreachable: 0, failed: 0 };
const NOTHING = { vm1: unchanged, vm2: unchanged, vm3: unchanged };

test.before(async (t) => {
  lab = await VmLab.open(t, 3);
  mkdirSync(FOLDER, { recursive: true });
  writeInventory(lab, await makeRelease("release", lab.image.bundle, ""));
});

vmTest(test, theLab, "install.yml --check looks at bare hosts and touches nothing", async (t, lab) => {
  const { recap } = await timed(t, "ansible-playbook --check", () => playbook("install", "--check"));
  t.deepEqual(Object.values(recap).map((each) => each.failed + each.unreachable), [0, 0, 0]);
  for (const vm of lab.machines) t.is(await lab.sh(vm, "ls -d /usr/bin/python3 /usr/local/bin/kaji /var/cache/kaji-bundle 2>/dev/null || true"), "", vm.name);
});

vmTest(test, theLab, "install.yml makes bare machines a cluster whose nodes are Ready, and tells no token", async (t) => {
  const { recap, output } = await timed(t, "ansible-playbook install.yml", () => playbook("install"));
  t.true(Object.values(recap).length === 3 && Object.values(recap).every((each) => each.changed > 0 && each.failed === 0));
  t.notRegex(output, TOKEN);
  t.deepEqual((await kubectl(KUBECONFIG, ["get", "nodes", "--no-headers"])).trim().split("\n").map((line) => line.split(/\s+/).slice(0, 2)), [["vm2", "Ready"], ["vm3", "Ready"]]);
  t.is((await kubectl(KUBECONFIG, ["-n", "kube-system", "get", "secrets", "--field-selector=type=bootstrap.kubernetes.io/token", "-o", "jsonpath={range .items[*]}{.data.description}{end}"])).trim().replace(Buffer.from("made by kaji init").toString("base64"), ""), "", "tokens of nodes are taken back");
});

registerFirstPage(test, theLab);

vmTest(test, theLab, "install.yml again changes nothing, with --check and without", async (t) => {
  t.deepEqual((await timed(t, "ansible-playbook install.yml, the second time", () => playbook("install"))).recap, NOTHING);
  t.deepEqual((await timed(t, "ansible-playbook install.yml --check", () => playbook("install", "--check"))).recap, NOTHING);
});

vmTest(test, theLab, "upgrade.yml puts another release on one host after another; every daemon runs it and pods go on", async (t, lab) => {
  const release = await makeRelease("next", lab.image.bundle, "another build\n"), sum = await sha256(path.join(release, NAME));
  const pods = (): Promise<string> => kubectl(KUBECONFIG, ["get", "pods", "-l", "app=nginx", "-o", "jsonpath={range .items[*]}{.metadata.uid} {.status.containerStatuses[0].containerID} {end}"]), before = await pods();
  writeInventory(lab, release);
  const { output } = await timed(t, "ansible-playbook upgrade.yml", () => playbook("upgrade"));
  t.notRegex(output, TOKEN);
  for (const vm of lab.machines) {
    const running = await lab.sh(vm, "for unit in $(systemctl list-units --plain --no-legend 'kaji-kube*' | cut -d' ' -f1); do sha256sum < /proc/$(systemctl show -p MainPID --value $unit)/exe; done | sort -u");
    t.is(running.trim(), `${sum}  -`, vm.name);
  }
  t.is(await pods(), before, "no pod and no container was started anew");
  t.deepEqual((await timed(t, "ansible-playbook upgrade.yml, the second time", () => playbook("upgrade"))).recap, NOTHING);
});

vmTest(test, theLab, "reset.yml --limit takes one node out of the cluster: drained, reset, gone", async (t) => {
  const { recap } = await timed(t, "ansible-playbook reset.yml --limit vm3", () => playbook("reset", "--limit=vm3"));
  t.deepEqual(Object.keys(recap), ["vm3"]);
  t.is((await kubectl(KUBECONFIG, ["get", "nodes", "-o", "name"])).trim(), "node/vm2");
});

vmTest(test, theLab, "reset.yml takes the cluster away, again it changes nothing", async (t, lab) => {
  await timed(t, "ansible-playbook reset.yml", () => playbook("reset"));
  for (const vm of lab.machines) {
    t.is(await lab.sh(vm, "ls -d /etc/kaji /var/lib/kaji /run/kaji /var/lib/kubelet /var/cache/kaji-bundle /usr/local/bin/kaji /etc/systemd/system/kaji-* /run/kaji-join-token 2>/dev/null || true"), "", vm.name);
  }
  t.deepEqual((await timed(t, "ansible-playbook reset.yml, the second time", () => playbook("reset"))).recap, NOTHING);
});

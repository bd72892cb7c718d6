/** What Vagrant and Multipass would be told: neither runs here, so the files are read by stand-ins. */
import test from "ava";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parse } from "yaml";
import { ANSIBLE, cloudInitSchema, environment, run } from "./programs.ts";

const work = mkdtempSync(path.join(tmpdir(), "kaji-machines-"));
test.after.always(() => { rmSync(work, { recursive: true, force: true }); });
const vagrantfile = path.join(ANSIBLE, "vagrant/Vagrantfile"), multipass = path.join(ANSIBLE, "multipass");

interface Vagrant {
  parallel: boolean;
  config: { box: string; providers: Record<string, unknown>; machines: Record<string, { hostname: string; networks: { kind: string; ip: string }[]; provisioners?: { playbook: string; config_file: string; limit: string; groups: Record<string, string[]>; host_vars: Record<string, { kaji_address: string }> }[] }> };
}

test("Vagrantfile has right syntax and asks for three machines, one after another; the last one's playbook reaches all", async (t) => {
  t.is((await run("ruby", ["-wc", vagrantfile])).output, "Syntax OK\n");
  const { code, output } = await run("ruby", [path.join(import.meta.dirname, "vagrant-stub.rb"), vagrantfile], { env: { PATH: process.env["PATH"] } });
  t.is(code, 0, output);
  const { config, parallel } = JSON.parse(output) as Vagrant, names = Object.keys(config.machines);
  t.deepEqual([names, parallel, Object.keys(config.providers)], [["master-1", "worker-1", "worker-2"], false, ["virtualbox", "libvirt"]]);
  const addresses = Object.fromEntries(names.map((name) => [name, config.machines[name]!.networks[0]!.ip]));
  t.is(new Set(Object.values(addresses)).size, 3);
  t.deepEqual(names.map((name) => config.machines[name]!.hostname), names);
  t.deepEqual(names.map((name) => config.machines[name]!.provisioners?.length ?? 0), [0, 0, 1]);
  const provision = config.machines["worker-2"]!.provisioners![0]!;
  t.is(provision.limit, "all");
  t.is(provision.playbook, path.join(ANSIBLE, "install.yml"));
  t.true(existsSync(provision.config_file));
  t.deepEqual(provision.groups, { kaji_master: ["master-1"], kaji_nodes: ["worker-1", "worker-2"], "kaji:children": ["kaji_master", "kaji_nodes"] });
  t.deepEqual(Object.fromEntries(Object.entries(provision.host_vars).map(([name, vars]) => [name, vars.kaji_address])), addresses, "a node's address is not that of its NAT interface");
});

test("cloud-init.yaml is valid for cloud-init's own schema, which refuses what is not", async (t) => {
  const good = await cloudInitSchema(path.join(multipass, "cloud-init.yaml"));
  t.deepEqual([good.code, /Valid cloud-config/.test(good.output)], [0, true], good.output);
  const broken = path.join(work, "broken.yaml");
  writeFileSync(broken, "#cloud-config\nusers: 5\n");
  const bad = await cloudInitSchema(broken);
  t.deepEqual([bad.code, /users: 5 is not/.test(bad.output)], [1, true], bad.output);
});

test("every script under ansible/ is clean for sh and shellcheck", async (t) => {
  const scripts = readdirSync(ANSIBLE, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".sh")).map((file) => path.join(ANSIBLE, file));
  t.true(scripts.length >= 3);
  for (const script of scripts) {
    t.is((await run("sh", ["-n", script])).code, 0, script);
    t.true((statSync(script).mode & 0o111) !== 0, `${script} can be run`);
  }
  const { code, output } = await run("shellcheck", ["--shell=sh", ...scripts]);
  t.is(code, 0, output);
});

/** A stand-in for Multipass: machines are files, and each command is written down. */
const STAND_IN = `#!/bin/sh
set -eu
echo "$*" >> "$STAND_IN/said"
verb=$1; shift
case "$verb" in
  info) test -f "$STAND_IN/$1" ;;
  launch) cat > "$STAND_IN/$2" ;;
  start) ;;
  exec) echo "192.0.2.1 via 10.7.0.1 dev enp0s1 src 10.7.0.$(ls "$STAND_IN" | grep -n "^$1\\$" | cut -d: -f1) uid 1000" ;;
  delete) rm "$STAND_IN/$2" ;;
  *) exit 2 ;;
esac
`;

test("up.sh launches three machines that let Ansible in and runs install.yml on them; again it launches none; down.sh deletes them", async (t) => {
  const bin = path.join(work, "bin"), machines = path.join(work, "machines"), state = path.join(work, "state of it");
  for (const folder of [bin, machines]) mkdirSync(folder);
  writeFileSync(path.join(bin, "multipass"), STAND_IN, { mode: 0o755 });
  writeFileSync(path.join(bin, "ansible-playbook"), `#!/bin/sh\necho "ansible-playbook $ANSIBLE_CONFIG $*" >> "$STAND_IN/said"\n`, { mode: 0o755 });
  const env = { ...environment(work), PATH: `${bin}:${process.env["PATH"]}`, STAND_IN: machines, KAJI_MULTIPASS_STATE: state };
  const said = (): string[] => readFileSync(path.join(machines, "said"), "utf8").trim().split("\n");

  const first = await run("sh", [path.join(multipass, "up.sh"), "--diff"], { env });
  t.is(first.code, 0, first.output);
  const launched = said().filter((line) => line.startsWith("launch"));
  t.deepEqual(launched.map((line) => line.split(" ")[2]), ["kaji-master-1", "kaji-worker-1", "kaji-worker-2"]);
  t.true(launched.every((line) => line.endsWith("--cloud-init - 24.04")));
  t.is(said().at(-1), `ansible-playbook ${multipass}/../ansible.cfg -i ${state}/inventory.yml ${multipass}/../install.yml --diff`);
  const key = readFileSync(path.join(state, "id_ed25519.pub"), "utf8").trim(), given = parse(readFileSync(path.join(machines, "kaji-worker-1"), "utf8")) as { users: [string, { ssh_authorized_keys: string[] }] };
  t.deepEqual(given.users[1].ssh_authorized_keys, [key]);
  t.is(statSync(path.join(state, "id_ed25519")).mode & 0o077, 0);
  const inventory = parse(readFileSync(path.join(state, "inventory.yml"), "utf8")) as { kaji: { children: Record<string, { hosts: Record<string, { ansible_host: string; kaji_address: string; kaji_node_name: string }> }> } };
  t.deepEqual(Object.keys(inventory.kaji.children["kaji_nodes"]!.hosts), ["kaji-worker-1", "kaji-worker-2"]);
  t.deepEqual(inventory.kaji.children["kaji_master"]!.hosts, { "kaji-master-1": { ansible_host: "10.7.0.1", kaji_address: "10.7.0.1", kaji_node_name: "master-1" } });
  const listed = await run("ansible-inventory", ["-i", path.join(state, "inventory.yml"), "--list"], { env: environment(work) });
  t.true(listed.output.includes(`UserKnownHostsFile=\\"${state}/known_hosts\\"`), listed.output);

  t.is((await run("sh", [path.join(multipass, "up.sh")], { env })).code, 0);
  t.is(said().filter((line) => line.startsWith("launch")).length, 3);
  t.is((await run("sh", [path.join(multipass, "down.sh")], { env })).code, 0);
  t.deepEqual([readdirSync(machines), existsSync(state)], [["said"], false]);
});

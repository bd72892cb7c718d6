import test from "ava";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parse } from "yaml";
import { ANSIBLE, environment, run } from "./programs.ts";

const home = mkdtempSync(path.join(tmpdir(), "kaji-ansible-"));
test.after.always(() => { rmSync(home, { recursive: true, force: true }); });
const PLAYBOOKS = readdirSync(ANSIBLE).filter((file) => file.endsWith(".yml") && !file.startsWith("inventory"));
const example = path.join(ANSIBLE, "inventory.example.yml");

test("ansible/ holds the playbooks its README names, and each has right syntax", async (t) => {
  t.deepEqual(PLAYBOOKS.toSorted(), ["install.yml", "reset.yml", "upgrade.yml"]);
  for (const playbook of PLAYBOOKS) {
    t.true(readFileSync(path.join(ANSIBLE, "README.md"), "utf8").includes(playbook), playbook);
    const { code, output } = await run("ansible-playbook", ["-i", example, "--syntax-check", playbook], { cwd: ANSIBLE, env: environment(home) });
    t.is(code, 0, output);
  }
});

test("ansible/ is clean for ansible-lint's strictest profile", async (t) => {
  const { code, output } = await run("ansible-lint", ["--offline", "--nocolor", "-p", ...PLAYBOOKS, "inventory.example.yml", "roles"], { cwd: ANSIBLE, env: environment(home) });
  t.is(code, 0, output);
  const counts = /Passed with production profile: 0 failure\(s\), 0 warning\(s\) on (\d+) files/.exec(output);
  t.true(Number(counts?.[1]) >= 20, output);
});

test("inventory.example.yml is an inventory, and every setting it speaks of is one the roles know, with the default it tells", async (t) => {
  const { code, output } = await run("ansible-inventory", ["-i", example, "--list"], { cwd: ANSIBLE, env: environment(home) });
  t.is(code, 0, output);
  t.deepEqual((JSON.parse(output) as Record<string, { hosts?: string[] }>)["kaji_nodes"]?.hosts, ["worker-1", "worker-2"]);
  const defaults = parse(readFileSync(path.join(ANSIBLE, "roles/kaji_common/defaults/main.yml"), "utf8")) as Record<string, unknown>;
  const spoken = [...readFileSync(example, "utf8").matchAll(/# (kaji_\w+): (\S+)/g)].map(([, name, value]) => [name!, parse(value!) as unknown] as const);
  t.true(spoken.length >= 6);
  for (const [name, value] of spoken) {
    t.true(name in defaults, name);
    if (/cidr|use_bundle|names/.test(name)) t.deepEqual(defaults[name], value, name);
  }
});

test("install-packages.sh unpacks what follows its last line and hands dpkg every package", async (t) => {
  const script = path.join(home, "install.sh"), bin = path.join(home, "bin"), packed = path.join(home, "packed");
  await run("mkdir", ["-p", bin, packed]);
  for (const name of ["a.deb", "b.deb"]) writeFileSync(path.join(packed, name), `package ${name}`);
  // Fails at first, as dpkg does where one package must be there before another.
  writeFileSync(path.join(bin, "dpkg"), `#!/bin/sh\nprintf '%s ' "$1" "$2" "$3" >> ${home}/said; shift 3; cat "$@" >> ${home}/said; echo >> ${home}/said; [ "$(wc -l < ${home}/said)" -ge 2 ]\n`, { mode: 0o755 });
  await run("sh", ["-c", '{ cat "$1" && tar -C "$2" -cf - . ; } > "$3"', "sh", path.join(ANSIBLE, "roles/kaji_prepare/files/install-packages.sh"), packed, script]);
  const { code, output } = await run("sh", [script], { env: { ...process.env, PATH: `${bin}:${process.env["PATH"]}` } });
  t.is(code, 0, output);
  const line = "--install --refuse-downgrade --skip-same-version package a.debpackage b.deb";
  t.deepEqual(readFileSync(path.join(home, "said"), "utf8").trim().split("\n"), [line, line]);
});

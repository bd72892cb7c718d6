import test, { type ExecutionContext } from "ava";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { REMOTE_COMMANDS } from "../../../../cmd/kaji/remote-commands.ts";
import { parseClusterFile } from "../../../../lib/install/remote/cluster-file.ts";

const run = (command: string, ...args: string[]) => REMOTE_COMMANDS[command]!.run(args);
function folderOf(t: ExecutionContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), "kaji-remote-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("kaji config new writes a file for the hosts that were named, and replaces none unless told to", async (t) => {
  const file = path.join(folderOf(t), "c.yaml");
  await run("config", "new", file, "--name", "prod", "--master", "root@192.0.2.1", "--worker", "bob@192.0.2.2,192.0.2.3");
  const spec = parseClusterFile(readFileSync(file, "utf8"), file, "/");
  t.deepEqual([spec.name, ...spec.hosts.map((host) => `${host.reach.user}@${host.reach.address}`)], ["prod", "root@192.0.2.1", "bob@192.0.2.2", "root@192.0.2.3"]);
  await t.throwsAsync(async () => run("config", "new", file), { message: /Cannot write .*c\.yaml: it is there already; name another file, or give --force/ });
  await run("config", "new", file, "--force");
  t.is(parseClusterFile(readFileSync(file, "utf8"), file, "/").name, "kaji");
});

test("commands for many hosts say what to type when no hosts are named, or are named twice", async (t) => {
  const none = path.join(folderOf(t), "none.yaml");
  for (const command of ["plan", "apply", "delete"]) await t.throwsAsync(async () => run(command, "-f", none), { message: new RegExp(`Cannot find .*none\\.yaml: "kaji config new" writes one, or name hosts: kaji ${command} --master`) });
  await t.throwsAsync(async () => run("apply", "-f", none, "--master", "a"), { message: /Cannot use --file with --master/ });
  await t.throwsAsync(async () => run("exec", "-f", none), { message: /Usage: kaji exec .* -- COMMAND/ });
  await t.throwsAsync(async () => run("exec", "-f", none, "--", "cat", "-f", "x"), { message: /Cannot find .*none\.yaml/ }, "what follows -- is the command's");
  await t.throwsAsync(async () => run("plan", "extra"), { message: /takes no arguments, got "extra"/ });
});

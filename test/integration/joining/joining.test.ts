/** A host joins a real API server: each thing that can be wrong ends in one message with what was found and the next step, and a second run finishes. */
import test from "ava";
import path from "node:path";
import { exec } from "../../../lib/util/exec.ts";

const TIMEOUT_MS = 180_000;
/** Changes to /etc and /var/lib stay in the namespace. */
const SHELL = 'set -e; mount -t tmpfs tmpfs /mnt; for each in etc var/lib; do mkdir -p /mnt/$each.up /mnt/$each.work; mount -t overlay overlay -o lowerdir=/$each,upperdir=/mnt/$each.up,workdir=/mnt/$each.work /$each; done; exec "$@"';

test("kaji join says of each obstacle what was found and what to do, and keeps what an earlier run got", async (t) => {
  t.timeout(TIMEOUT_MS);
  const { stdout } = await exec("unshare", ["--mount", "sh", "-c", SHELL, "sh", process.execPath, path.join(import.meta.dirname, "joining-host.ts")], { timeoutMs: TIMEOUT_MS }), results = JSON.parse(stdout) as Record<string, string>;
  const says = (what: string, pattern: RegExp): void => { t.regex(results[what] ?? "", pattern, what); };
  says("wrong pin", /^Cannot trust https:.* has the pin sha256:[0-9a-f]{64}, wanted sha256:0+: .*kaji token create --print-join-command/);
  says("unknown token", /^Cannot join: the cluster knows no token zzzzzz: it has expired.*kaji token create --print-join-command/);
  says("expired token", /^Cannot join: the cluster knows no token expire: it has expired/);
  says("wrong secret", /^Cannot join: the cluster knows token abcdef, but with another secret: copy the whole token/);
  says("name taken", /^Cannot join as "n2": a node of that name is in the cluster and Ready: give this host another name/);
  says("clone", /^Cannot join: this host has the machine-id of node "n2": it is a clone of it: .*systemd-machine-id-setup/);
  says("other name", /^Cannot join: this host is node n1 of the cluster already, wanted node n3/);
  for (const what of ["first", "again", "after reset"]) t.is(results[what], "joined system:node:n1 at true", what);
  t.is(results["kept"], "true");
});

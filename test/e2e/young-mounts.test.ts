/** Hosts are made inside a container as on a machine: beside a mount namespace younger than the machine the kernel may refuse to pin another. */
import test from "ava";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { exec } from "../../lib/util/exec.ts";
import { requireRoot } from "./cluster/cluster.ts";

const PINS = 40;
/** Pins namespaces one after another, and says how many are mount points afterwards. */
const PINNING = `
import { readFileSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { pinMounts } from ${JSON.stringify(path.resolve("lib/install/hosts.ts"))};
const folder = process.argv.at(-1);
execFileSync("mount", ["-t", "tmpfs", "pins", folder]);
for (let i = 0; i < ${PINS}; i++) { writeFileSync(folder + "/" + i, ""); await pinMounts(folder + "/" + i); }
process.stdout.write(String(readFileSync("/proc/self/mountinfo", "utf8").split("\\n").filter((line) => line.split(" ")[4]?.startsWith(folder + "/")).length));
`;

test.before(() => requireRoot());

test("mount namespaces are pinned inside a fresh one, whatever their numbers", async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), "kaji-pins-"));
  try {
    for (let round = 0; round < 3; round++) {
      const { stdout } = await exec("unshare", ["--mount", "--propagation", "private", "--", process.execPath, "--no-warnings", "--input-type=module-typescript", "-e", PINNING, "--", folder]);
      t.is(stdout, String(PINS));
    }
  } finally { rmSync(folder, { recursive: true, force: true }); }
});

/** The client programs other suites run are there whole, however many ask for them first. */
import test from "ava";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { exec } from "../../lib/util/exec.ts";

test("clientProgram() gives a program that runs, to processes and callers that unpack at the same time", async (t) => {
  const parent = mkdtempSync(path.join(tmpdir(), "client-programs-")), module = path.resolve(import.meta.dirname, "../kubectl.ts");
  t.teardown(() => rmSync(parent, { recursive: true }));
  t.timeout(600_000); // Two archives of 120 MB on a machine that may be busy.
  const script = `
    import { execFileSync } from "node:child_process";
    import { clientProgram } from ${JSON.stringify(module)};
    const programs = await Promise.all([clientProgram("kubectl", { directory: process.argv[1] }), clientProgram("helm", { directory: process.argv[1] })].map(async (program) => {
      const file = await program;
      return execFileSync(file, file.endsWith("helm") ? ["version", "--short"] : ["version", "--client"], { encoding: "utf8" });
    }));
    console.log(programs.join(""));`;
  const runs = await Promise.all([1, 2].map(() => exec(process.execPath, ["--no-warnings", "--input-type=module", "-e", script, path.join(parent, "programs")], { timeoutMs: 500_000 })));
  for (const { stdout } of runs) t.regex(stdout, /^Client Version: v1\.35\.2\n(.*\n)*v4\.1\.4/);
  t.deepEqual(readdirSync(parent), ["programs"]); // Nothing half done is left.
});

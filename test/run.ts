/**
 * Runs every suite but the VM tests, one after the other, and prints as its last line `N passed, N failed`.
 * A missing part (a program, root) is a failure, never a silent skip. Arguments name suites; none means all.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { existsSync } from "node:fs";
import path from "node:path";
import { installPackages, IMAGE_REQUIREMENTS, missingPackages, REQUIREMENTS, type Requirement } from "../lib/install/packages.ts";
import { missingPythonClient } from "./python-client.ts";

const root = path.resolve(import.meta.dirname, "..");
const bin = (name: string): string => path.join(root, "node_modules/.bin", name);
const print = (text: string): void => { process.stdout.write(`${text}\n`); };

/** Programs only the tests use. */
const TEST_REQUIREMENTS: readonly Requirement[] = [
  { program: "sshd", debianPackage: "openssh-server", why: "hosts over SSH" },
  { program: "ssh-agent", debianPackage: "openssh-client", why: "hosts over SSH" },
  { program: "sudo", debianPackage: "sudo", why: "hosts over SSH" },
  { program: "busybox", debianPackage: "busybox-static", why: "endpoints and images of tests" },
  { program: "socat", debianPackage: "socat", why: "UDP senders" },
  { program: "strace", debianPackage: "strace", why: "seeing the store's fdatasync" },
  { program: "dockerd", debianPackage: "docker.io", why: "loading images from a Docker engine" },
  { program: "docker-registry", debianPackage: "docker-registry", why: "pulling images from a real registry" },
  { program: "faketime", debianPackage: "faketime", why: "ageing a cluster by months" },
  { program: "ansible-lint", debianPackage: "ansible-lint", why: "the playbooks" },
  { program: "ruby", debianPackage: "ruby", why: "reading the Vagrantfile" },
  { program: "openssl", debianPackage: "openssl", why: "certificates of clients' sessions" },
  { program: "shellcheck", debianPackage: "shellcheck", why: "scripts under ansible/" },
  { program: "qemu-aarch64-static", debianPackage: "qemu-user-static", why: "starting the arm64 build" },
];

/** Our node first, then the machine's programs: packages bring some of the same name (`nft`). */
const programPath = [path.dirname(process.execPath), ...(process.env["PATH"] ?? "").split(":").filter((directory) => !directory.endsWith("node_modules/.bin"))].join(":");

/** Types stripped and code compiled once for all workers of all suites: half of what the unit tests cost. */
const COMPILED = path.join(root, "node_modules/.cache/compiled");

interface Suite { name: string; command: string[]; tap: boolean; root?: string }
const SUITES: readonly Suite[] = [
  { name: "types", command: [bin("tsc"), "--noEmit"], tap: false },
  { name: "lint", command: [bin("oxlint"), "--type-aware", "--deny-warnings"], tap: false },
  { name: "unit", command: [bin("ava"), "--tap"], tap: true, root: "test/unit" },
  { name: "integration", command: [bin("ava"), "--config", "test/integration/ava.config.mjs", "--tap"], tap: true, root: "test/integration" },
  { name: "ansible", command: [bin("ava"), "--config", "test/ansible/ava.config.mjs", "--tap"], tap: true, root: "test/ansible" },
  { name: "e2e", command: [bin("ava"), "--config", "test/e2e/ava.config.mjs", "--tap"], tap: true, root: "test/e2e" },
];

interface Outcome { passed: number; failed: number; failedTitles: string[] }

/** The file a TAP title comes from: its first words are the path below the suite's folder. */
function fileOfTitle(suiteRoot: string, title: string): string | undefined {
  const words = title.split(" › ");
  for (let n = words.length - 1; n > 0; n -= 1) {
    const file = path.join(suiteRoot, `${words.slice(0, n).join("/")}.test.ts`);
    if (existsSync(path.join(root, file))) return file;
  }
  return undefined;
}

/** Runs one suite. TAP is counted and only failures are shown; other output is shown as it is. */
async function runSuite(suite: Suite): Promise<Outcome> {
  const startMs = performance.now();
  const child = spawn(suite.command[0]!, suite.command.slice(1), { cwd: root, stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, PATH: programPath, NODE_COMPILE_CACHE: COMPILED } });
  const ended = new Promise<number>((resolve) => { child.once("exit", (code) => resolve(code ?? 1)); child.once("error", () => resolve(127)); });
  const outcome: Outcome = { passed: 0, failed: 0, failedTitles: [] };
  let inFailure = false;
  for await (const line of createInterface({ input: child.stdout })) {
    const result = suite.tap ? /^(not )?ok \d+/.exec(line) : null;
    if (result !== null) {
      inFailure = result[1] !== undefined;
      outcome[inFailure ? "failed" : "passed"] += 1;
      if (inFailure) outcome.failedTitles.push(line.replace(/^not ok \d+ - /, ""));
    }
    if (!suite.tap || inFailure || /^(Bail out!|#.*(exception|rejection|exited|timed out))/i.test(line)) print(`  ${line}`);
  }
  const code = await ended;
  if (!suite.tap) outcome[code === 0 ? "passed" : "failed"] += 1;
  else if ((code !== 0 && outcome.failed === 0) || outcome.passed + outcome.failed === 0) {
    outcome.failed += 1; // A crash, or a suite that ran nothing, is a failure too.
    print(`  ${suite.name}: exit code ${code} after ${outcome.passed} passed tests`);
  }
  print(`${suite.name}: ${outcome.passed} passed, ${outcome.failed} failed (${((performance.now() - startMs) / 1000).toFixed(1)} s)`);
  return outcome;
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !SUITES.some((suite) => suite.name === name));
if (unknown.length > 0) throw new Error(`There is no suite ${unknown.join(", ")}; suites: ${SUITES.map((suite) => suite.name).join(", ")}`);
await installPackages([...new Set([...(await missingPackages(REQUIREMENTS)), ...(await missingPackages([...IMAGE_REQUIREMENTS, ...TEST_REQUIREMENTS])), ...(await missingPythonClient())])]);
await (await import("../lib/api/schema/generate.ts")).generate();
/**
 * Runs a suite; files in which a test failed are run once more, alone. What passes then is named as unsteady, loudly: it waits
 * for repair, but a busy machine does not hide what the rest of the change does.
 */
async function runTwiceIfNeeded(suite: Suite): Promise<Outcome> {
  const first = await runSuite(suite);
  const files = suite.root === undefined ? [] : first.failedTitles.map((title) => fileOfTitle(suite.root!, title));
  if (files.length === 0 || files.length !== first.failed || files.includes(undefined)) return first;
  const alone = [...new Set(files as string[])];
  print(`UNSTEADY? running once more, alone: ${alone.join(" ")}`);
  const second = await runSuite({ ...suite, name: `${suite.name}, again`, command: [...suite.command, ...alone] });
  if (second.failed > 0) return first;
  for (const title of first.failedTitles) print(`UNSTEADY: failed once, passed alone: ${title}`);
  return { passed: first.passed + first.failed, failed: 0, failedTitles: [] };
}

const total: Outcome = { passed: 0, failed: 0, failedTitles: [] };
for (const suite of SUITES.filter((s) => wanted.length === 0 || wanted.includes(s.name))) {
  const outcome = await runTwiceIfNeeded(suite);
  total.passed += outcome.passed;
  total.failed += outcome.failed;
}
print(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;

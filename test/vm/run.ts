/**
 * `npm run test:vm [-- SUITE…] [--keep]`: makes the image and the machines' network, then runs the suites inside that network, so that tests,
 * kubectl and `kaji` stand beside the machines as an operator does. Suites share nothing but the image; within one the machines are shared.
 * `--keep` leaves machines and cluster as they are at the end, and takes them as they are at the start; `--match=PATTERN` runs some tests
 * only: for writing tests.
 */
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import path from "node:path";
import { installPackages, missingPackages } from "../../lib/install/packages.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { clientProgram } from "../kubectl.ts";
import { ensureImage } from "./image.ts";
import { ensureNetwork, NETNS } from "./network.ts";
import { takeDown } from "./machines.ts";

const root = path.resolve(import.meta.dirname, "../.."), bin = (name: string): string => path.join(root, "node_modules/.bin", name);
/** The shortest way to the product's proof first. */
const ORDER = ["cluster", "ansible", "faults"];
/** Suites that are one story: a failed test leaves the machines in a state that the next ones do not know. */
const STORIES = ["cluster", "ansible"];
const suites = readdirSync(import.meta.dirname).flatMap((file) => (file.endsWith(".test.ts") ? [file.slice(0, -".test.ts".length)] : [])).toSorted((a, b) => (ORDER.indexOf(a) + 99) % 99 - (ORDER.indexOf(b) + 99) % 99);

const wanted = process.argv.slice(2).filter((each) => !each.startsWith("--")), keep = process.argv.includes("--keep");
const matches = process.argv.filter((each) => each.startsWith("--match="));
const unknown = wanted.filter((name) => !suites.includes(name));
if (unknown.length > 0) throw new Error(`There is no suite ${unknown.join(", ")}; suites: ${suites.join(", ")}`);
if (process.getuid!() !== 0) throw new Error("The VM tests need root: they make a network namespace and tap devices");

await installPackages(await missingPackages([{ program: "ansible-playbook", debianPackage: "ansible-core", why: "suite ansible" }, { program: "busybox", debianPackage: "busybox-static", why: "unpacks kubectl" }]));
await ensureImage();
await clientProgram("kubectl");
await ensureNetwork();
for (const suite of suites.filter((name) => wanted.length === 0 || wanted.includes(name))) {
  const startMs = systemClock.monotonicMs();
  const child = spawn("nsenter", [`--net=${NETNS}`, "--", bin("ava"), "--config", "test/vm/ava.config.mjs", `test/vm/${suite}.test.ts`, ...(STORIES.includes(suite) ? ["--fail-fast"] : []), ...matches], {
    cwd: root, stdio: "inherit", env: { ...process.env, PATH: `${path.dirname(process.execPath)}:${process.env["PATH"] ?? ""}`, KAJI_VM_KEEP: keep ? "1" : "" },
  });
  const code = await new Promise<number>((resolve) => { child.once("exit", (exitCode) => resolve(exitCode ?? 1)); });
  process.stdout.write(`${suite}: ${code === 0 ? "passed" : "failed"} after ${((systemClock.monotonicMs() - startMs) / 60_000).toFixed(1)} min\n`);
  if (code !== 0) process.exitCode = 1;
}
if (!keep) await takeDown();

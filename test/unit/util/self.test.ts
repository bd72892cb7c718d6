import test from "ava";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execFileSync } from "node:child_process";
import { pathToFileURL } from "node:url";
import { form, selfCommand, startWorker } from "../../../lib/util/self.ts";
import { build } from "esbuild";

const directory = mkdtempSync(path.join(tmpdir(), "self-"));
test.after.always(() => rmSync(directory, { recursive: true }));
const workerFile = path.join(directory, "echo.ts");
writeFileSync(workerFile, 'import { parentPort, workerData } from "node:worker_threads"; parentPort!.postMessage(`echo ${workerData as string}`);');

test("startWorker() runs the module itself when we run from source", async (t) => {
  t.is(form(), "source");
  const worker = startWorker({ name: "echo", source: pathToFileURL(workerFile) }, { workerData: "hello" });
  t.deepEqual(await once(worker, "message"), ["echo hello"]);
  await worker.terminate();
});

test("selfCommand() from source is this node and the multi-call entry", (t) => {
  const { command, args } = selfCommand(["kubelet", "--v=2"]);
  t.is(command, process.execPath);
  t.deepEqual(args.slice(1), ["kubelet", "--v=2"]);
  t.true(args[0]!.endsWith("cmd/kaji/main.ts"));
});

const program = `
  import { form, startWorker } from ${JSON.stringify(path.resolve("lib/util/self.ts"))};
  startWorker({ name: "echo", source: new URL("file:///nowhere.ts") }, { workerData: form() }).on("message", (text) => { process.stdout.write(text); });`;

test("startWorker() finds its worker beside a bundle", async (t) => {
  await build({ stdin: { contents: program, resolveDir: directory, loader: "ts" }, bundle: true, platform: "node", format: "esm", outfile: path.join(directory, "kaji.mjs"), logLevel: "error" });
  await build({ entryPoints: [workerFile], bundle: true, platform: "node", format: "esm", outfile: path.join(directory, "workers", "echo.mjs"), logLevel: "error" });
  t.is(execFileSync(process.execPath, [path.join(directory, "kaji.mjs")], { encoding: "utf8" }), "echo bundle");
});

test("startWorker() finds its worker inside a single executable", async (t) => {
  const main = path.join(directory, "main.cjs"), asset = path.join(directory, "echo.cjs"), executable = path.join(directory, "kaji"), config = path.join(directory, "sea.json");
  await build({ stdin: { contents: program, resolveDir: directory, loader: "ts" }, bundle: true, platform: "node", format: "cjs", outfile: main, logLevel: "error", define: { "import.meta.url": JSON.stringify(pathToFileURL(executable).href) } });
  await build({ entryPoints: [workerFile], bundle: true, platform: "node", format: "cjs", outfile: asset, logLevel: "error" });
  writeFileSync(config, JSON.stringify({ main, output: executable, disableExperimentalSEAWarning: true, assets: { echo: asset } }));
  execFileSync(process.execPath, ["--build-sea", config], { stdio: "pipe" });
  t.true(existsSync(executable));
  t.is(execFileSync(executable, { encoding: "utf8" }), "echo executable");
});

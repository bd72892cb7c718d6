/** `kaji image load`: a tar file, and an image out of a real Docker engine, into every host. */
import type { TestFn } from "ava";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import Docker from "dockerode";
import { packImage } from "../../../lib/install/images.ts";
import { unmountAll } from "../../../lib/host/mounts.ts";
import { until } from "../../../lib/install/wait.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { exec } from "../../../lib/util/exec.ts";
import { expectSuccess, kaji } from "./cluster.ts";
import { onHost } from "./workload.ts";

const HOSTS = ["worker-1", "worker-2", "worker-3"];
const hasImage = async (host: string, reference: string): Promise<boolean> => (await onHost(host, "ctr", "-n", "k8s.io", "images", "list", "-q")).stdout.split("\n").includes(reference);

/** An image of one file. */
async function makeArchive(work: string, reference: string): Promise<string> {
  const layer = path.join(work, "layer.tar"), file = path.join(work, "image.tar");
  await exec("tar", ["-C", "/etc", "-cf", layer, "hostname"]);
  await packImage(reference, layer, { Cmd: ["/none"] }, file);
  return file;
}

export function registerImages(test: TestFn): void {
  test.serial("kaji image load FILE puts the image on every host", async (t) => {
    const work = mkdtempSync(path.join(tmpdir(), "kaji-e2e-"));
    try {
      const { stdout } = expectSuccess(await kaji("image", "load", await makeArchive(work, "example.test/from-file:1")), "kaji image load");
      t.regex(stdout, /Loaded example\.test\/from-file:1 into 3 hosts/);
      for (const host of HOSTS) t.true(await hasImage(host, "example.test/from-file:1"), host);
      const missing = await kaji("image", "load", "./nowhere.tar");
      t.deepEqual([missing.code, missing.stderr], [1, 'Error: Cannot load image: file "./nowhere.tar" does not exist\n']);
    } finally { rmSync(work, { recursive: true }); }
  });

  test.serial("kaji image load IMAGE takes it out of a Docker engine, and says when there is none", async (t) => {
    const work = mkdtempSync(path.join(tmpdir(), "kaji-e2e-")), socket = path.join(work, "docker.sock");
    process.env["DOCKER_HOST"] = `unix://${socket}`; // For dockerode, here and in the command.
    t.regex((await kaji("image", "load", "busybox")).stderr, /Cannot load image "busybox": it is no file, and no Docker engine answers/);
    // An engine of the test's own: no bridge and no rules, so that nothing of the machine is touched.
    const engine = spawn("dockerd", ["--host", `unix://${socket}`, "--data-root", path.join(work, "data"), "--exec-root", path.join(work, "exec"), "--pidfile", path.join(work, "pid"), "--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--storage-driver=vfs"], { stdio: "ignore" });
    const ended = new Promise<void>((resolve) => { engine.once("exit", () => resolve()); });
    try {
      const docker = new Docker();
      await until("an answer of the Docker engine", () => docker.ping(), systemClock, 60_000);
      await docker.loadImage(await makeArchive(work, "example.test/from-docker:2"));
      await until("the image in the engine", async () => ((await docker.listImages()).some((i) => i.RepoTags?.includes("example.test/from-docker:2") === true) ? true : undefined), systemClock, 30_000);
      t.regex(expectSuccess(await kaji("image", "load", "example.test/from-docker:2"), "kaji image load").stdout, /Loaded example\.test\/from-docker:2 into 3 hosts/);
      for (const host of HOSTS) t.true(await hasImage(host, "example.test/from-docker:2"), host);
      t.regex((await kaji("image", "load", "example.test/never:1")).stderr, /Docker says: .+pull or build it first/);
    } finally {
      engine.kill("SIGTERM");
      await ended;
      delete process.env["DOCKER_HOST"];
      await unmountAll(work); // Where the machine's mounts are private, the engine makes its folder a mount, and may leave it.
      rmSync(work, { recursive: true, force: true });
    }
  });
}

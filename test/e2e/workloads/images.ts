/** Images: from a file into every host, from a real registry by policy and with credentials, and what a failed pull looks like. */
import type { ExecutionContext, TestFn } from "ava";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { Pod } from "../../../lib/api/schema/generated/models.ts";
import { secrets } from "../../../lib/api/schema/generated/references.ts";
import { enterHost } from "../../../lib/install/hosts.ts";
import { until } from "../../../lib/install/wait.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { exec } from "../../../lib/util/exec.ts";
import { expectSuccess, kaji } from "../cluster/cluster.ts";
import { onHost } from "../cluster/workload.ts";
import { busyboxLayer, writeImage } from "../kubelet/image-archive.ts";
import { type Lab, labTest, shell, SLEEP, statusOf, TOOLS_IMAGE } from "./lab.ts";

const REGISTRY = "10.89.0.11:5000", REGISTRY_HOST = "worker-1", PULLING_HOST = "worker-2", USER = "puller", PASSWORD = "open sesame";

/** Loads the tests' own image as a user would. */
export async function loadToolsImage(): Promise<void> {
  const directory = await mkdtemp(path.join(os.tmpdir(), "kaji-tools-"));
  try {
    const file = path.join(directory, "tools.tar");
    await writeImage(file, TOOLS_IMAGE, await busyboxLayer(), { Cmd: ["/bin/sh"], Env: ["PATH=/bin"] });
    expectSuccess(await kaji("image", "load", file), "kaji image load");
  } finally { await rm(directory, { recursive: true, force: true }); }
}

/** A registry that wants a password, in the network of a host, and the way to it for both hosts' containerd. */
class Registry {
  readonly #directory: string;
  readonly #process: ChildProcess;
  private constructor(directory: string, process: ChildProcess) { this.#directory = directory; this.#process = process; }

  static async start(): Promise<Registry> {
    const directory = await mkdtemp(path.join(os.tmpdir(), "kaji-registry-"));
    const { stdout: hash } = await exec("python3", ["-c", "import crypt, sys; print(crypt.crypt(sys.argv[1], crypt.mksalt(crypt.METHOD_BLOWFISH)))", PASSWORD]);
    await writeFile(path.join(directory, "htpasswd"), `${USER}:${hash}`);
    await writeFile(path.join(directory, "config.yml"), `version: 0.1\nlog: {level: warn}\nstorage: {filesystem: {rootdirectory: ${directory}/data}, delete: {enabled: true}}\nhttp: {addr: "${REGISTRY}"}\nauth: {htpasswd: {realm: tests, path: ${directory}/htpasswd}}\n`);
    const registry = new Registry(directory, spawn("nsenter", [...enterHost(REGISTRY_HOST), "docker-registry", "serve", path.join(directory, "config.yml")], { stdio: "ignore" }));
    await until("the registry answering", async () => ((await onHost(REGISTRY_HOST, "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", `http://${REGISTRY}/v2/`)).stdout === "401" ? true : undefined), systemClock, 20_000);
    // Plain HTTP is said in containerd's own files, which only this host sees.
    const certificates = path.join(directory, "certs.d", REGISTRY);
    await mkdir(certificates, { recursive: true });
    await writeFile(path.join(certificates, "hosts.toml"), `server = "http://${REGISTRY}"\n[host."http://${REGISTRY}"]\n  capabilities = ["pull", "resolve"]\n`);
    await onHost(PULLING_HOST, "mount", "-t", "tmpfs", "tmpfs", "/etc/containerd");
    await onHost(PULLING_HOST, "mkdir", "/etc/containerd/certs.d");
    await onHost(PULLING_HOST, "mount", "--bind", path.join(directory, "certs.d"), "/etc/containerd/certs.d");
    return registry;
  }

  /** Pushes the tests' image under another name. */
  async push(name: string): Promise<void> {
    await onHost(REGISTRY_HOST, "ctr", "-n", "k8s.io", "images", "tag", "--force", TOOLS_IMAGE, `${REGISTRY}/${name}`);
    await onHost(REGISTRY_HOST, "ctr", "-n", "k8s.io", "images", "push", "--plain-http", "--user", `${USER}:${PASSWORD}`, `${REGISTRY}/${name}`);
  }

  async stop(): Promise<void> {
    await onHost(PULLING_HOST, "umount", "/etc/containerd/certs.d", "/etc/containerd");
    const ended = new Promise<void>((resolve) => { this.#process.once("exit", () => resolve()); });
    this.#process.kill("SIGTERM");
    await ended;
    await rm(this.#directory, { recursive: true, force: true });
  }
}

const waitsFor = (reason: string) => (pod: Pod): boolean => statusOf(pod, "main")?.state?.waiting?.reason === reason;

async function pulls(t: ExecutionContext, lab: Lab): Promise<void> {
  const registry = await Registry.start();
  try {
    await registry.push("team/tools:1");
    const image = `${REGISTRY}/team/tools:1`, from = (policy: string) => [shell("main", SLEEP, { image, imagePullPolicy: policy })], here = { nodeName: PULLING_HOST };
    // Without credentials: refused, then left alone for a while.
    await lab.pod("stranger", from("IfNotPresent"), here);
    await lab.podUntil("stranger", "ErrImagePull or ImagePullBackOff", (p) => waitsFor("ErrImagePull")(p) || waitsFor("ImagePullBackOff")(p));
    await lab.event("stranger", "Failed", /^Failed to pull image "10\.89\.0\.11:5000\/team\/tools:1": .*401 Unauthorized/);
    await lab.event("stranger", "Failed", /^Error: ErrImagePull$/);
    const backedOff = await lab.podUntil("stranger", "ImagePullBackOff", waitsFor("ImagePullBackOff"));
    t.regex(statusOf(backedOff, "main")!.state!.waiting!.message!, /^Back-off pulling image "10\.89\.0\.11:5000\/team\/tools:1": ErrImagePull: /);
    await lab.event("stranger", "BackOff", /^Back-off pulling image "10\.89\.0\.11:5000\/team\/tools:1"$/);
    await lab.event("stranger", "Failed", /^Error: ImagePullBackOff$/);
    t.regex(await lab.kubectl("get", "pod", "stranger"), /stranger\s+0\/1\s+ImagePullBackOff\s+0/);

    const auth = { auths: { [REGISTRY]: { username: USER, password: PASSWORD } } };
    await lab.create(secrets, { apiVersion: "v1", kind: "Secret", metadata: lab.meta("registry"), type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": Buffer.from(JSON.stringify(auth)).toString("base64") } });
    const known = { ...here, imagePullSecrets: [{ name: "registry" }] };
    const pod = await lab.readyPod("known", from("IfNotPresent"), known);
    t.is(statusOf(pod, "main")!.image, image);
    t.regex(statusOf(pod, "main")!.imageID, /^10\.89\.0\.11:5000\/team\/tools@sha256:[0-9a-f]{64}$/);
    t.regex((await lab.event("known", "Pulled", /^Successfully pulled image "10\.89\.0\.11:5000\/team\/tools:1" in \S+ \(\S+ including waiting\)\. Image size: \d+ bytes\.$/)).message!, /Successfully/);
    await lab.readyPod("present", from("IfNotPresent"), known);
    await lab.event("present", "Pulled", /^Container image "10\.89\.0\.11:5000\/team\/tools:1" already present on machine/);
    await lab.readyPod("always", from("Always"), known);
    await lab.event("always", "Pulled", /^Successfully pulled image/);
    await lab.readyPod("never", from("Never"), here);
    // Who was refused gets in once there are credentials for the account.
    await lab.pod("missing", [shell("main", SLEEP, { image: `${REGISTRY}/team/none:1` })], known);
    await lab.event("missing", "Failed", /^Failed to pull image "10\.89\.0\.11:5000\/team\/none:1": .*not found/);
  } finally { await registry.stop(); }
}

async function badNames(t: ExecutionContext, lab: Lab): Promise<void> {
  await lab.pod("absent", [shell("main", SLEEP, { image: "kaji.local/absent:1", imagePullPolicy: "Never" })]);
  const absent = await lab.podUntil("absent", "ErrImageNeverPull", waitsFor("ErrImageNeverPull"));
  t.is(statusOf(absent, "main")!.state!.waiting!.message, 'Container image "kaji.local/absent:1" is not present with pull policy of Never');
  await lab.pod("shouting", [shell("main", SLEEP, { image: "UPPER/Case:1" })]);
  const shouting = await lab.podUntil("shouting", "InvalidImageName", waitsFor("InvalidImageName"));
  t.regex(statusOf(shouting, "main")!.state!.waiting!.message!, /^Failed to apply default image tag "UPPER\/Case:1": couldn't parse image name "UPPER\/Case:1": invalid reference format: repository name \(Case\) must be lowercase$/);
  await lab.event("shouting", "InspectFailed", /^Failed to apply default image tag "UPPER\/Case:1"/);
}

export function registerImages(test: TestFn): void {
  labTest(test, "wl-pull", "images are pulled from a registry by policy and with credentials; a refusal is told and backed off", pulls);
  labTest(test, "wl-names", "an image that may not be pulled or has no valid name is told so", badNames);
}

/** Images into the containerd of every host: from a tar file, or out of a Docker engine. */
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import Docker from "dockerode";
import type { Clock } from "../util/clock.ts";
import { exec } from "../util/exec.ts";
import type { HostConfig } from "./cluster-config.ts";
import { enterHost } from "./hosts.ts";
import type { BuiltImage } from "./images.ts";
import { hostDir } from "./paths.ts";
import { until } from "./wait.ts";

const CONTAINERD_TIMEOUT_MS = 30_000;
const ctr = (host: string, ...args: string[]): Promise<{ stdout: string }> => exec("nsenter", [...enterHost(host), "ctr", "--namespace", "k8s.io", ...args]);

/** Waits until the host's containerd answers. */
export async function waitForContainerd(host: HostConfig, clock: Clock): Promise<void> {
  await until(`an answer of containerd on ${host.name}`, () => ctr(host.name, "version"), clock, CONTAINERD_TIMEOUT_MS);
}

/** Imports a docker or OCI archive into one host. Resolves with the names it brought. */
export async function importImage(host: HostConfig, file: string): Promise<string[]> {
  const { stdout } = await ctr(host.name, "images", "import", file);
  return [...stdout.matchAll(/^unpacking (\S+)/gm)].map((match) => match[1]!);
}

/** Imports the images a cluster starts with, unless the host has just these. */
export async function ensureBuiltImages(host: HostConfig, images: readonly BuiltImage[]): Promise<number> {
  const noteFile = path.join(hostDir(host.name), "images.json");
  const noted = JSON.parse(await readFile(noteFile, "utf8").catch(() => "{}")) as Record<string, string>;
  const present = new Set((await ctr(host.name, "images", "list", "--quiet")).stdout.split("\n"));
  const wanted = images.filter((image) => noted[image.reference] !== image.digest || !present.has(image.reference));
  for (const image of wanted) await importImage(host, image.file);
  if (wanted.length > 0) await writeFile(noteFile, JSON.stringify(Object.fromEntries(images.map((image) => [image.reference, image.digest]))));
  return wanted.length;
}

/** Saves an image of the local Docker engine (DOCKER_HOST or its socket) to `file`. Throws an error that says what to do. */
async function saveFromDocker(image: string, file: string): Promise<void> {
  const docker = new Docker();
  try { await docker.ping(); }
  catch (error) { throw new Error(`Cannot load image "${image}": it is no file, and no Docker engine answers (${(error as Error).message})`, { cause: error }); }
  let stream: NodeJS.ReadableStream;
  try { stream = await docker.getImage(image).get(); }
  catch (error) { throw new Error(`Cannot load image "${image}": Docker says: ${(error as Error).message}; pull or build it first`, { cause: error }); }
  await pipeline(stream, createWriteStream(file, { mode: 0o600 }));
}

/** Loads `source`, a tar file or the name of an image in a Docker engine, into every host. Resolves with the names of the loaded images. */
export async function loadImage(source: string, hosts: readonly HostConfig[]): Promise<string[]> {
  const isFile = await stat(source).then((s) => s.isFile(), () => false);
  if (!isFile && (source.includes("/") && /^[./]/.test(source) || source.endsWith(".tar"))) throw new Error(`Cannot load image: file "${source}" does not exist`);
  await mkdir(tmpdir(), { recursive: true });
  const work = await mkdtemp(path.join(tmpdir(), "kaji-image-"));
  try {
    const file = isFile ? path.resolve(source) : path.join(work, "image.tar");
    if (!isFile) await saveFromDocker(source, file);
    const names = await Promise.all(hosts.map((host) => importImage(host, file)));
    return [...new Set(names.flat())];
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * The images a cluster starts with: pause, and nginx for the closing check. Packed from distribution packages, so that it works
 * without internet, for this machine or for another architecture, and kept in a cache. The same packages make the same bytes.
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { pack as tarPack } from "tar-stream";
import { exec } from "../util/exec.ts";
import { type Architecture, DEBIAN_ARCHITECTURE } from "./bundle/debian-archives.ts";
import { PAUSE_IMAGE } from "./containerd-config.ts";
import { CACHE_DIR } from "./paths.ts";

export const NGINX_IMAGE = "kaji.local/nginx:1";
export interface BuiltImage { readonly reference: string; readonly file: string; readonly digest: string }

interface Recipe { reference: string; file: string; packages: string[]; prepare: (root: string) => Promise<void>; paths: string[]; config: Record<string, unknown> }

const NGINX_SITE = "server { listen 80 default_server; root /usr/share/nginx/html; location / { index index.html; } }\n";
/** What a shell in the image finds, from busybox. */
const BUSYBOX_PROGRAMS = ["ls", "cat", "wget", "sleep", "ps", "kill", "nslookup", "hostname", "env", "id", "head", "tail", "grep", "touch", "mkdir", "rm", "echo", "true", "false", "date", "nc", "vi", "tty", "stty", "sh"];

/** What an unpacked tree takes from the machine it is unpacked on. */
const MACHINES_OWN = ["dev", "etc/apt", "etc/hostname", "etc/resolv.conf"];

/** Packages are only unpacked: what their installation would have made is made here. */
async function prepareNginx(root: string): Promise<void> {
  const at = (file: string): string => path.join(root, file);
  for (const directory of ["run", "var/log/nginx", "var/lib/nginx", "etc/nginx/conf.d", "root"]) await mkdir(at(directory), { recursive: true });
  await mkdir(at("tmp"), { recursive: true });
  await chmod(at("tmp"), 0o1777);
  await writeFile(at("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n");
  await writeFile(at("etc/group"), "root:x:0:\nwww-data:x:33:\n");
  await writeFile(at("etc/nginx/conf.d/default.conf"), NGINX_SITE);
  for (const directory of ["etc/nginx/modules-enabled", "etc/nginx/sites-enabled", "usr/share/doc", "usr/share/man", "usr/share/locale", "var/cache/apt", "var/lib/apt", ...MACHINES_OWN]) await rm(at(directory), { recursive: true, force: true });
  await mkdir(at("dev"));
  await symlink("/dev/stdout", at("var/log/nginx/access.log"));
  await symlink("/dev/stderr", at("var/log/nginx/error.log"));
  for (const program of BUSYBOX_PROGRAMS) if (!existsSync(at(`bin/${program}`))) await symlink("busybox", at(`bin/${program}`));
}

const RECIPES: readonly Recipe[] = [
  {
    reference: PAUSE_IMAGE, file: "pause.tar", packages: ["catatonit"], prepare: async () => undefined, paths: ["./usr/bin/catatonit"],
    config: { Entrypoint: ["/usr/bin/catatonit", "-P"] }, // -P: only reap children and wait for a signal.
  },
  {
    reference: NGINX_IMAGE, file: "nginx.tar", packages: ["nginx-light", "busybox-static"], prepare: prepareNginx, paths: ["."],
    config: { Cmd: ["/usr/sbin/nginx", "-g", "daemon off;"], ExposedPorts: { "80/tcp": {} }, StopSignal: "SIGQUIT", Env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] },
  },
];

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

const OWN = process.arch as Architecture;
/** Named after the form of the images: 2 is without anything of the machine that packed them. */
const OWN_IMAGES = path.join(CACHE_DIR, "2");
const EPOCH = new Date(0); // Else the archive would hold the time it was made.

/** Packs a root file system as a docker archive, the form every containerd imports. */
export async function packImage(reference: string, layer: string, config: Record<string, unknown>, target: string, architecture: string = DEBIAN_ARCHITECTURE[OWN]): Promise<void> {
  const diffId = await sha256(layer);
  const configText = JSON.stringify({ architecture, os: "linux", config, rootfs: { type: "layers", diff_ids: [`sha256:${diffId}`] }, history: [{ created_by: "kaji" }] });
  const configName = `${createHash("sha256").update(configText).digest("hex")}.json`;
  const archive = tarPack();
  const written = pipeline(archive, createWriteStream(target));
  archive.entry({ name: configName, mtime: EPOCH }, configText);
  archive.entry({ name: "manifest.json", mtime: EPOCH }, JSON.stringify([{ Config: configName, RepoTags: [reference], Layers: ["layer.tar"] }]));
  const entry = archive.entry({ name: "layer.tar", size: (await stat(layer)).size, mtime: EPOCH });
  await pipeline(createReadStream(layer), entry);
  archive.finalize();
  await written;
}

async function build(recipe: Recipe, target: string, architecture: string): Promise<void> {
  const work = await mkdtemp(path.join(path.dirname(target), "build-"));
  try {
    const layer = path.join(work, "layer.tar");
    const root = path.join(work, "root");
    // TMPDIR on disk: /tmp is memory on some machines.
    await exec("mmdebstrap", ["--variant=extract", "--quiet", `--architectures=${architecture}`, `--include=${recipe.packages.join(",")}`, "--", await codename(), root], { env: { ...process.env, TMPDIR: work } });
    await recipe.prepare(root);
    await exec("tar", ["--sort=name", "--mtime=@0", "--numeric-owner", "--owner=0", "--group=0", "-C", root, "-cf", layer, ...recipe.paths]);
    await packImage(recipe.reference, layer, recipe.config, path.join(work, "image.tar"), architecture);
    await rename(path.join(work, "image.tar"), target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** This machine's own Debian release, or stable on other distributions. */
async function codename(): Promise<string> {
  const release = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /^ID=debian$/m.test(release) ? (/^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1] ?? "stable") : "stable";
}

const imageFile = (directory: string, recipe: Recipe): string => path.join(directory, recipe.file);
const isThere = (file: string): Promise<boolean> => stat(file).then(() => true, () => false);

/** Which of this machine's images still have to be packed. */
export async function unbuiltImages(): Promise<string[]> {
  const missing: string[] = [];
  for (const recipe of RECIPES) if (!(await isThere(imageFile(OWN_IMAGES, recipe)))) missing.push(recipe.reference);
  return missing;
}

/** Packs what is not in `directory`; returns all. */
export async function ensureImages({ architecture, directory }: { architecture: Architecture; directory: string } = { architecture: OWN, directory: OWN_IMAGES }): Promise<BuiltImage[]> {
  await mkdir(directory, { recursive: true });
  const images: BuiltImage[] = [];
  for (const recipe of RECIPES) {
    const file = imageFile(directory, recipe);
    if (!(await isThere(file))) await build(recipe, file, DEBIAN_ARCHITECTURE[architecture]);
    images.push({ reference: recipe.reference, file, digest: await sha256(file) });
  }
  return images;
}

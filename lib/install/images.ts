/**
 * The images a cluster on this machine starts with: pause, and nginx for the closing check. Packed from distribution
 * packages, so that it works without internet, and kept in the cache directory.
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { pack as tarPack } from "tar-stream";
import { exec } from "../util/exec.ts";
import { PAUSE_IMAGE } from "./containerd-config.ts";
import { CACHE_DIR } from "./paths.ts";

export const NGINX_IMAGE = "kaji.local/nginx:1";
export interface BuiltImage { readonly reference: string; readonly file: string; readonly digest: string }

interface Recipe { reference: string; file: string; packages: string[]; hooks: string[]; paths: string[] | undefined; config: Record<string, unknown> }
const NGINX_SITE = "server { listen 80 default_server; root /usr/share/nginx/html; location / { index index.html; } }";
const RECIPES: readonly Recipe[] = [
  {
    reference: PAUSE_IMAGE, file: "pause.tar", packages: ["catatonit"], hooks: [], paths: ["./usr/bin/catatonit"],
    config: { Entrypoint: ["/usr/bin/catatonit", "-P"] }, // -P: only reap children and wait for a signal.
  },
  {
    reference: NGINX_IMAGE, file: "nginx.tar", packages: ["nginx-light", "busybox-static"],
    hooks: [
      'for d in run tmp var/log/nginx var/lib/nginx etc/nginx/conf.d; do mkdir -p "$1/$d"; done; chmod 1777 "$1/tmp"',
      'printf "root:x:0:0:root:/root:/bin/sh\\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\\n" > "$1/etc/passwd"; printf "root:x:0:\\nwww-data:x:33:\\nadm:x:4:\\n" > "$1/etc/group"',
      '[ -e "$1/bin/sh" ] || ln -s busybox "$1/bin/sh"; for a in ls cat wget sleep ps kill nslookup hostname env id head tail grep touch mkdir rm echo true false date nc vi; do [ -e "$1/bin/$a" ] || ln -s busybox "$1/bin/$a"; done',
      'rm -f "$1"/etc/nginx/modules-enabled/* "$1"/etc/nginx/sites-enabled/*; rm -rf "$1"/usr/share/doc "$1"/usr/share/man "$1"/usr/share/locale "$1"/var/cache/apt "$1"/var/lib/apt',
      `printf '%s\\n' '${NGINX_SITE}' > "$1/etc/nginx/conf.d/default.conf"`,
      'ln -sf /dev/stdout "$1/var/log/nginx/access.log"; ln -sf /dev/stderr "$1/var/log/nginx/error.log"',
    ],
    paths: undefined,
    config: { Cmd: ["/usr/sbin/nginx", "-g", "daemon off;"], ExposedPorts: { "80/tcp": {} }, StopSignal: "SIGQUIT", Env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] },
  },
];

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/** Packs a root file system as a docker archive, the form every containerd imports. */
export async function packImage(reference: string, layer: string, config: Record<string, unknown>, target: string): Promise<void> {
  const diffId = await sha256(layer);
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const configText = JSON.stringify({ architecture, os: "linux", config, rootfs: { type: "layers", diff_ids: [`sha256:${diffId}`] }, history: [{ created_by: "kaji" }] });
  const configName = `${createHash("sha256").update(configText).digest("hex")}.json`;
  const archive = tarPack();
  const written = pipeline(archive, createWriteStream(target));
  archive.entry({ name: configName }, configText);
  archive.entry({ name: "manifest.json" }, JSON.stringify([{ Config: configName, RepoTags: [reference], Layers: ["layer.tar"] }]));
  const entry = archive.entry({ name: "layer.tar", size: (await stat(layer)).size });
  await pipeline(createReadStream(layer), entry);
  archive.finalize();
  await written;
}

async function build(recipe: Recipe, target: string): Promise<void> {
  const work = await mkdtemp(path.join(CACHE_DIR, "build-"));
  try {
    const layer = path.join(work, "layer.tar");
    const hooks = recipe.hooks.map((hook) => `--customize-hook=${hook}`);
    const root = path.join(work, "root");
    // TMPDIR on disk: /tmp is memory on some machines.
    await exec("mmdebstrap", ["--variant=extract", "--quiet", `--include=${recipe.packages.join(",")}`, ...hooks, "--", await codename(), root], { env: { ...process.env, TMPDIR: work } });
    await exec("tar", ["--sort=name", "--mtime=@0", "--numeric-owner", "--owner=0", "--group=0", "-C", root, "-cf", layer, ...(recipe.paths ?? ["."])]);
    await packImage(recipe.reference, layer, recipe.config, path.join(work, "image.tar"));
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

/** Which of the images still have to be packed. */
export async function unbuiltImages(): Promise<string[]> {
  const missing: string[] = [];
  for (const recipe of RECIPES) if (!(await stat(path.join(CACHE_DIR, recipe.file)).then(() => true, () => false))) missing.push(recipe.reference);
  return missing;
}

/** Packs what is not in the cache; returns all. */
export async function ensureImages(): Promise<BuiltImage[]> {
  await mkdir(CACHE_DIR, { recursive: true });
  const images: BuiltImage[] = [];
  for (const recipe of RECIPES) {
    const file = path.join(CACHE_DIR, recipe.file);
    if (!(await stat(file).then(() => true, () => false))) await build(recipe, file);
    images.push({ reference: recipe.reference, file, digest: await sha256(file) });
  }
  return images;
}

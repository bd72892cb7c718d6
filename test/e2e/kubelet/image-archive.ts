/** Builds docker archives for tests: one layer from a tar file or from a few files, nothing pulled from anywhere. */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { pack } from "tar-stream";

export interface ImageConfig { Entrypoint?: string[]; Cmd?: string[]; Env?: string[]; User?: string; ExposedPorts?: Record<string, object>; WorkingDir?: string; StopSignal?: string }
export interface LayerFile { name: string; content?: Buffer; linkname?: string; directory?: boolean; mode?: number }

const sha256 = (data: Buffer): string => createHash("sha256").update(data).digest("hex");

async function tarOf(files: readonly LayerFile[]): Promise<Buffer> {
  const archive = pack(), chunks: Buffer[] = [];
  for (const file of files) {
    const header = { name: file.name, mode: file.mode ?? 0o755, mtime: new Date(0) };
    if (file.linkname !== undefined) archive.entry({ ...header, type: "symlink", linkname: file.linkname });
    else if (file.directory === true) archive.entry({ ...header, type: "directory" });
    else archive.entry({ ...header, type: "file" }, file.content ?? Buffer.alloc(0));
  }
  archive.finalize();
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Writes `target`, a docker archive holding the image `reference` with one layer. */
export async function writeImage(target: string, reference: string, layer: Buffer | readonly LayerFile[], config: ImageConfig): Promise<void> {
  const layerTar = Buffer.isBuffer(layer) ? layer : await tarOf(layer as readonly LayerFile[]);
  const digest = sha256(layerTar);
  const image = Buffer.from(JSON.stringify({
    architecture: process.arch === "arm64" ? "arm64" : "amd64", os: "linux", config, rootfs: { type: "layers", diff_ids: [`sha256:${digest}`] }, history: [{ created: "1970-01-01T00:00:00Z" }],
  }));
  const configName = `${sha256(image)}.json`;
  const manifest = Buffer.from(JSON.stringify([{ Config: configName, RepoTags: [reference], Layers: [`${digest}/layer.tar`] }]));
  await writeFile(target, await tarOf([
    { name: configName, content: image, mode: 0o644 }, { name: `${digest}/layer.tar`, content: layerTar, mode: 0o644 }, { name: "manifest.json", content: manifest, mode: 0o644 },
  ]));
}

const BUSYBOX_APPLETS = ["sh", "sleep", "cat", "echo", "ls", "wget", "httpd", "nc", "id", "env", "hostname", "mount", "touch", "kill", "ps", "grep", "head", "dd", "true", "false", "mkdir", "rm", "date", "stat", "seq", "nslookup", "ip", "printf", "test"];

/** busybox as a layer, with its applets as links. */
export async function busyboxLayer(): Promise<LayerFile[]> {
  return [
    { name: "bin", directory: true }, { name: "tmp", directory: true, mode: 0o1777 }, { name: "etc", directory: true },
    { name: "etc/passwd", content: Buffer.from("root:x:0:0:root:/:/bin/sh\nweb:x:1001:1001::/:/bin/sh\n"), mode: 0o644 },
    { name: "etc/group", content: Buffer.from("root:x:0:\nweb:x:1001:\n"), mode: 0o644 },
    { name: "bin/busybox", content: await readFile("/bin/busybox") },
    ...BUSYBOX_APPLETS.map((applet) => ({ name: `bin/${applet}`, linkname: "busybox" })),
  ];
}

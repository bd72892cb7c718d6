import test from "ava";
import { createHash } from "node:crypto";
import { createReadStream, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { extract } from "tar-stream";
import { packImage } from "../../../lib/install/images.ts";

async function readArchive(file: string): Promise<Map<string, Buffer>> {
  const entries = new Map<string, Buffer>();
  for await (const entry of createReadStream(file).pipe(extract())) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    entries.set(entry.header.name, Buffer.concat(chunks));
  }
  return entries;
}

test("packImage() writes a docker archive whose configuration names the layer by its digest", async (t) => {
  const work = mkdtempSync(path.join(tmpdir(), "kaji-test-")), layer = path.join(work, "layer.tar"), target = path.join(work, "image.tar");
  writeFileSync(layer, "not really a tar");
  await packImage("kaji.local/x:1", layer, { Cmd: ["/x"] }, target);
  const entries = await readArchive(target);
  const [manifest] = JSON.parse(entries.get("manifest.json")!.toString()) as { Config: string; RepoTags: string[]; Layers: string[] }[];
  t.deepEqual(manifest!.RepoTags, ["kaji.local/x:1"]);
  const config = entries.get(manifest!.Config)!;
  t.is(manifest!.Config, `${createHash("sha256").update(config).digest("hex")}.json`);
  const parsed = JSON.parse(config.toString()) as { rootfs: { diff_ids: string[] }; config: unknown; os: string };
  t.deepEqual(parsed.rootfs.diff_ids, [`sha256:${createHash("sha256").update(entries.get(manifest!.Layers[0]!)!).digest("hex")}`]);
  t.deepEqual(parsed.config, { Cmd: ["/x"] });
});

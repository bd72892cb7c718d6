/** The image of pods' sandboxes on a host that joins, and joins again. */
import test from "ava";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PAUSE_IMAGE } from "../../../../lib/install/containerd-config.ts";
import { pauseImage } from "../../../../lib/install/host/bundle.ts";
import { hostContainerdConfig, PUBLIC_PAUSE_IMAGE } from "../../../../lib/install/host/containerd-on-host.ts";

test("a bundle's pause image is used, and kept when the host joins again without the bundle; else it is the public one", async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), "kaji-bundle-")), config = path.join(folder, "containerd.toml");
  t.teardown(() => { rmSync(folder, { recursive: true }); });
  t.is(pauseImage(undefined, config), PUBLIC_PAUSE_IMAGE, "no bundle, no file");
  t.is(pauseImage(folder, config), PUBLIC_PAUSE_IMAGE, "a bundle without images");
  mkdirSync(path.join(folder, "images"));
  writeFileSync(path.join(folder, "images/pause.tar"), "");
  t.is(pauseImage(folder, config), PAUSE_IMAGE);
  writeFileSync(config, await hostContainerdConfig(PAUSE_IMAGE));
  t.is(pauseImage(undefined, config), PAUSE_IMAGE);
  writeFileSync(config, await hostContainerdConfig(PUBLIC_PAUSE_IMAGE));
  t.is(pauseImage(undefined, config), PUBLIC_PAUSE_IMAGE);
});

/**
 * The container network configuration: pods on a bridge `cni0`, addresses from the node's pod range, host ports.
 * Written for the container runtime, which reads it when a pod starts; an existing file is replaced in one step.
 * The runtime brings `loopback` itself; the plugin is looked for all the same, because no pod starts without it.
 */
import { access, mkdir, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";

export const CNI_DIR = "/etc/cni/net.d", CNI_FILE = "10-kaji.conflist", CNI_NETWORK = "kaji", BRIDGE = "cni0";
/** Where distributions put the plugins. */
export const PLUGIN_DIRS = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"] as const;
const PLUGINS = ["bridge", "host-local", "portmap", "loopback"] as const;

/** The file's text. */
export function cniConfig({ podCidr, mtu }: { podCidr: string; mtu: number }): string {
  return `${JSON.stringify({
    cniVersion: "0.4.0",
    name: CNI_NETWORK,
    plugins: [
      {
        type: "bridge", bridge: BRIDGE, isGateway: true, forceAddress: true, hairpinMode: true, ipMasq: false, mtu,
        ipam: { type: "host-local", ranges: [[{ subnet: podCidr }]], routes: [{ dst: "0.0.0.0/0" }] },
      },
      { type: "portmap", capabilities: { portMappings: true }, snat: true },
    ],
  }, undefined, 2)}\n`;
}

/** The first directory that has every plugin needed. Throws Error that names what is missing. */
export async function findPluginDir(dirs: readonly string[] = PLUGIN_DIRS): Promise<string> {
  const missing: string[] = [];
  for (const dir of dirs) {
    const absent: string[] = [];
    for (const plugin of PLUGINS) await access(path.join(dir, plugin)).catch(() => absent.push(plugin));
    if (absent.length === 0) return dir;
    missing.push(`${dir} lacks ${absent.join(", ")}`);
  }
  throw new Error(`Cannot set up the pod network: ${missing.join("; ")}; install the package containernetworking-plugins`);
}

/** Writes the file unless it is so already. Returns whether it wrote. */
export async function writeCniConfig(text: string, dir = CNI_DIR): Promise<boolean> {
  const file = path.join(dir, CNI_FILE);
  if (await readFile(file, "utf8").catch(() => undefined) === text) return false;
  await mkdir(dir, { recursive: true, mode: 0o755 });
  const temporary = path.join(dir, `.${CNI_FILE}.new`); // No name a runtime would read.
  await writeFile(temporary, text, { mode: 0o644 });
  await rename(temporary, file);
  return true;
}

/** Configurations a runtime would take before ours: it uses only the first by name. */
export async function earlierConfigs(dir = CNI_DIR): Promise<string[]> {
  const names = await readdir(dir).catch(() => []);
  return names.filter((name) => /\.(conf|conflist|json)$/.test(name) && name < CNI_FILE).sort();
}

export async function removeCniConfig(dir = CNI_DIR): Promise<void> { await rm(path.join(dir, CNI_FILE), { force: true }); }

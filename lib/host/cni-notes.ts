/**
 * What CNI has noted on this host about the pods it gave a network: the result of each, without which it does not take the network
 * away again, and the addresses it has lent.
 *
 * Neither is synced when it is written, so after a power cut (or on a full disk) files are there with nothing in them. CNI then fails to take
 * the network away, each time, and the address is nobody's and never lent again. Here such notes are forgotten: a missing one does no harm.
 * Source: libcni `api.go` cacheAdd and getCachedResult (`NETWORK-CONTAINER-INTERFACE`, JSON); plugin host-local `backend/disk` (a file an address, whose it is inside).
 */
import { readFile, readdir, rm, stat } from "node:fs/promises";
import { isIP } from "node:net";
import path from "node:path";

const RESULTS = "/var/lib/cni/results", LEASES = "/var/lib/cni/networks";

const entries = (directory: string): Promise<string[]> => readdir(directory).catch(() => []);

/** Forgets what is noted of a sandbox's network and cannot be read. Returns whether there was such a note. */
export async function forgetTornResults(sandboxId: string, directory = RESULTS): Promise<boolean> {
  let torn = false;
  for (const name of (await entries(directory)).filter((each) => each.includes(`-${sandboxId}-`))) {
    const file = path.join(directory, name);
    try { JSON.parse(await readFile(file, "utf8")); continue; } catch { torn = true; }
    await rm(file, { force: true });
  }
  return torn;
}

/** Frees addresses whose note says nothing and is older than this boot: a younger one may be about to be written. Returns them. */
export async function freeTornLeases(bootedMs: number, directory = LEASES): Promise<string[]> {
  const freed: string[] = [];
  for (const network of await entries(directory)) {
    for (const address of (await entries(path.join(directory, network))).filter((name) => isIP(name) !== 0)) {
      const file = path.join(directory, network, address), facts = await stat(file).catch(() => undefined);
      if (facts === undefined || facts.mtimeMs >= bootedMs || !/^[\s\0]*$/.test(await readFile(file, "utf8").catch(() => "gone"))) continue;
      await rm(file, { force: true });
      freed.push(address);
    }
  }
  return freed;
}

/**
 * Who a candidate for leadership is, so that a daemon that was killed leads again at once instead of waiting for its own lease to end.
 *
 * The identity lasts for one boot of the machine, one network namespace and one port. Whoever uses it must hold the port first: the
 * kernel lets only one process do so, which keeps two processes from being the same candidate. Clones of a machine differ by boot.
 */
import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

export function identityOfPort(port: number): string {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(), network = readlinkSync("/proc/self/ns/net");
  return `${hostname()}_${createHash("sha256").update(`${boot} ${network} ${port}`).digest("hex").slice(0, 32)}`;
}

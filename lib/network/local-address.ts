/** An address of a Service on this host's loopback link, so that what listens on it is reached without leaving the host. */
import type { IpRoute } from "./iproute.ts";

const DEVICE = "lo";
const withLength = (address: string): string => `${address}/${address.includes(":") ? 128 : 32}`;

/** Adds it; there already is fine. */
export async function addLocalAddress(ip: IpRoute, address: string): Promise<void> { await ip.ip("address", "replace", withLength(address), "dev", DEVICE); }
/** Removes it; gone already is fine. Returns whether it was there. */
export async function removeLocalAddress(ip: IpRoute, address: string): Promise<boolean> { return ip.remove("ip", "address", "del", withLength(address), "dev", DEVICE); }

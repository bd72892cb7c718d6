import test from "ava";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Node } from "../../../lib/api/schema/generated/models.ts";
import { cniConfig, earlierConfigs, findPluginDir, writeCniConfig } from "../../../lib/network/cni-config.ts";
import { networkChains } from "../../../lib/network/firewall.ts";
import { peersOf, vtepMac } from "../../../lib/network/peers.ts";
import { diffRoutes, diffTunnels, planRoutes } from "../../../lib/network/plan-routes.ts";

const makeNode = (name: string, address: string | undefined, podCIDR?: string): Node =>
  ({ metadata: { name }, spec: podCIDR === undefined ? {} : { podCIDR, podCIDRs: [podCIDR] }, status: { addresses: address === undefined ? [] : [{ type: "Hostname", address: name }, { type: "InternalIP", address }] } });
const PEERS = peersOf([makeNode("c", "10.91.0.3", "10.244.3.0/24"), makeNode("b", "10.90.0.2", "10.244.2.0/24"), makeNode("a", "10.90.0.1", "10.244.1.0/24"), makeNode("new", "10.90.0.9"), makeNode("lost", undefined, "10.244.9.0/24")], "a");
const HERE = [{ address: "10.90.0.1", prefix: 24 }];

test("peersOf() gives other nodes that have an address and a pod range, by name", (t) => {
  t.deepEqual(PEERS, [{ name: "b", address: "10.90.0.2", podCidr: "10.244.2.0/24" }, { name: "c", address: "10.91.0.3", podCidr: "10.244.3.0/24" }]);
});

test("planRoutes() auto goes straight to neighbours and through VXLAN to others", (t) => {
  t.deepEqual(planRoutes(PEERS, "auto", HERE), {
    routes: [{ dst: "10.244.2.0/24", gateway: "10.90.0.2" }, { dst: "10.244.3.0/24", gateway: "10.244.3.0", dev: "kaji.1" }],
    tunnels: [{ mac: vtepMac("c"), remote: "10.91.0.3", neighbour: "10.244.3.0" }],
  });
});

test("planRoutes() takes one way for all when told to", (t) => {
  t.deepEqual(planRoutes(PEERS, "routes", HERE).tunnels, []);
  t.is(planRoutes(PEERS, "vxlan", HERE).tunnels.length, 2);
});

test("vtepMac() is local, unicast, and each node's own", (t) => {
  const macs = Array.from({ length: 500 }, (_, i) => vtepMac(`node-${i}`));
  t.is(new Set(macs).size, 500);
  t.true(macs.every((mac) => /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac) && (parseInt(mac.slice(0, 2), 16) & 3) === 2));
  t.is(vtepMac("node-1"), vtepMac("node-1"));
});

test("diffRoutes() adds what is missing, replaces what moved, removes what is stale, and is silent otherwise", (t) => {
  const { routes } = planRoutes(PEERS, "auto", HERE);
  const present = [{ dst: "10.244.2.0/24", gateway: "10.90.0.2", dev: "eth0" }, { dst: "10.244.3.0/24", gateway: "10.244.3.0", dev: "kaji.1" }];
  t.deepEqual(diffRoutes(present, routes), { remove: [], add: [] });
  t.deepEqual(diffRoutes([{ dst: "10.244.2.0/24", gateway: "10.90.0.7", dev: "eth0" }, { dst: "10.244.8.0/24", gateway: "10.90.0.8" }], routes), {
    remove: [["ip", "route", "del", "10.244.8.0/24", "proto", "117"]],
    add: [["ip", "route", "replace", "10.244.2.0/24", "via", "10.90.0.2", "proto", "117"], ["ip", "route", "replace", "10.244.3.0/24", "via", "10.244.3.0", "dev", "kaji.1", "onlink", "proto", "117"]],
  });
});

test("diffTunnels() keeps neighbours and forwarding entries in step", (t) => {
  const { tunnels } = planRoutes(PEERS, "auto", HERE), mac = vtepMac("c");
  t.deepEqual(diffTunnels([{ dst: "10.244.3.0", lladdr: mac }], [{ mac, dst: "10.91.0.3" }, { mac: "33:33:00:00:00:01" }], tunnels), { remove: [], add: [] });
  t.deepEqual(diffTunnels([{ dst: "10.244.9.0", lladdr: "02:00:00:00:00:09" }], [{ mac, dst: "10.91.0.99" }], tunnels), {
    remove: [["ip", "neigh", "del", "10.244.9.0", "dev", "kaji.1"], ["bridge", "fdb", "del", mac, "dev", "kaji.1", "dst", "10.91.0.99"]],
    add: [["ip", "neigh", "replace", "10.244.3.0", "lladdr", mac, "dev", "kaji.1", "nud", "permanent"], ["bridge", "fdb", "append", mac, "dev", "kaji.1", "dst", "10.91.0.3"]],
  });
});

test("networkChains() masquerades pods only on the way out of the cluster", (t) => {
  const { nat, filter } = networkChains({ sources: ["10.244.0.0/16"], inside: ["10.244.0.0/16"], randomFully: true });
  t.deepEqual(nat.get("KAJI-POSTROUTING"), [
    '-s 10.244.0.0/16 -d 10.244.0.0/16 -m comment --comment "stays in the cluster" -j RETURN',
    '-s 10.244.0.0/16 -d 224.0.0.0/4 -m comment --comment "stays in the cluster" -j RETURN',
    '-s 10.244.0.0/16 -m comment --comment "leaves the cluster" -j MASQUERADE --random-fully',
  ]);
  t.is(filter.get("KAJI-FORWARD")?.length, 2);
});

test("writeCniConfig() writes once, in one step, and leaves no other file", async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), "kaji-cni-"));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const text = cniConfig({ podCidr: "10.244.1.0/24", mtu: 1450 });
  t.true(await writeCniConfig(text, dir));
  t.false(await writeCniConfig(text, dir));
  t.deepEqual(readdirSync(dir), ["10-kaji.conflist"]);
  t.is(readFileSync(path.join(dir, "10-kaji.conflist"), "utf8"), text);
  t.deepEqual(await earlierConfigs(dir), []);
  writeFileSync(path.join(dir, "05-other.conf"), "{}");
  writeFileSync(path.join(dir, "99-loopback.conf"), "{}");
  t.deepEqual(await earlierConfigs(dir), ["05-other.conf"]);
});

test("findPluginDir() names the plugins that are missing", async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), "kaji-plugins-"));
  t.teardown(() => rmSync(dir, { recursive: true }));
  for (const plugin of ["bridge", "host-local", "loopback"]) writeFileSync(path.join(dir, plugin), "");
  await t.throwsAsync(findPluginDir([dir]), { message: /lacks portmap.*containernetworking-plugins/ });
  writeFileSync(path.join(dir, "portmap"), "");
  t.is(await findPluginDir(["/nowhere", dir]), dir);
});

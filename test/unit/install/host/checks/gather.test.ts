import test from "ava";
import { createServer } from "node:net";
import { judge, gatherFacts } from "../../../../../lib/install/host/check.ts";
import { featureState, mountOf, parseHosts } from "../../../../../lib/install/host/checks/gather-machine.ts";
import { isOfUnit, parseSockets } from "../../../../../lib/install/host/checks/gather-network.ts";
import { parseMountInfo } from "../../../../../lib/host/mounts.ts";

test("featureState() knows what is built in, loaded, loadable and absent, and when it cannot know", (t) => {
  const feature = { why: "", modules: ["nft_chain_nat", "iptable_nat"], options: ["NFT_NAT"] }, sources = { builtIn: "", loadable: "kernel/fs/fuse/fuse.ko:\n", loaded: new Set<string>(), config: "" };
  t.is(featureState(feature, sources), "missing");
  t.is(featureState(feature, { ...sources, loadable: "" }), "unknown");
  t.is(featureState(feature, { ...sources, loadable: "kernel/net/netfilter/nft-chain-nat.ko.zst: kernel/net/netfilter/nf_nat.ko.zst\n" }), "loadable");
  t.is(featureState(feature, { ...sources, loadable: "kernel/x/other.ko: kernel/net/netfilter/xnft_chain_nat.ko\n" }), "missing");
  t.is(featureState(feature, { ...sources, builtIn: "kernel/net/netfilter/nft_chain_nat.ko\n" }), "active");
  t.is(featureState(feature, { ...sources, loaded: new Set(["iptable_nat"]) }), "active");
  t.is(featureState(feature, { ...sources, config: "\nCONFIG_NFT_NAT=y\n" }), "active");
});
test("mountOf() is the last mount of the longest path", (t) => {
  const mounts = parseMountInfo(["1 0 8:1 / / rw - ext4 /dev/sda1 rw", "2 1 8:2 / /var rw - ext4 /dev/sda2 rw", "3 2 8:3 / /var/lib ro,noexec - xfs /dev/sda3 rw", "4 3 0:1 / /var/library rw - tmpfs t rw"].join("\n"));
  t.is(mountOf(mounts, "/var/lib")?.type, "xfs");
  t.is(mountOf(mounts, "/var/log")?.source, "/dev/sda2");
  t.is(mountOf(mounts, "/etc")?.source, "/dev/sda1");
});
test("parseHosts() leaves comments out", (t) => {
  t.deepEqual(parseHosts("127.0.0.1 localhost # lo\n# 127.0.1.1 n1\n\n::1\tip6 lo6\n"), [{ address: "127.0.0.1", names: ["localhost"] }, { address: "::1", names: ["ip6", "lo6"] }]);
});
test("parseSockets() sees who listens, on one address or on every one", (t) => {
  const line = (local: string, state: string): string => `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 4711 1 0`;
  t.deepEqual(parseSockets(["  sl  local_address rem_address   st", line("00000000:0035", "0A"), line("0100007F:280A", "0A"), line("0100007F:1770", "01")].join("\n"), "tcp"), [
    { port: 53, protocol: "tcp", everywhere: true, inode: "4711" }, { port: 10_250, protocol: "tcp", everywhere: false, inode: "4711" },
  ]);
});
test("isOfUnit() knows a unit's processes by their control group, of version 1 and 2", (t) => {
  const unit = "kaji-kubelet.service";
  t.true(isOfUnit("0::/system.slice/kaji-kubelet.service\n", unit));
  t.true(isOfUnit("4:memory:/system.slice/kaji-kubelet.service\n1:name=systemd:/system.slice/kaji-kubelet.service/inner\n0::/\n", unit));
  t.false(isOfUnit("0::/system.slice/not-kaji-kubelet.service\n", unit));
});
test("gatherFacts() reads this machine, and finds who holds a port by its process", async (t) => {
  const server = createServer();
  const port = await new Promise<number>((resolve) => { server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port)); });
  const facts = await gatherFacts("master", { apiPort: port });
  server.close();
  const finding = judge(facts, port).find((each) => each.check === "ports" && each.problem.includes(String(port)));
  t.regex(finding?.problem ?? "", new RegExp(`process ${process.pid} `));
  t.regex(facts.kernel.release, /^\d+\.\d+/);
  t.true(facts.memoryMib > 0 && facts.disks.every((disk) => disk.type !== ""));
});

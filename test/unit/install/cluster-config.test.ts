import test from "ava";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { addressAt, buildClusterConfig, CLUSTER_DEFAULTS, loadClusterConfig, parseRange, rangesOverlap, saveClusterConfig } from "../../../lib/install/cluster-config.ts";

test("parseRange() reads a range and refuses what is none, naming the flag", (t) => {
  t.deepEqual(parseRange("10.89.0.0/24", "--host-cidr"), { first: 173_604_864, last: 173_605_119, bits: 24 });
  for (const text of ["10.89.0.0", "10.89.0.256/24", "10.89.0.0/33", "fd00::/64", ""]) t.throws(() => parseRange(text, "--host-cidr"), { message: /--host-cidr/ });
  t.throws(() => parseRange("10.89.0.7/24", "--host-cidr"), { message: /expected 10\.89\.0\.0\/24/ });
});

test("rangesOverlap() sees containment on both sides and not neighbours", (t) => {
  const [wide, inside, next] = [parseRange("10.0.0.0/8", ""), parseRange("10.89.0.0/24", ""), parseRange("11.0.0.0/8", "")];
  t.true(rangesOverlap(wide!, inside!));
  t.true(rangesOverlap(inside!, wide!));
  t.false(rangesOverlap(wide!, next!));
});

test("buildClusterConfig() gives every worker a name and an address of its own", (t) => {
  const config = buildClusterConfig({ ...CLUSTER_DEFAULTS, workers: 2 }, "id");
  t.deepEqual(config.workers, [{ name: "worker-1", address: "10.89.0.11" }, { name: "worker-2", address: "10.89.0.12" }]);
  t.is(addressAt(config.serviceCidr, 10), "10.96.0.10");
});

test("buildClusterConfig() refuses nonsense, naming the flag", (t) => {
  const wrong: [Partial<typeof CLUSTER_DEFAULTS>, RegExp][] = [
    [{ workers: 0 }, /--workers=0/], [{ workers: 1.5 }, /--workers/], [{ apiPort: 70_000 }, /--api-port/], [{ profile: "large" }, /--profile=large/],
    [{ podCidr: "10.96.0.0/16" }, /--pod-cidr=.* --service-cidr=.*overlap/], [{ hostCidr: "10.89.0.0/26" }, /--host-cidr/], [{ podCidr: "10.244.0.0/24" }, /--pod-cidr/], [{ serviceCidr: "10.96.0.0/28" }, /--service-cidr/],
  ];
  for (const [options, message] of wrong) t.throws(() => buildClusterConfig({ ...CLUSTER_DEFAULTS, ...options }, "id"), { instanceOf: RangeError, message });
});

test("loadClusterConfig() returns what was saved, nothing where nothing is, and says what to do with a damaged file", async (t) => {
  const file = path.join(mkdtempSync(path.join(tmpdir(), "kaji-test-")), "cluster.json");
  t.is(await loadClusterConfig(file), undefined);
  const config = buildClusterConfig(CLUSTER_DEFAULTS, "id");
  await saveClusterConfig(config, file);
  t.deepEqual(await loadClusterConfig(file), config);
  writeFileSync(file, "{\"version\":");
  await t.throwsAsync(loadClusterConfig(file), { message: /kaji down/ });
});

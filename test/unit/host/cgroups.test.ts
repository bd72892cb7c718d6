import test from "ava";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { cgroupParent, cgroupPath, parseCgroupRoot, sliceOf } from "../../../lib/host/cgroup-name.ts";
import { Cgroups, detectCgroups, resourceFiles, sharesToWeight } from "../../../lib/host/cgroups.ts";
import { mountsBelow, parseMountInfo } from "../../../lib/host/mounts.ts";
import { osReleaseValue, parseMemInfo } from "../../../lib/host/facts.ts";

test("cgroupPath() is a path for cgroupfs and nested slices for systemd", (t) => {
  const name = [...parseCgroupRoot("/kaji/w-1"), "kubepods", "burstable", "pod1-2"];
  t.is(cgroupPath(name, "cgroupfs"), "/kaji/w-1/kubepods/burstable/pod1-2");
  t.is(cgroupPath(["kubepods", "burstable", "pod1-2"], "systemd"), "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice");
  t.is(cgroupParent(["kubepods", "pod1-2"], "systemd"), "kubepods-pod1_2.slice");
  t.is(sliceOf([]), "-.slice");
  t.deepEqual(parseCgroupRoot("/"), []);
});

const V1 = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n33 31 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

test("detectCgroups() takes version 1 where a controller is mounted that way, version 2 only without", (t) => {
  const one = detectCgroups(parseMountInfo(V1));
  t.is(one.version, 1);
  t.deepEqual(Object.fromEntries(one.mounts), { cpu: "/sys/fs/cgroup/cpu,cpuacct", cpuacct: "/sys/fs/cgroup/cpu,cpuacct", "name=systemd": "/sys/fs/cgroup/systemd", unified: "/sys/fs/cgroup/unified" });
  t.is(detectCgroups(parseMountInfo("31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")).version, 2);
  t.throws(() => detectCgroups([]), { message: /neither version 1 nor version 2/ });
});

test("resourceFiles() names the files of each version", (t) => {
  const resources = { cpuShares: 1_024, cpuQuotaUs: 20_000, memoryMaxBytes: 64, pidsMax: 9 };
  t.deepEqual(resourceFiles(1, resources), [["cpu", "cpu.shares", "1024"], ["cpu", "cpu.cfs_period_us", "100000"], ["cpu", "cpu.cfs_quota_us", "20000"], ["memory", "memory.limit_in_bytes", "64"], ["pids", "pids.max", "9"]]);
  t.deepEqual(resourceFiles(2, resources), [["cpu", "cpu.weight", "39"], ["cpu", "cpu.max", "20000 100000"], ["memory", "memory.max", "64"], ["pids", "pids.max", "9"]]);
  t.deepEqual(resourceFiles(2, { cpuQuotaUs: -1 }), [["cpu", "cpu.max", "max 100000"]]);
  t.deepEqual([2, 1_024, 262_144].map(sharesToWeight), [1, 39, 10_000]);
});

test("Cgroups on version 2 opens the controllers its parent offers, and removes a subtree", async (t) => {
  const root = await mkdtemp(path.join(tmpdir(), "cgroup-"));
  await writeFile(path.join(root, "cgroup.controllers"), "cpu memory rdma\n");
  await writeFile(path.join(root, "cgroup.subtree_control"), "");
  await mkdir(path.join(root, "a"));
  await writeFile(path.join(root, "a", "cgroup.controllers"), "\n");
  const cgroups = new Cgroups({ version: 2, mounts: new Map([["unified", root]]) }, "cgroupfs");
  await cgroups.ensure(["a", "b"], { memoryMaxBytes: 5 });
  t.is(await readFile(path.join(root, "cgroup.subtree_control"), "utf8"), "+memory"); // Each write replaces a plain file's text; the last one shows.
  t.is(await readFile(path.join(root, "a/b/memory.max"), "utf8"), "5");
  t.deepEqual(await cgroups.children(["a"]), ["b"]);
  await rm(path.join(root, "a/b/memory.max"));
  t.true(await cgroups.remove(["a", "b"]));
  t.deepEqual(await cgroups.children(["a"]), []);
  t.true(await cgroups.remove(["never"]));
  await rm(root, { recursive: true });
});

test("Cgroups with the systemd driver makes slices and sets properties through systemctl", async (t) => {
  const calls: string[] = [];
  const cgroups = new Cgroups({ version: 2, mounts: new Map([["unified", "/nowhere"]]) }, "systemd", async (args) => { calls.push(args.join(" ")); });
  await cgroups.ensure(["kubepods", "pod1-2"], { cpuShares: 1_024, cpuQuotaUs: 50_000, memoryMaxBytes: 7 });
  t.deepEqual(calls, ["start -- kubepods-pod1_2.slice", "set-property --runtime -- kubepods-pod1_2.slice CPUWeight=39 CPUQuota=50% MemoryMax=7"]);
});

test("parseMountInfo() reads escapes, and mountsBelow() lists the deepest first", (t) => {
  const mounts = parseMountInfo("1 0 0:1 / /a rw - ext4 /dev/x rw\n2 1 0:2 / /a/b\\040c rw,relatime shared:1 - tmpfs tmpfs rw,size=1k\n3 1 0:3 / /ab rw - tmpfs tmpfs rw\n");
  t.like(mounts[1], { path: "/a/b c", type: "tmpfs", superOptions: ["rw", "size=1k"] });
  t.deepEqual(mountsBelow(mounts, "/a"), ["/a/b c", "/a"]);
});

test("facts are read from the kernel's and the distribution's own words", (t) => {
  t.deepEqual(parseMemInfo("MemTotal:       24684084 kB\nMemAvailable:   100 kB\nSwapTotal: 0 kB\n"), { totalBytes: 24_684_084 * 1_024, availableBytes: 102_400, swapTotalBytes: 0, swapFreeBytes: 0 });
  t.is(osReleaseValue('NAME="x"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n', "PRETTY_NAME"), "Debian GNU/Linux 12 (bookworm)");
});

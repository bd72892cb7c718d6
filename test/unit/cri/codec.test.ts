import test from "ava";
import { decode, encode } from "../../../lib/cri/codec.ts";
import { enums, messages } from "../../../lib/cri/messages.ts";
import { CriCode, CriError, isCriCode } from "../../../lib/cri/error.ts";
import { socketTarget } from "../../../lib/cri/client.ts";

test("encode() puts fields under CRI's numbers", (t) => {
  t.is(encode("VersionRequest", { version: "v1" }).toString("hex"), "0a027631");
  // field 8 (linux) { field 1 (cgroup_parent) "/p" }
  t.is(encode("PodSandboxConfig", { linux: { cgroupParent: "/p" } }).toString("hex"), "42040a022f70");
  // field 18, varint 8: SIGNAL_SIGHUP.
  t.is(encode("ContainerConfig", { stopSignal: "SIGNAL_SIGHUP" }).toString("hex"), "900108");
  t.is(encode("ImageSpec", { userSpecifiedImage: "a" }).toString("hex"), "92010161");
});

test("decode() gives every scalar, list and map, and null for a message that is not there", (t) => {
  const status = decode("ContainerStatus", Buffer.alloc(0));
  t.like(status, { id: "", state: "CONTAINER_CREATED", createdAt: 0, mounts: [], labels: {}, metadata: null });
});

test("decode() reads back what encode() wrote, 64-bit numbers as numbers and bytes as bytes", (t) => {
  const config = decode("ContainerConfig", encode("ContainerConfig", {
    envs: [{ key: "A", value: Buffer.from([0, 255]) }], labels: { a: "b" }, mounts: [{ hostPath: "/h", propagation: "PROPAGATION_BIDIRECTIONAL" }], linux: { resources: { memoryLimitInBytes: 2 ** 40, cpuQuota: -1 } },
  }));
  t.deepEqual(Buffer.from(config.envs[0]!.value), Buffer.from([0, 255]));
  t.deepEqual(config.labels, { a: "b" });
  t.is(config.mounts[0]!.propagation, "PROPAGATION_BIDIRECTIONAL");
  t.like(config.linux!.resources, { memoryLimitInBytes: 2 ** 40, cpuQuota: -1 });
});

test("descriptors name only types that exist, and use no number twice", (t) => {
  const scalars = new Set(["string", "bool", "int32", "uint32", "int64", "uint64", "double", "bytes", "map"]), known = new Set([...Object.keys(messages), ...Object.keys(enums)]);
  for (const [name, fields] of Object.entries(messages)) {
    const list = Object.values(fields as Record<string, readonly [number, string]>);
    t.is(new Set(list.map(([number]) => number)).size, list.length, name);
    for (const [, type] of list) t.true(scalars.has(type.replace("[]", "")) || known.has(type.replace("[]", "")), `${name}: ${type}`);
  }
  t.is(enums.Signal.length, 66);
  t.is(enums.Signal[65], "SIGNAL_SIGRTMAX");
  t.is(enums.Signal[51], "SIGNAL_SIGRTMAXMINUS14");
});

test("CriError carries the code and reads as Go's errors do", (t) => {
  const error = new CriError("PullImage", CriCode.NOT_FOUND, "no such image");
  t.is(error.message, "rpc error: code = NotFound desc = no such image");
  t.true(isCriCode(error, CriCode.NOT_FOUND));
  t.false(isCriCode(error, CriCode.UNAVAILABLE));
  t.is(new CriError("X", CriCode.CANCELLED, "").message, "rpc error: code = Canceled desc = ");
});

test("socketTarget() takes the forms of a unix socket and refuses all else", (t) => {
  for (const endpoint of ["unix:///run/c.sock", "unix:/run/c.sock", "/run/c.sock"]) t.is(socketTarget(endpoint), "unix:/run/c.sock");
  t.throws(() => socketTarget("tcp://127.0.0.1:1"), { message: /only unix sockets/ });
});

import test from "ava";
import type { CriMessage } from "../../../lib/cri/messages.ts";
import { LABEL } from "../../../lib/kubelet/labels.ts";
import { planRotated } from "../../../lib/kubelet/housekeeping/log-rotator.ts";
import { planContainerGc } from "../../../lib/kubelet/housekeeping/plan-container-gc.ts";
import { crossed, evictionMessage, parseThresholds, pressureOf, rankVictims, type PodUse } from "../../../lib/kubelet/housekeeping/plan-eviction.ts";
import { exceededStorage, hasStorageLimit } from "../../../lib/kubelet/housekeeping/plan-storage-limits.ts";
import { bytesToFree, planImageGc, type ImageRecord } from "../../../lib/kubelet/housekeeping/plan-image-gc.ts";
import { makeContainer, makePod } from "./builders.ts";

const labels = (uid: string, container = "", node = "n1"): Record<string, string> => ({ [LABEL.podUid]: uid, [LABEL.containerName]: container, [LABEL.node]: node });
const run = (id: string, createdAt: number, over: Partial<CriMessage<"Container">> = {}): CriMessage<"Container"> =>
  ({ id, podSandboxId: "s1", metadata: null, image: null, imageRef: "", state: "CONTAINER_EXITED", createdAt, labels: labels("u1", "main"), annotations: {}, imageId: "", ...over });
const sandbox = (id: string, createdAt: number, over: Partial<CriMessage<"PodSandbox">> = {}): CriMessage<"PodSandbox"> =>
  ({ id, metadata: null, state: "SANDBOX_NOTREADY", createdAt, labels: labels("u1"), annotations: {}, runtimeHandler: "", ...over });

test("planContainerGc() keeps the newest ended run of each container and all that run", (t) => {
  const plan = planContainerGc([run("old", 1), run("older", 0), run("new", 2), run("up", 3, { state: "CONTAINER_RUNNING" }), run("other", 0, { labels: labels("u1", "side") })], [], new Set(["u1"]), "n1");
  t.deepEqual(plan.containers.sort(), ["old", "older"]);
});
test("planContainerGc() leaves pods of other nodes and pods nobody knows alone", (t) => {
  const foreign = [0, 1].map((n) => run(`f${n}`, n, { labels: labels("u1", "main", "n2") })), unknown = [0, 1].map((n) => run(`u${n}`, n, { labels: labels("u9", "main") }));
  t.deepEqual(planContainerGc([...foreign, ...unknown], [sandbox("s", 0, { labels: labels("u9") })], new Set(["u1"]), "n1"), { containers: [], sandboxes: [] });
});
test("planContainerGc() removes an old sandbox once nothing kept is in it, never the newest", (t) => {
  const boxes = [sandbox("s1", 1), sandbox("s2", 2), sandbox("s3", 3)];
  t.deepEqual(planContainerGc([run("kept", 1, { podSandboxId: "s2" })], boxes, new Set(["u1"]), "n1").sandboxes, ["s1"]);
});

test("bytesToFree() starts at the high mark and goes down to the low one", (t) => {
  const policy = { highPercent: 85, lowPercent: 80, minimumAgeMs: 0 };
  t.is(bytesToFree({ capacityBytes: 1_000, availableBytes: 160 }, policy), 0);
  t.is(bytesToFree({ capacityBytes: 1_000, availableBytes: 150 }, policy), 50);
});
test("planImageGc() removes the least recently used first, and neither used, pinned nor young images", (t) => {
  const image = (id: string, lastUsedMs: number, over: Partial<ImageRecord> = {}): ImageRecord => ({ id, sizeBytes: 10, pinned: false, firstSeenMs: 0, lastUsedMs, ...over });
  const images = [image("b", 5), image("a", 1), image("used", 0), image("pinned", 0, { pinned: true }), image("young", 0, { firstSeenMs: 990 })];
  t.deepEqual(planImageGc(images, new Set(["used"]), 15, 100, 1_000), ["a", "b"]);
  t.deepEqual(planImageGc(images, new Set(["used"]), 10, 100, 1_000), ["a"]);
});

test("planRotated() keeps the newest and compresses all but the last", (t) => {
  t.deepEqual(planRotated(["0.log.3", "0.log.1.gz", "0.log.2", "0.log.2.tmp"], 2), { remove: ["0.log.2.tmp", "0.log.1.gz"], compress: ["0.log.2"] });
});

test("crossed() knows percentages and amounts", (t) => {
  const thresholds = parseThresholds({ "memory.available": "100Mi", "nodefs.available": "10%" });
  t.deepEqual(crossed(thresholds, { "memory.available": { available: 99 * 2 ** 20, capacity: 2 ** 30 }, "nodefs.available": { available: 100, capacity: 1_000 } }).map(({ signal }) => signal), ["memory.available"]);
  t.deepEqual(pressureOf(["imagefs.available"]), { memory: false, disk: true, pids: false });
  t.throws(() => parseThresholds({ "moon.available": "1" }), { message: /unknown signal "moon.available"/ });
  t.throws(() => parseThresholds({ "memory.available": "much" }));
});
test("rankVictims() takes those over their requests first, then low priority, then the greediest; critical pods never", (t) => {
  const use = (name: string, memoryBytes: number, spec: object = {}): PodUse => ({ pod: makePod({ metadata: { name }, spec }), memoryBytes, diskBytes: 0, processes: 0 });
  const asks = { containers: [makeContainer("main", { resources: { requests: { memory: "100" } } })] };
  const victims = rankVictims([use("within", 50, asks), use("critical", 999, { priority: 2_000_000_000 }), use("important", 900, { priority: 10 }), use("small", 10), use("greedy", 500)], "memory.available");
  t.deepEqual(victims.map(({ pod }) => pod.metadata.name), ["greedy", "small", "important", "within"]);
});
test("evictionMessage() is upstream's", (t) => {
  const [threshold] = parseThresholds({ "memory.available": "100Mi" });
  t.is(evictionMessage(threshold!, { available: 50 * 2 ** 20, capacity: 2 ** 30 }, { pod: makePod(), memoryBytes: 10 * 2 ** 20, diskBytes: 0, processes: 0 }),
    "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container main was using 10240Ki, request is 0, has larger consumption of memory. ");
});

test("exceededStorage() holds a pod to its emptyDirs', its containers' and its own limit", (t) => {
  const limited = (...limits: (string | undefined)[]): ReturnType<typeof makePod> => makePod({ spec: {
    volumes: [{ name: "v", emptyDir: { sizeLimit: "100" } }, { name: "ram", emptyDir: { medium: "Memory", sizeLimit: "1" } }],
    containers: limits.map((limit, i) => makeContainer(`c${i}`, limit === undefined ? {} : { resources: { limits: { "ephemeral-storage": limit } } })),
  } });
  const check = (pod: ReturnType<typeof makePod>, volume: number, ...sizes: number[]): string | undefined => exceededStorage(pod, new Map([["v", volume]]), new Map(sizes.map((size, i) => [`c${i}`, size])));
  t.is(check(limited("50", "50"), 40, 30, 30), undefined);
  t.is(check(limited(undefined), 101, 0), 'Usage of EmptyDir volume "v" exceeds the limit "100". ');
  t.is(check(limited("50"), 40, 20), "Pod ephemeral local storage usage exceeds the total limit of containers 50. ");
  t.is(check(limited("50", undefined), 0, 51, 999), 'Container c0 exceeded its local ephemeral storage limit "50". ');
  t.true(hasStorageLimit(limited("1")));
  t.false(hasStorageLimit(makePod({ spec: { volumes: [{ name: "ram", emptyDir: { medium: "Memory", sizeLimit: "1" } }] } })));
});

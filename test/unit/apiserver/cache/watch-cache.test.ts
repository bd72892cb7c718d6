import test from "ava";
import { resources } from "../../../../lib/api/resources.ts";
import type { Pod } from "../../../../lib/api/schema/generated/models.ts";
import { pods } from "../../../../lib/api/schema/generated/references.ts";
import { NodeGraph } from "../../../../lib/apiserver/authorization/node-graph.ts";
import { WatchCache } from "../../../../lib/apiserver/cache/watch-cache.ts";
import { addCaches } from "../../../../lib/apiserver/registry/registry.ts";
import { MemoryStore } from "../../../../lib/storage/memory-store.ts";
import { silentLogger } from "../../../../lib/util/logger.ts";

const makePod = (name: string): Pod => ({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "n", uid: `uid-${name}` }, spec: { nodeName: "n1", containers: [{ name: "c", image: "i" }], volumes: [{ name: "v", secret: { secretName: `s-${name}` } }] } });

test("WatchCache.start() tells those who listen already of what it finds, each object once, with its version", async (t) => {
  const store = new MemoryStore(), cache = new WatchCache(store, silentLogger), stopping = new AbortController();
  addCaches(cache, resources);
  const { codec, prefix } = cache.cacheOf(pods), heard: string[] = [], graph = new NodeGraph(cache);
  const put = (name: string): Promise<unknown> => store.put(`${prefix}n/${name}`, codec.encode(makePod(name)).value);
  for (let i = 0; i < 1_200; i++) await put(`p${i}`); // Of more than one page.
  const stopGraph = graph.start();
  cache.onChange(pods, (type, pod) => heard.push(`${type} ${pod.metadata.name} ${pod.metadata.resourceVersion}`));
  await cache.start(stopping.signal);
  t.is(heard.length, 1_200);
  t.is(new Set(heard).size, 1_200);
  t.true(heard.includes(`put p7 ${cache.get(pods, "n", "p7")!.metadata.resourceVersion}`));
  t.true(graph.concerns("n1", "secret", "n", "s-p1199"));
  await put("late");
  t.regex(heard.at(-1)!, /^put late \d+$/);
  stopGraph();
  stopping.abort();
});

import test from "ava";
import { memorySizeBytes } from "../../../../lib/kubelet/volumes/volume-manager.ts";
import { makeContainer, makePod } from "../builders.ts";

const MIB = 1024 ** 2;

test("memorySizeBytes() is the least of what the node has, the pod's limit and the volume's own", (t) => {
  const pod = (memory: string | undefined) => makePod({ spec: { containers: [makeContainer("main", { resources: memory === undefined ? {} : { limits: { memory } } })] } });
  const size = (limit: string | undefined, own: string | undefined, allocatable: Record<string, string> = { memory: "1Gi" }): number | undefined =>
    memorySizeBytes(pod(limit), { name: "v", emptyDir: { medium: "Memory", ...(own === undefined ? {} : { sizeLimit: own }) } }, { podIPs: [], hostIPs: [], nodeName: "n", allocatable });
  t.is(size(undefined, undefined), 1024 * MIB);
  t.is(size("100Mi", undefined), 100 * MIB);
  t.is(size("100Mi", "10Mi"), 10 * MIB);
  t.is(size("100Mi", "200Mi"), 100 * MIB);
  t.is(size(undefined, "2Gi"), 1024 * MIB);
  t.is(size(undefined, undefined, {}), undefined);
});

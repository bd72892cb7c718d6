import test from "ava";
import { podRequests } from "../../../../lib/api/helpers/pod-requests.ts";
import type { Container, Pod, PodSpec } from "../../../../lib/api/schema/generated/models.ts";

const container = (name: string, cpu?: string, more: Partial<Container> = {}): Container => ({ name, ...(cpu === undefined ? {} : { resources: { requests: { cpu } } }), ...more });
const pod = (spec: PodSpec, status?: Pod["status"]): Pod => ({ metadata: { name: "p" }, spec, ...(status === undefined ? {} : { status }) });
const cpu = (...args: Parameters<typeof podRequests>): number | undefined => podRequests(...args).get("cpu");

test("podRequests() is the sum of the containers, or the peak of the start where that is more", (t) => {
  t.is(cpu(pod({ containers: [container("a", "100m"), container("b", "1")] })), 1_100);
  t.is(cpu(pod({ containers: [container("a", "1")], initContainers: [container("i", "3"), container("j", "2")] })), 3_000);
});

test("podRequests() adds sidecars to the containers and to whatever starts after them", (t) => {
  const sidecar = container("s", "1", { restartPolicy: "Always" });
  t.is(cpu(pod({ containers: [container("a", "1")], initContainers: [sidecar, container("i", "2")] })), 3_000);
  t.is(cpu(pod({ containers: [container("a", "1")], initContainers: [container("i", "2"), sidecar] })), 2_000);
});

test("podRequests() takes the pod's own requests for what they name, and adds overhead", (t) => {
  const requests = podRequests(pod({ containers: [container("a", "1")], resources: { requests: { cpu: "2", memory: "1Ki" } }, overhead: { cpu: "250m" } }));
  t.deepEqual([...requests], [["cpu", 2_250], ["memory", 1_024]]);
});

test("podRequests() counts what is missing only when asked to", (t) => {
  t.is(cpu(pod({ containers: [container("a")] })), undefined);
  t.is(cpu(pod({ containers: [container("a"), container("b", "1")] }), { missing: { cpu: 100 } }), 1_100);
});

test("podRequests({ useStatus }) counts what a container holds while a resize is under way, and only that when it can never be granted", (t) => {
  const status = { containerStatuses: [{ name: "a", image: "", imageID: "", ready: true, restartCount: 0, allocatedResources: { cpu: "3" }, resources: { requests: { cpu: "3" } } }] };
  t.is(cpu(pod({ containers: [container("a", "1")] }, status), { useStatus: true }), 3_000);
  t.is(cpu(pod({ containers: [container("a", "5")] }, status), { useStatus: true }), 5_000);
  t.is(cpu(pod({ containers: [container("a", "5")] }, { ...status, conditions: [{ type: "PodResizePending", status: "True", reason: "Infeasible" }] }), { useStatus: true }), 3_000);
  t.is(cpu(pod({ containers: [container("a", "1")] }, status)), 1_000);
});

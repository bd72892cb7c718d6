import test from "ava";
import { measuredKinds, quotaEvaluator } from "../../../../lib/api/quota/evaluators.ts";
import { measureUsage, quotaMatches } from "../../../../lib/api/quota/measure.ts";
import { addLists, exceeding, listsEqual, printList, surplusOf } from "../../../../lib/api/quota/resource-list.ts";
import type { PersistentVolumeClaim, Pod, ResourceQuota, Service } from "../../../../lib/api/schema/generated/models.ts";

const NOW = new Date("2026-01-01T00:00:00Z");
const pod = (spec: Partial<Pod["spec"]> = {}, rest: Partial<Pod> = {}): Pod => ({ metadata: { name: "p" }, spec: { containers: [{ name: "main" }], ...spec }, ...rest });
const asking = (cpu: string, memory: string): Partial<Pod["spec"]> => ({ containers: [{ name: "main", resources: { requests: { cpu, memory }, limits: { cpu } } }] });
const quota = (spec: ResourceQuota["spec"], used?: Record<string, string>): ResourceQuota => ({ metadata: { name: "q", namespace: "a" }, spec, status: { hard: spec!.hard!, ...(used === undefined ? {} : { used }) } });
const pods = quotaEvaluator("", "pods")!, services = quotaEvaluator("", "services")!, claims = quotaEvaluator("", "persistentvolumeclaims")!;

test("resource lists: sums keep the format of the first, less than nothing is zero, limits not named allow all", (t) => {
  t.deepEqual(addLists({ memory: "1Gi", a: "1" }, { memory: "1024Mi", b: "2" }), { memory: "2Gi", a: "1", b: "2" });
  t.deepEqual(surplusOf({ cpu: "500m", pods: "1" }, { cpu: "1", x: "3" }), { cpu: "0", pods: "1" });
  t.deepEqual(exceeding({ cpu: "1001m", memory: "1Gi", other: "9" }, { cpu: "1", memory: "1Gi" }), ["cpu"]);
  t.true(listsEqual({ cpu: "1000m" }, { cpu: "1" }));
  t.false(listsEqual({ cpu: "1" }, { cpu: "1", pods: "0" }));
  t.is(printList({ pods: "2", cpu: "1500m" }), "cpu=1500m,pods=2");
});

test("pods are counted with requests, limits, sidecars, init containers, overhead and extended resources", (t) => {
  t.deepEqual(pods.usage(pod(asking("500m", "1Gi")), NOW), {
    "count/pods": "1", pods: "1", cpu: "500m", "requests.cpu": "500m", memory: "1Gi", "requests.memory": "1Gi", "limits.cpu": "500m",
  });
  const mixed = pod({
    containers: [{ name: "main", resources: { requests: { cpu: "1", "example.com/gpu": "2", "hugepages-2Mi": "4Mi" } } }],
    initContainers: [{ name: "side", restartPolicy: "Always", resources: { requests: { cpu: "200m" } } }, { name: "first", resources: { requests: { cpu: "3" } } }], overhead: { cpu: "100m" },
  });
  t.like(pods.usage(mixed, NOW), { "requests.cpu": "3300m", "requests.example.com/gpu": "2", "hugepages-2Mi": "4Mi", "requests.hugepages-2Mi": "4Mi" });
  t.is((pods.usage(mixed, NOW) as Record<string, string>)["limits.cpu"], undefined);
});

test("a pod that has ended, or outlived its grace, is only counted as stored", (t) => {
  for (const phase of ["Failed", "Succeeded"]) t.deepEqual(pods.usage(pod({}, { status: { phase } }), NOW), { "count/pods": "1" });
  const leaving = (seconds: number): Pod => pod({}, { metadata: { name: "p", deletionTimestamp: new Date(NOW.getTime() - seconds * 1_000).toISOString(), deletionGracePeriodSeconds: 30 } });
  t.is((pods.usage(leaving(29), NOW) as Record<string, string>)["pods"], "1");
  t.deepEqual(pods.usage(leaving(31), NOW), { "count/pods": "1" });
  t.true(pods.frees!(pod(), pod({}, { status: { phase: "Failed" } }), NOW));
  t.false(pods.frees!(pod(), pod({}, { status: { phase: "Running" } }), NOW));
});

test("a quota of cpu or memory wants every container to name it", (t) => {
  const two = pod({ containers: [{ name: "b" }, { name: "a", resources: { requests: { cpu: "1" } } }] });
  t.is(pods.missing!(["requests.cpu", "limits.memory", "pods"], two), "must specify limits.memory for: a,b; requests.cpu for: b");
  t.is(pods.missing!(["pods", "requests.ephemeral-storage"], two), undefined);
});

test("scopes choose pods by deadline, quality of service, priority class and reach of their affinity", (t) => {
  const inScope = (spec: Partial<Pod["spec"]>, scopeName: string, operator = "Exists", values: string[] = []): boolean => pods.inScope(pod(spec), { scopeName, operator, values });
  t.deepEqual([inScope({ activeDeadlineSeconds: 5 }, "Terminating"), inScope({}, "Terminating"), inScope({}, "NotTerminating")], [true, false, true]);
  t.deepEqual([inScope({}, "BestEffort"), inScope(asking("1", "1Gi"), "BestEffort"), inScope(asking("1", "1Gi"), "NotBestEffort")], [true, false, true]);
  const high = { priorityClassName: "high" };
  t.deepEqual([inScope(high, "PriorityClass"), inScope(high, "PriorityClass", "In", ["high"]), inScope(high, "PriorityClass", "NotIn", ["high"]), inScope({}, "PriorityClass", "NotIn", ["high"]), inScope({}, "PriorityClass", "DoesNotExist")], [true, true, false, true, true]);
  const term = { topologyKey: "zone", namespaces: ["b"] };
  t.true(inScope({ affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term }] } } }, "CrossNamespacePodAffinity"));
  t.false(inScope({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "zone" }] } } }, "CrossNamespacePodAffinity"));
});

test("Services are counted with the node ports they will get", (t) => {
  const service = (spec: Service["spec"]): unknown => services.usage({ metadata: { name: "s" }, spec } as Service, NOW);
  const ports = [{ port: 80 }, { port: 443, nodePort: 30_443 }] as never;
  t.like(service({ type: "ClusterIP", ports }), { services: "1", "services.nodeports": "0", "services.loadbalancers": "0" });
  t.like(service({ type: "NodePort", ports }), { "services.nodeports": "2" });
  t.like(service({ type: "LoadBalancer", ports }), { "services.nodeports": "2", "services.loadbalancers": "1" });
  t.like(service({ type: "LoadBalancer", allocateLoadBalancerNodePorts: false, ports }), { "services.nodeports": "1" });
});

test("claims are counted in whole bytes, by storage class, and by the larger of what is asked and given", (t) => {
  const claim = (storage: string, allocated?: string): PersistentVolumeClaim => ({ metadata: { name: "c" }, spec: { storageClassName: "gold", resources: { requests: { storage } } }, ...(allocated === undefined ? {} : { status: { allocatedResources: { storage: allocated } } }) });
  t.deepEqual(claims.usage(claim("10Gi"), NOW), {
    "count/persistentvolumeclaims": "1", persistentvolumeclaims: "1", "requests.storage": "10Gi",
    "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "1", "gold.storageclass.storage.k8s.io/requests.storage": "10Gi",
  });
  t.is((claims.usage(claim("10Gi", "20Gi"), NOW) as Record<string, string>)["requests.storage"], "20Gi");
  t.is((claims.usage(claim("1500m"), NOW) as Record<string, string>)["requests.storage"], "2");
  t.deepEqual(claims.matching(["gold.storageclass.storage.k8s.io/requests.storage", "pods"]), ["gold.storageclass.storage.k8s.io/requests.storage"]);
});

test("other kinds are counted by number, events and reviews not at all", (t) => {
  t.deepEqual(quotaEvaluator("apps", "deployments")!.usage({}, NOW), { "count/deployments.apps": "1" });
  t.deepEqual(quotaEvaluator("", "secrets")!.usage({}, NOW), { "count/secrets": "1", secrets: "1" });
  t.is(quotaEvaluator("", "events"), undefined);
  t.is(quotaEvaluator("events.k8s.io", "events"), undefined);
  t.deepEqual(measuredKinds(["pods", "count/deployments.apps", "secrets", "count/secrets", "count/widgets.example.com"]).map(({ group, plural }) => `${plural}/${group}`), ["pods/", "deployments/apps", "secrets/", "widgets/example.com"]);
});

test("measureUsage() gives every name somebody measures, zero included, and leaves out what cannot be had", (t) => {
  const asked = quota({ hard: { pods: "5", "requests.cpu": "2", secrets: "1", "count/widgets.example.com": "9", "nobody/knows": "1" } });
  const used = measureUsage(asked, [pods, quotaEvaluator("", "secrets")!, quotaEvaluator("example.com", "widgets")!], (evaluator) => (evaluator === pods ? [pod(asking("500m", "1Gi")), pod(asking("1", "1Gi"))] : evaluator.plural === "secrets" ? [] : undefined), NOW);
  t.deepEqual(used, { pods: "2", "requests.cpu": "1500m", secrets: "0" });
  const scoped = quota({ hard: { pods: "5", services: "1" }, scopes: ["BestEffort"] });
  t.deepEqual(measureUsage(scoped, [pods, services], (evaluator) => (evaluator === pods ? [pod(), pod(asking("1", "1Gi"))] : [{ metadata: {} }]), NOW), { pods: "1", services: "0" });
  t.false(quotaMatches(scoped, services, { metadata: {} }));
  t.true(quotaMatches(scoped, pods, pod()));
});

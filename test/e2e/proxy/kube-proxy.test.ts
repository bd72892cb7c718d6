/** kube-proxy as a process, with pod network and DNS, against a real API server: Services, names and pods across hosts. */
import test from "ava";
import type { EndpointSlice, Service } from "../../../lib/api/schema/generated/models.ts";
import { endpointslices, nodes, services } from "../../../lib/api/schema/generated/references.ts";
import { HostRoutes } from "../../../lib/network/host-routes.ts";
import { IpRoute } from "../../../lib/network/iproute.ts";
import { SharedInformers } from "../../../lib/runtime/shared-informers.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { silentLogger } from "../../../lib/util/logger.ts";
import { overcommitment } from "../../overcommitment.ts";
import { eventually } from "./namespaces.ts";
import { SmallCluster } from "./small-cluster.ts";

const DNS = "10.96.0.10";

test.serial("kube-proxy: pods, Services and names work across hosts, and cleanup leaves nothing", async (t) => {
  const cluster = new SmallCluster("kp"), { spaces } = cluster;
  try {
    await cluster.start(27_443);
    await cluster.addNode("a", 1);
    await cluster.addNode("b", 2);
    await cluster.addNode("c", 3, 91); // Behind a router: reached through VXLAN.
    const before = new Map<string, string>();
    for (const host of ["a", "b", "c"]) before.set(host, await stateOf(cluster, host));
    for (const host of ["b", "c"]) spaces.run(host, "iptables -P FORWARD DROP"); // As Docker and firewalls leave it.
    for (const host of ["a", "b", "c"]) await cluster.startProxy(host);
    const pods = new Map<string, string>();
    for (const host of ["a", "b", "c"]) {
      t.true(await eventually(() => { try { pods.set(host, cluster.addCniPod(`p${host}`, host)); return true; } catch { return false; } }, 10_000, 300), `pod network on ${host}`);
      spaces.serveHttp(`p${host}`, `pod-${host}`);
    }
    const curl = async (from: string, url: string, seconds = 2): Promise<string> => (await spaces.script(from, `curl -s -m ${seconds} http://${url}/`)).out.trim();

    for (const from of ["pa", "pb", "pc", "a"]) {
      for (const to of ["a", "b", "c"]) t.true(await eventually(async () => await curl(from, `${pods.get(to)}:8080`) === `pod-${to}`, 5_000), `${from} to the pod on ${to}`);
    }
    t.regex(spaces.run("a", "ip route show"), /10\.244\.2\.0\/24 via 10\.90\.0\.2 dev eth0/, "a neighbour is reached straight");
    t.regex(spaces.run("a", "ip route show"), /10\.244\.3\.0\/24 via 10\.244\.3\.0 dev kaji\.1/, "a host behind a router through VXLAN");

    // A Service with endpoints on all three, by address and by name.
    const service = await cluster.client.create<Service>(services, { apiVersion: "v1", kind: "Service", metadata: { name: "web", namespace: "default" }, spec: { ports: [{ name: "http", port: 80, targetPort: 8080 }], type: "NodePort" } });
    const slice = (addresses: string[]): EndpointSlice => ({
      apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata: { name: "web-1", namespace: "default", labels: { "kubernetes.io/service-name": "web" } }, addressType: "IPv4",
      ports: [{ name: "http", port: 8080, protocol: "TCP" }], endpoints: addresses.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    });
    const made = await cluster.client.create(endpointslices, slice([...pods.values()]));
    const startMs = Date.now();
    t.true(await eventually(async () => (await curl("pa", service.spec.clusterIP!)).startsWith("pod-"), 5_000, 10));
    t.log(`new Service answers after ${Date.now() - startMs} ms`);
    const answers = (await spaces.script("pb", `for i in $(seq 90); do curl -s -m 2 http://${service.spec.clusterIP}/; echo; done`, 60_000)).out.trim().split("\n");
    for (const host of ["a", "b", "c"]) t.true(answers.filter((answer) => answer === `pod-${host}`).length >= 15, `${host}: ${answers.filter((answer) => answer === `pod-${host}`).length} of 90`);
    t.regex(await curl("a", `127.0.0.1:${service.spec.ports![0]!.nodePort}`), /^pod-/, "node port on localhost");
    t.regex(await curl("m", `10.90.0.1:${service.spec.ports![0]!.nodePort}`), /^pod-/, "node port from outside");

    // A master without pods reaches them by host routes, which go when told so.
    const informers = new SharedInformers({ client: cluster.client, clock: systemClock, log: silentLogger }), ip = new IpRoute(spaces.prefix("m")), ending = new AbortController();
    const routes = new HostRoutes({ nodes: informers.get(nodes), clock: systemClock, log: silentLogger, ip }, { removeOnStop: true });
    const ended = Promise.all([informers.run(ending.signal), routes.run(ending.signal)]);
    for (const host of ["a", "b"]) t.true(await eventually(async () => await curl("m", `${pods.get(host)}:8080`, 1) === `pod-${host}`, 5_000), `the master to the pod on ${host}`);
    ending.abort();
    await ended;
    t.deepEqual(await ip.routes(), []);

    // Names, from a pod and from the node; over UDP and TCP; nothing is tracked.
    const lookup = async (from: string, name: string): Promise<string> => (await spaces.script(from, `busybox nslookup -type=a ${name} ${DNS}`)).out;
    t.true(await eventually(async () => (await lookup("pa", "web.default.svc.cluster.local")).includes(service.spec.clusterIP!), 5_000));
    t.true((await lookup("a", "web.default.svc.cluster.local")).includes(service.spec.clusterIP!), "from the node itself");
    t.regex(await lookup("pa", "nothing.default.svc.cluster.local"), /NXDOMAIN/);
    const outside = Date.now();
    t.regex(await lookup("pa", "example.com"), /SERVFAIL/);
    t.true(Date.now() - outside < 1_500 * overcommitment(), "without upstream resolvers other names fail at once");
    t.notRegex(spaces.run("a", "conntrack -L"), /dst=10\.96\.0\.10/, "lookups are not tracked");

    // The DNS Service lists the nodes, and its rules do not stand in the way of the local server.
    t.true(await eventually(async () => (await cluster.client.list(endpointslices, { namespace: "kube-system", labelSelector: "kubernetes.io/service-name=kube-dns" })).items.length === 3, 10_000));
    t.true(await eventually(() => spaces.run("a", "iptables-save -t nat").includes("kube-system/kube-dns:dns cluster IP"), 5_000));
    t.true((await lookup("pa", "web.default.svc.cluster.local")).includes(service.spec.clusterIP!));

    // Stopped cleanly, the node's lookups go to the other nodes through the Service; its rules stay.
    t.is(await cluster.stopProxy("a"), 0);
    const dnsNodes = async (count: number): Promise<boolean> => eventually(async () => (await spaces.script("b", "iptables-save -t nat")).out.split("\n").filter((line) => line.includes("kube-dns:dns ->")).length === count, 10_000);
    t.true(await dnsNodes(2));
    for (let i = 0; i < 5; i++) t.true((await lookup("pa", "web.default.svc.cluster.local")).includes(service.spec.clusterIP!), "no lookup is lost when a proxy stops cleanly");
    t.regex(await curl("pa", service.spec.clusterIP!), /^pod-/);
    await cluster.startProxy("a");
    t.true(await dnsNodes(3));

    // SIGKILL and back: the same rules.
    const rules = async (): Promise<string> => (await spaces.script("b", "iptables-save")).out.split("\n").filter((line) => /^[-:]/.test(line)).map((line) => line.replace(/\[.*/, "")).join("\n");
    const settled = await rules();
    await cluster.stopProxy("b", "SIGKILL");
    await cluster.startProxy("b");
    t.true(await eventually(async () => await rules() === settled, 5_000), "after SIGKILL and a start the rules are the same");

    // A link that flaps takes routes along: they come back.
    spaces.run("a", "ip link set eth0 down");
    spaces.run("a", "ip link set eth0 up");
    spaces.run("a", "ip route add default via 10.90.0.254");
    for (const to of ["b", "c"]) t.true(await eventually(async () => await curl("pa", `${pods.get(to)}:8080`, 1) === `pod-${to}`, 10_000), `the pod on ${to} after a link flap`);

    // One endpoint fewer: time until the kernel has it.
    const changedMs = Date.now();
    await cluster.client.update(endpointslices, { ...slice([pods.get("b")!]), metadata: made.metadata });
    t.true(await eventually(async () => !(await spaces.script("a", "iptables-save -t nat")).out.includes(`default/web:http -> ${pods.get("c")}`), 2_000, 1));
    t.log(`endpoint gone from the kernel after ${Date.now() - changedMs} ms (one iptables-save included)`);

    // A node leaves: its routes go.
    await cluster.client.delete(nodes, { name: "c" });
    t.true(await eventually(() => !/10\.244\.3\.0|kaji\.1/.test(spaces.run("a", "ip route show")), 5_000));
    t.true(await eventually(() => !spaces.run("a", "ip link show").includes("kaji.1"), 2_000), "no VXLAN link without need");

    for (const host of ["a", "b", "c"]) {
      await cluster.stopProxy(host);
      spaces.run(host, cluster.proxyCommand(host, ["--cleanup"]).join(" "));
      t.is(await stateOf(cluster, host), before.get(host)!, `cleanup on ${host}`);
    }
  } finally { await cluster.close(); }
});

/** Rules, links, addresses and routes of a host, without counters, numbers and what comes with pods' links. */
async function stateOf({ spaces }: SmallCluster, host: string): Promise<string> {
  const { out } = await spaces.script(host, "iptables-save | grep -E '^-A|KUBE|KAJI'; ip -br link | grep -v '^veth' | sed 's/@.*//' | awk '{print $1}'; ip -4 -br address | grep -v '^veth'; ip route show");
  return out.split("\n").map((line) => line.trim()).join("\n");
}

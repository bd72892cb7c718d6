/** The cluster's DNS as pods see it: short and full names, headless, SRV, PTR, ExternalName, pods' own names. */
import type { ExecutionContext, TestFn } from "ava";
import { services } from "../../../lib/api/schema/generated/references.ts";
import { until } from "../../../lib/install/wait.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { type Lab, labTest, shell, TOOLS_IMAGE } from "./lab.ts";

const CURL = "/machine/bin/curl -sS --fail --max-time 10";
const page = shell("main", `hostname > /usr/share/nginx/html/index.html; exec nginx -g "daemon off;"`, { readinessProbe: { httpGet: { path: "/", port: 80 }, periodSeconds: 1 } });

async function names(t: ExecutionContext, lab: Lab): Promise<void> {
  const labels = { app: "web" }, ns = lab.namespace;
  const service = await lab.create(services, { apiVersion: "v1", kind: "Service", metadata: lab.meta("web"), spec: { selector: labels, ports: [{ name: "http", port: 80 }] } });
  await lab.create(services, { apiVersion: "v1", kind: "Service", metadata: lab.meta("crew"), spec: { clusterIP: "None", selector: labels, ports: [{ name: "http", port: 80 }] } });
  await lab.create(services, { apiVersion: "v1", kind: "Service", metadata: lab.meta("elsewhere"), spec: { type: "ExternalName", externalName: `web.${ns}.svc.cluster.local` } });
  const [one, two] = await Promise.all(["one", "two"].map((name) => lab.readyPod(name, [page], { labels, hostname: name, subdomain: "crew" })));
  await lab.withTools("asker");
  const fetch = (url: string): Promise<string> => lab.sh("asker", `${CURL} http://${url}/`);
  await until("the Service answering", () => fetch("web"), systemClock, 10_000);
  for (const name of ["web", `web.${ns}`, `web.${ns}.svc`, `web.${ns}.svc.cluster.local`, `web.${ns}.svc.cluster.local.`, "crew", "elsewhere"]) t.regex(await fetch(name), /^(one|two)$/, name);
  t.is(await fetch("one.crew"), "one");
  t.is(await fetch(`two.crew.${ns}.svc.cluster.local`), "two");
  t.is(await lab.sh("one", "busybox hostname -f"), `one.crew.${ns}.svc.cluster.local`);
  t.is(await lab.sh("asker", "cat /etc/resolv.conf"), `search ${ns}.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5`);

  await lab.readyPod("looker", [shell("main", "trap 'exit 0' TERM; sleep 100000 & wait", { image: TOOLS_IMAGE })]);
  const look = async (type: string, name: string): Promise<string[]> => {
    const { stdout } = await lab.tryKubectl("exec", "looker", "--", "nslookup", `-type=${type}`, name);
    return stdout.split("\n").slice(3).map((line) => line.replace(/\s+/g, " ").trim()).filter((line) => line !== "").sort();
  };
  const zone = `${ns}.svc.cluster.local`, [a, b] = [one!, two!].map((p) => p.status!.podIP!), reversed = (ip: string): string => `${ip.split(".").reverse().join(".")}.in-addr.arpa`;
  t.deepEqual(await look("a", `web.${zone}`), [`Address: ${service.spec.clusterIP}`, `Name: web.${zone}`]);
  t.deepEqual(await look("a", `crew.${zone}`), [`Address: ${a}`, `Address: ${b}`, `Name: crew.${zone}`, `Name: crew.${zone}`].sort());
  t.deepEqual(await look("srv", `_http._tcp.web.${zone}`), [`_http._tcp.web.${zone} service = 0 100 80 web.${zone}`]);
  t.deepEqual(await look("srv", `_http._tcp.crew.${zone}`), ["one", "two"].map((name) => `_http._tcp.crew.${zone} service = 0 50 80 ${name}.crew.${zone}`));
  t.deepEqual(await look("ptr", reversed(service.spec.clusterIP!)), [`${reversed(service.spec.clusterIP!)} name = web.${zone}`]);
  t.deepEqual(await look("ptr", reversed(a!)), [`${reversed(a!)} name = one.crew.${zone}`]);
  t.deepEqual(await look("cname", `elsewhere.${zone}`), [`elsewhere.${zone} canonical name = web.${zone}`]);
  t.regex((await look("a", `nothing.${zone}`)).join(" "), /NXDOMAIN/);
  t.is((await look("aaaa", `web.${zone}`)).filter((line) => /NXDOMAIN|SERVFAIL|Address/.test(line)).join(), ""); // The name exists, without such an address.
  // Two questions a lookup, twenty lookups: none may wait for a resend of 5 s.
  const slowest = await lab.sh("asker", `for i in $(busybox seq 20); do /machine/bin/curl -s -o /dev/null -w '%{time_namelookup}\\n' http://web.${ns}/; done | busybox sort -n | tail -1`);
  t.log(`slowest of 20 lookups: ${slowest} s`);
  t.true(Number(slowest) < 1);
}

export function registerDns(test: TestFn): void {
  labTest(test, "wl-dns", "curl http://web works in a pod; headless, SRV, PTR and ExternalName names answer", names);
}

import test from "ava";
import fc from "fast-check";
import { renderTransaction, type TableChanges } from "../../../lib/node-iptables/index.ts";
import { endpointsByPort } from "../../../lib/proxy/endpoints.ts";
import { renderService, type ServiceRules } from "../../../lib/proxy/render-service.ts";
import { RuleTables, TABLES } from "../../../lib/proxy/rule-tables.ts";
import { servicePorts } from "../../../lib/proxy/service-port.ts";
import { OPTIONS, makeService, makeSlice } from "./objects.ts";

const rulesOf = (name: string, last: number, ips: string[]): ServiceRules =>
  renderService(servicePorts(makeService(name, { clusterIP: `10.96.1.${last}`, type: "NodePort", port: { nodePort: 30000 + last } }), 4), endpointsByPort([makeSlice(name, ips)], 4, "node-a"), OPTIONS);
const chainsNamed = (plans: readonly TableChanges[]): string[] => plans.flatMap((plan) => plan.changes.map((change) => `${plan.table} ${change.chain}`));

function settled(...services: [string, ServiceRules][]): RuleTables {
  const tables = new RuleTables();
  tables.setBase(OPTIONS);
  for (const [name, rules] of services) tables.setService(name, rules);
  tables.applied(tables.plan());
  return tables;
}

test("RuleTables.plan() is empty when nothing changed, however often it is set", (t) => {
  const tables = settled(["ns/a", rulesOf("a", 1, ["10.244.1.1"])]);
  tables.setBase(OPTIONS);
  tables.setService("ns/a", rulesOf("a", 1, ["10.244.1.1"]));
  t.deepEqual(tables.plan(), []);
});

test("RuleTables.plan() names only the chains of the Service whose endpoint changed", (t) => {
  const tables = settled(["ns/a", rulesOf("a", 1, ["10.244.1.1", "10.244.1.2"])], ["ns/b", rulesOf("b", 2, ["10.244.1.3"])]);
  tables.setService("ns/a", rulesOf("a", 1, ["10.244.1.1", "10.244.1.9"]));
  const named = chainsNamed(tables.plan());
  t.is(named.length, 3, "the Service's chain, the new endpoint's, the old endpoint's");
  t.true(named.every((name) => /^nat KUBE-(SVC|SEP)-/.test(name)), named.join(" "));
});

test("RuleTables.plan() edits KUBE-SERVICES in place when there are many Services", (t) => {
  const many = Array.from({ length: 100 }, (_, i): [string, ServiceRules] => [`ns/s${i}`, rulesOf(`s${i}`, i + 1, ["10.244.1.1"])]);
  const tables = settled(...many);
  tables.setService("ns/s50", undefined);
  const change = tables.plan().find((plan) => plan.table === "nat")?.changes.find((c) => c.chain === "KUBE-SERVICES");
  t.is(change?.kind, "edit");
  t.is(change?.kind === "edit" ? change.remove.length + change.insert.length : 0, 1);
});

test("RuleTables.adopt() removes chains of Services that are gone and leaves strangers alone", (t) => {
  const tables = settled();
  tables.adopt("nat", new Map([...tables.wanted("nat"), ["KUBE-SEP-AAAAAAAAAAAAAAAA", ["-j ACCEPT"]], ["KUBE-SVC-AAAAAAAAAAAAAAAA", ["-j KUBE-SEP-AAAAAAAAAAAAAAAA"]], ["DOCKER", ["-j RETURN"]], ["PREROUTING", []]]));
  t.deepEqual(tables.plan().flatMap((plan) => plan.changes), [{ kind: "delete", chain: "KUBE-SEP-AAAAAAAAAAAAAAAA" }, { kind: "delete", chain: "KUBE-SVC-AAAAAAAAAAAAAAAA" }]);
});

test("RuleTables.adopt() writes everything again when the kernel has nothing", (t) => {
  const tables = settled(["ns/a", rulesOf("a", 1, ["10.244.1.1"])]);
  for (const table of TABLES) tables.adopt(table, new Map());
  const plans = tables.plan();
  for (const table of TABLES) t.deepEqual(new Set(plans.find((p) => p.table === table)?.changes.map((c) => c.chain)), new Set(tables.wanted(table).keys()));
});

test("RuleTables: any sequence of changes ends where starting afresh with the last state ends", (t) => {
  const step = fc.record({ name: fc.constantFrom("a", "b", "c"), ips: fc.option(fc.subarray(["10.244.1.1", "10.244.1.2", "10.244.2.1"]), { nil: undefined }), apply: fc.boolean() });
  fc.assert(fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
    const tables = settled(), last = new Map<string, ServiceRules>();
    const rules = (name: string, ips: string[]): ServiceRules => rulesOf(name, name.charCodeAt(0), ips);
    for (const { name, ips, apply } of steps) {
      if (ips === undefined) last.delete(`ns/${name}`);
      else last.set(`ns/${name}`, rules(name, ips));
      tables.setService(`ns/${name}`, last.get(`ns/${name}`));
      if (apply) tables.applied(tables.plan());
    }
    tables.applied(tables.plan());
    t.is(renderTransaction(tables.plan()), "");
    const fresh = settled(...last);
    for (const table of TABLES) {
      t.deepEqual(Object.fromEntries(tables.wanted(table)), Object.fromEntries(fresh.wanted(table)));
      t.is(tables.ruleCount(table), fresh.ruleCount(table), "rules are counted right");
    }
  }), { numRuns: 60 });
});

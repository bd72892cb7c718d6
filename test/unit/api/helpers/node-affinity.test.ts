import test from "ava";
import { matchesNodeSelectorTerm, matchesRequiredNodeAffinity, preferredNodeAffinityScore } from "../../../../lib/api/helpers/node-affinity.ts";
import type { Node } from "../../../../lib/api/schema/generated/models.ts";

const node = (labels: Record<string, string>): Node => ({ metadata: { name: "n1", labels }, spec: {} });
const expression = (operator: string, values?: string[]): Parameters<typeof matchesNodeSelectorTerm>[0] => ({ matchExpressions: [{ key: "k", operator, ...(values === undefined ? {} : { values }) }] });

test("matchesNodeSelectorTerm() knows six operators", (t) => {
  const has = node({ k: "5" }), lacks = node({});
  const table: [string, string[] | undefined, boolean, boolean][] = [
    ["In", ["4", "5"], true, false], ["NotIn", ["4"], true, true], ["NotIn", ["5"], false, true], ["Exists", undefined, true, false], ["DoesNotExist", undefined, false, true],
    ["Gt", ["4"], true, false], ["Gt", ["5"], false, false], ["Lt", ["6"], true, false], ["Lt", ["x"], false, false], ["Near", ["5"], false, false],
  ];
  for (const [operator, values, whenThere, whenNot] of table) {
    t.is(matchesNodeSelectorTerm(expression(operator, values), has), whenThere, `${operator} there`);
    t.is(matchesNodeSelectorTerm(expression(operator, values), lacks), whenNot, `${operator} not there`);
  }
});

test("matchesNodeSelectorTerm() reads metadata.name in fields, and an empty term matches nothing", (t) => {
  const field = (operator: string, ...values: string[]): boolean => matchesNodeSelectorTerm({ matchFields: [{ key: "metadata.name", operator, values }] }, node({}));
  t.deepEqual([field("In", "n1"), field("In", "n2"), field("NotIn", "n2"), field("In", "n1", "n2")], [true, false, true, false]);
  t.false(matchesNodeSelectorTerm({}, node({})));
});

test("matchesRequiredNodeAffinity() wants the whole nodeSelector and any one term", (t) => {
  const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [expression("In", ["1"]), expression("In", ["2"])] } } };
  t.true(matchesRequiredNodeAffinity({ containers: [], affinity }, node({ k: "2" })));
  t.false(matchesRequiredNodeAffinity({ containers: [], affinity, nodeSelector: { x: "y" } }, node({ k: "2" })));
  t.true(matchesRequiredNodeAffinity({ containers: [] }, node({})));
});

test("preferredNodeAffinityScore() sums the weights of the terms that match", (t) => {
  t.is(preferredNodeAffinityScore([{ weight: 3, preference: expression("Exists") }, { weight: 4, preference: expression("In", ["1"]) }, { weight: 5, preference: {} }], node({ k: "1" })), 7);
});

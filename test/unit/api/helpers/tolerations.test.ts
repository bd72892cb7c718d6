import test from "ava";
import { discourages, evicts, findUntoleratedTaint, forbidsScheduling, tolerates } from "../../../../lib/api/helpers/tolerations.ts";

const taint = { key: "k", value: "v", effect: "NoSchedule" };

test("tolerates() compares effect, key and value; what is empty stands for all", (t) => {
  t.true(tolerates({ key: "k", operator: "Equal", value: "v", effect: "NoSchedule" }, taint));
  t.true(tolerates({ key: "k", value: "v" }, taint));
  t.true(tolerates({ key: "k", operator: "Exists" }, taint));
  t.true(tolerates({ operator: "Exists" }, taint));
  t.false(tolerates({ key: "k", value: "w" }, taint));
  t.false(tolerates({ key: "k", operator: "Exists", effect: "NoExecute" }, taint));
  t.true(tolerates({ key: "k" }, { key: "k", effect: "NoSchedule" }));
  t.false(tolerates({ key: "k", operator: "Sometimes" }, taint));
});

test("tolerates() with Gt and Lt compares whole numbers", (t) => {
  const level = { key: "k", value: "950", effect: "NoSchedule" };
  t.true(tolerates({ key: "k", operator: "Gt", value: "900" }, level));
  t.false(tolerates({ key: "k", operator: "Gt", value: "950" }, level));
  t.true(tolerates({ key: "k", operator: "Lt", value: "1000" }, level));
  t.false(tolerates({ key: "k", operator: "Lt", value: "much" }, level));
});

test("findUntoleratedTaint() gives the first that counts", (t) => {
  const taints = [{ key: "soft", effect: "PreferNoSchedule" }, taint, { key: "hard", effect: "NoExecute" }];
  t.is(findUntoleratedTaint(taints, undefined, forbidsScheduling)?.key, "k");
  t.is(findUntoleratedTaint(taints, [{ key: "k", operator: "Exists" }], forbidsScheduling)?.key, "hard");
  t.is(findUntoleratedTaint(taints, undefined, evicts)?.key, "hard");
  t.is(findUntoleratedTaint(taints, undefined, discourages)?.key, "soft");
  t.is(findUntoleratedTaint(undefined, undefined, evicts), undefined);
});

import test from "ava";
import { CONTROLLERS, selectControllers } from "../../../cmd/kube-controller-manager/controllers.ts";
import { parse } from "../../../cmd/kube-controller-manager/flags.ts";
import { CONTROLLER_NAMES } from "../../../lib/apiserver/bootstrap/controller-roles.ts";
import { namespaceRoleBindings } from "../../../lib/apiserver/bootstrap/namespace-roles.ts";

const names = (wanted: string[]): string[] => selectControllers(wanted).map((c) => c.name);

test("selectControllers() takes all by default, leaves out by either name, and takes single ones", (t) => {
  t.is(names(["*"]).length, CONTROLLERS.length);
  t.false(names(["*", "-podgc"]).includes("pod-garbage-collector-controller"));
  t.false(names(["*", "-deployment-controller"]).includes("deployment-controller"));
  t.deepEqual(names(["replicaset", "namespace-controller"]), ["namespace-controller", "replicaset-controller"]);
});

test("selectControllers() refuses names nobody knows, and turning on what is not built, by name", (t) => {
  t.throws(() => names(["*", "-fantasy"]), { message: '"fantasy" is not in the list of known controllers' });
  t.throws(() => names(["*", "horizontal-pod-autoscaler-controller"]), { message: /"horizontal-pod-autoscaler-controller" is not part of this release/ });
  t.notThrows(() => names(["*", "-horizontal-pod-autoscaler-controller"]));
});

test("every controller's service account has a role", (t) => {
  const bound = [...CONTROLLER_NAMES, ...namespaceRoleBindings().flatMap((binding) => (binding.subjects ?? []).map((subject) => subject.name))];
  for (const { account } of CONTROLLERS) if (account !== undefined) t.true(bound.includes(account), account);
});

test("parse() refuses what cannot work, with the flag's name", (t) => {
  t.throws(() => parse(["--allocate-node-cidrs"]), { message: /--cluster-cidr is needed/ });
  t.throws(() => parse(["--node-eviction-rate=fast"]), { message: /invalid argument "fast" for "--node-eviction-rate"/ });
  t.throws(() => parse(["--profile=large"]), { message: /must be small or upstream/ });
  t.is(parse(["--node-monitor-grace-period=20s"])["node-monitor-grace-period"], 20_000);
});

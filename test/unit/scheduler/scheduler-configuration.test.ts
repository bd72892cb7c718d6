import test from "ava";
import { readSchedulerConfiguration } from "../../../lib/scheduler/scheduler-configuration.ts";
import { parseConfig } from "../../../lib/util/config-file.ts";

const HEAD = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";
const read = (text: string) => readSchedulerConfiguration(parseConfig(text, "s.yaml")[0]!);

test("readSchedulerConfiguration() reads connection, leader election and the scheduler's name, and names what does nothing", (t) => {
  const { configuration, unused } = read(`${HEAD}clientConnection: {kubeconfig: /s.conf, qps: 50}\nleaderElection: {leaderElect: true, leaseDuration: 15s, resourceName: mine}\nprofiles:\n- schedulerName: mine\nparallelism: 16\n`);
  t.like(configuration, { kubeconfig: "/s.conf", schedulerName: "mine" });
  t.like(configuration.leaderElection, { leaderElect: true, leaseDurationMs: 15_000, renewDeadlineMs: undefined, resourceName: "mine" });
  t.deepEqual(unused, ["clientConnection.qps", "parallelism"]);
});
test("readSchedulerConfiguration() refuses what would place pods otherwise, by line and field", (t) => {
  t.throws(() => read(`${HEAD}profiles:\n- schedulerName: a\n  plugins: {}\n`), { message: 'Cannot use s.yaml, line 5: field "profiles[0].plugins" is not supported by this release, which runs the default plugins' });
  t.throws(() => read(`${HEAD}profiles:\n- schedulerName: a\n- schedulerName: b\n`), { message: /line 5: a second profile is not supported/ });
  t.throws(() => read(`${HEAD}extenders:\n- urlPrefix: x\n`), { message: /line 3: field "extenders" is not supported/ });
  t.throws(() => read(`${HEAD}leaderElection: {resourceLock: endpoints}\n`), { message: /line 3: field "leaderElection\.resourceLock" must be leases, found "endpoints"/ });
  t.throws(() => read(`${HEAD}profile: []\n`), { message: /line 3: unknown field "profile"; did you mean "profiles"\?/ });
});

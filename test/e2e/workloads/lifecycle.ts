/** What containers live through: init containers, restarts with back-off, their last words, a graceful end. */
import type { ExecutionContext, TestFn } from "ava";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { pods } from "../../../lib/api/schema/generated/references.ts";
import { NGINX_IMAGE } from "../../../lib/install/images.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { type Lab, labTest, shell, SLEEP, statusOf, TOOLS_IMAGE } from "./lab.ts";

const SHARED = [{ name: "shared", mountPath: "/shared" }];
const seconds = (from: string | undefined, to: string | undefined): number => (Date.parse(to!) - Date.parse(from!)) / 1_000;

async function initContainers(t: ExecutionContext, lab: Lab): Promise<void> {
  const note = (name: string, script: string) => shell(name, `echo ${name} >> /shared/order; ${script}`, { volumeMounts: SHARED });
  await lab.readyPod("ordered", [note("main", `cat /shared/order; ${SLEEP}`)], {
    volumes: [{ name: "shared", emptyDir: {} }],
    initContainers: [note("first", "sleep 1"), { ...note("beside", SLEEP), restartPolicy: "Always" }, note("second", "test -e /shared/tried || { touch /shared/tried; exit 4; }"), note("third", "true")],
  });
  t.is(await lab.logs("ordered", "-c", "main"), "first\nbeside\nsecond\nsecond\nthird\nmain\n");
  const pod = await lab.client.get(pods, { namespace: lab.namespace, name: "ordered" });
  t.deepEqual(pod.status!.initContainerStatuses!.map((s) => [s.name, s.restartCount, s.state?.terminated?.reason ?? "running", s.ready]), [["first", 0, "Completed", true], ["beside", 0, "running", true], ["second", 1, "Completed", true], ["third", 0, "Completed", true]]);
  t.is(statusOf(pod, "second")!.lastState!.terminated!.exitCode, 4);
  t.regex(await lab.kubectl("get", "pod", "ordered"), /ordered\s+2\/2\s+Running\s+0/);

  await lab.pod("stuck", [shell("main", SLEEP)], { initContainers: [shell("bad", "echo no; exit 9")], restartPolicy: "Never" });
  const failed = await lab.podUntil("stuck", "Failed", (p) => p.status?.phase === "Failed");
  t.is(statusOf(failed, "bad")!.state!.terminated!.exitCode, 9);
  t.truthy(statusOf(failed, "main")!.state!.waiting);
  t.regex(await lab.kubectl("get", "pod", "stuck"), /stuck\s+0\/1\s+Init:Error\s+0/);
}

async function crashLoop(t: ExecutionContext, lab: Lab): Promise<void> {
  await lab.pod("crash", [shell("main", "echo run $(date +%s); echo 'last words' > /dev/termination-log; exit 3")]);
  const first = await lab.podUntil("crash", "CrashLoopBackOff", (p) => statusOf(p, "main")?.state?.waiting?.reason === "CrashLoopBackOff");
  const waiting = statusOf(first, "main")!;
  t.is(waiting.restartCount, 1); // The first restart is at once.
  t.is(waiting.state!.waiting!.message, `back-off 10s restarting failed container=main pod=crash_${lab.namespace}(${first.metadata.uid})`);
  t.like(waiting.lastState!.terminated, { exitCode: 3, reason: "Error", message: "last words\n" });
  t.is(first.status!.phase, "Running");
  await lab.event("crash", "BackOff", /^Back-off restarting failed container main in pod crash_/);
  t.regex(await lab.kubectl("get", "pod", "crash"), /crash\s+0\/1\s+CrashLoopBackOff\s+1 \(\d+s ago\)/);
  t.regex(await lab.logs("crash", "--previous"), /^run \d+\n$/);
  const again = await lab.podUntil("crash", "waiting longer", (p) => /back-off 20s/.test(statusOf(p, "main")?.state?.waiting?.message ?? ""));
  const pause = seconds(waiting.lastState!.terminated!.finishedAt, statusOf(again, "main")!.lastState!.terminated!.startedAt);
  t.true(pause >= 10 && pause < 16, `it waited ${pause} s`);
}

async function endings(t: ExecutionContext, lab: Lab): Promise<void> {
  await lab.pod("done", [shell("a", "exit 0"), shell("b", "exit 0")], { restartPolicy: "OnFailure" });
  await lab.pod("failed", [shell("a", "exit 0"), shell("b", "echo one; echo two; exit 7", { terminationMessagePolicy: "FallbackToLogsOnError" })], { restartPolicy: "Never" });
  await lab.pod("flaky", [shell("a", "test -e /shared/x && exit 0; touch /shared/x; exit 1", { volumeMounts: SHARED })], { restartPolicy: "OnFailure", volumes: [{ name: "shared", emptyDir: {} }] });
  await lab.pod("late", [shell("a", SLEEP)], { activeDeadlineSeconds: 2 });
  const ended = (name: string, phase: string) => lab.podUntil(name, phase, (p) => p.status?.phase === phase);
  const done = await ended("done", "Succeeded");
  t.deepEqual(["Initialized", "Ready", "ContainersReady"].map((type) => done.status!.conditions!.find((c) => c.type === type)).map((c) => [c?.status, c?.reason]), [["True", "PodCompleted"], ["False", "PodCompleted"], ["False", "PodCompleted"]]);
  const failed = await ended("failed", "Failed");
  t.like(statusOf(failed, "b")!.state!.terminated, { exitCode: 7, reason: "Error", message: "one\ntwo\n" });
  t.is(statusOf(await ended("flaky", "Succeeded"), "a")!.restartCount, 1);
  const late = await ended("late", "Failed");
  t.like(late.status, { reason: "DeadlineExceeded", message: "Pod was active on the node longer than the specified deadline" });
  t.regex(await lab.kubectl("get", "pods"), /done\s+0\/2\s+Completed[\s\S]*failed\s+0\/2\s+Error[\s\S]*flaky\s+0\/1\s+Completed[\s\S]*late\s+0\/1\s+Completed/);
}

async function gracefulStop(t: ExecutionContext, lab: Lab): Promise<void> {
  const directory = await mkdtemp(path.join(os.tmpdir(), "kaji-stop-"));
  try {
    const volumes = [{ name: "shared", hostPath: { path: directory, type: "Directory" } }];
    const note = (line: string): string => `echo ${line} >> /shared/$POD`, command = (script: string): string[] => ["/bin/sh", "-c", script];
    const more = { image: TOOLS_IMAGE, env: [{ name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }], volumeMounts: SHARED };
    const polite = shell("main", `trap '${note("TERM")}; sleep 1; ${note("bye")}; exit 0' TERM; ${note("up")}; while :; do sleep 0.1; done`, {
      ...more, lifecycle: { postStart: { exec: { command: command(`sleep 0.5; ${note("postStart")}`) } }, preStop: { exec: { command: command(`${note("preStop")}; sleep 1; ${note("preStop-done")}`) } } },
    });
    const beside = { ...shell("beside", `trap '${note("beside-TERM")}; exit 0' TERM; while :; do sleep 0.1; done`, more), restartPolicy: "Always" };
    const deaf = shell("main", `trap '${note("TERM")}' TERM; ${note("up")}; while :; do sleep 0.1; done`, more);
    const own = shell("main", `trap '${note("QUIT")}; exit 0' QUIT; ${note("up")}; while :; do sleep 0.1; done`, { ...more, image: NGINX_IMAGE });
    await Promise.all([
      lab.readyPod("polite", [polite], { volumes, initContainers: [beside], terminationGracePeriodSeconds: 20 }), lab.readyPod("deaf", [deaf], { volumes, terminationGracePeriodSeconds: 3 }),
      lab.readyPod("own", [own], { volumes, terminationGracePeriodSeconds: 30 }), lab.readyPod("forced", [deaf], { volumes, terminationGracePeriodSeconds: 100 }),
    ]);
    const endOf = async (name: string, ...options: string[]): Promise<number> => {
      const startMs = systemClock.monotonicMs();
      await lab.kubectl("delete", "pod", name, "--wait=false", ...options);
      await lab.gone(name);
      return (systemClock.monotonicMs() - startMs) / 1_000;
    };
    const [politeSeconds, deafSeconds, ownSeconds, forcedSeconds] = await Promise.all([endOf("polite"), endOf("deaf"), endOf("own"), endOf("forced", "--force", "--grace-period=0")]);
    const lines = async (name: string): Promise<string[]> => (await readFile(path.join(directory, name), "utf8")).trim().split("\n");
    t.deepEqual(await lines("polite"), ["up", "postStart", "preStop", "preStop-done", "TERM", "bye", "beside-TERM"]);
    t.deepEqual(await lines("deaf"), ["up", "TERM"]);
    t.deepEqual(await lines("own"), ["up", "QUIT"]); // The image's own stop signal.
    t.log(`seconds until gone: polite ${politeSeconds.toFixed(1)}, deaf ${deafSeconds.toFixed(1)}, own signal ${ownSeconds.toFixed(1)}, forced ${forcedSeconds.toFixed(1)}`);
    t.true(politeSeconds >= 2 && politeSeconds < 10);
    t.true(deafSeconds >= 3 && deafSeconds < 8);
    t.true(ownSeconds < 5 && forcedSeconds < 5); // A forced object goes at once; its containers follow.
  } finally { await rm(directory, { recursive: true, force: true }); }
}

export function registerLifecycle(test: TestFn): void {
  labTest(test, "wl-init", "init containers run in order, again when they fail, with sidecars beside them", initContainers);
  labTest(test, "wl-crash", "a container that keeps ending waits longer each time and says so", crashLoop);
  labTest(test, "wl-endings", "pods end as their restart policy says, with their last words", endings);
  labTest(test, "wl-stop", "a pod ends gracefully: preStop, SIGTERM, sidecars last, and the kill when the grace is over", gracefulStop);
}

/** Runs postStart and preStop hooks. Counterpart: kubelet `lifecycle/handlers.go`. */
import type { Container, LifecycleHandler } from "../api/schema/generated/models.ts";
import type { Cri } from "../cri/client.ts";
import type { Clock } from "../util/clock.ts";
import { httpGet } from "./probes/http-get.ts";
import { httpTarget } from "./probes/target.ts";

const HTTP_TIMEOUT_MS = 60_000, EXEC_DEADLINE_MS = 24 * 3_600_000;

/** Runs one hook to its end. Throws when it fails; stops when `signal` aborts. */
export async function runHook(deps: { cri: Cri; clock: Clock }, hook: LifecycleHandler, target: { containerId: string; container: Container; podIP: string }, signal: AbortSignal): Promise<void> {
  if (hook.exec !== undefined) {
    const command = hook.exec.command ?? [];
    const { exitCode, stdout, stderr } = await deps.cri.call("ExecSync", { containerId: target.containerId, cmd: command, timeout: 0 }, { deadlineMs: EXEC_DEADLINE_MS, signal });
    if (exitCode !== 0) throw new Error(`command '${command.join(" ")}' exited with ${exitCode}: ${stderr.toString("utf8")}, message: ${JSON.stringify(stdout.toString("utf8"))}`);
  } else if (hook.httpGet !== undefined) {
    await httpGet(httpTarget(hook.httpGet, target.container, target.podIP, "kube-lifecycle/1.36"), HTTP_TIMEOUT_MS, signal);
  } else if (hook.sleep !== undefined) await deps.clock.sleep(hook.sleep.seconds * 1_000, signal);
  else throw new Error(`invalid handler: ${Object.keys(hook)[0] ?? "empty"} is not supported`);
}

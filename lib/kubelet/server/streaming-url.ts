/** Asks the runtime where to stream an exec, attach or port-forward. Counterpart: kubelet `server.go` getExec, getAttach, getPortForward. */
import type { Cri } from "../../cri/client.ts";
import { findContainer } from "../pod-facts.ts";
import type { PodWorker } from "../pod-worker.ts";
import { HttpError } from "./http-error.ts";
import type { Route } from "./route.ts";

const truth = (query: URLSearchParams, name: string): boolean => query.get(name) === "1" || query.get(name) === "true";

function streams(query: URLSearchParams): { stdin: boolean; stdout: boolean; stderr: boolean; tty: boolean } {
  const tty = truth(query, "tty"), stdin = truth(query, "input"), stdout = truth(query, "output"), stderr = truth(query, "error") && !tty;
  if (!stdin && !stdout && !stderr) throw new HttpError(400, "you must specify at least 1 of stdin, stdout, stderr");
  return { stdin, stdout, stderr, tty };
}

function runningContainer(worker: PodWorker, name: string): string {
  const run = worker.runtime.containers.find((r) => r.name === name && r.state === "running");
  if (findContainer(worker.pod, name) === undefined || run === undefined) throw new HttpError(404, `container not found ("${name}")`);
  return run.id;
}

/** Throws HttpError when the pod or container is not there. */
export async function streamingUrl(cri: Cri, worker: PodWorker | undefined, route: Extract<Route, { kind: "exec" | "attach" | "run" | "portForward" }>, query: URLSearchParams): Promise<URL> {
  if (worker === undefined || (route.uid !== undefined && route.uid !== worker.pod.metadata.uid)) throw new HttpError(404, `pod does not exist`);
  if (route.kind === "portForward") {
    const sandbox = worker.runtime.sandboxes.find((s) => s.ready);
    if (sandbox === undefined) throw new HttpError(404, `pod "${route.pod}" has no sandbox that runs`);
    const ports = query.getAll("port").flatMap((text) => text.split(",")).filter((text) => text !== "").map(Number);
    if (ports.some((port) => !Number.isInteger(port) || port < 1 || port > 65_535)) throw new HttpError(400, `port is invalid: ${query.getAll("port").join(",")}`);
    return new URL((await cri.call("PortForward", { podSandboxId: sandbox.id, port: ports })).url);
  }
  const containerId = runningContainer(worker, route.container);
  if (route.kind === "attach") return new URL((await cri.call("Attach", { containerId, ...streams(query) })).url);
  return new URL((await cri.call("Exec", { containerId, cmd: query.getAll("command"), ...streams(query) })).url);
}

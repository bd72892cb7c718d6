/** `/containerLogs`: which log is meant, and its options. Counterpart: kubelet `server.go` getContainerLogs and `kubelet_pods.go` validateContainerLogStatus; messages are upstream's. */
import type { ContainerStatus } from "../../api/schema/generated/models.ts";
import { findContainer } from "../pod-facts.ts";
import type { LogOptions } from "../log-reader.ts";
import type { PodWorker } from "../pod-worker.ts";
import type { RuntimeContainer } from "../runtime-status.ts";
import { HttpError } from "./http-error.ts";

function wholeNumber(query: URLSearchParams, name: string, minimum: number): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || value < minimum) throw new HttpError(422, `invalid log options: ${name}: Invalid value: ${text}: must be greater than or equal to ${minimum}`);
  return value;
}

export function parseLogOptions(query: URLSearchParams, now: Date): LogOptions & { previous: boolean } {
  const sinceSeconds = wholeNumber(query, "sinceSeconds", 1), sinceTime = query.get("sinceTime"), truth = (name: string): boolean => query.get(name) === "true" || query.get(name) === "1";
  const stream = query.get("stream")?.toLowerCase();
  return {
    follow: truth("follow"), previous: truth("previous"), timestamps: truth("timestamps"), tailLines: wholeNumber(query, "tailLines", 0), limitBytes: wholeNumber(query, "limitBytes", 1),
    sinceMs: sinceSeconds !== undefined ? now.getTime() - sinceSeconds * 1_000 : sinceTime === null ? undefined : Date.parse(sinceTime), stream: stream === "stdout" || stream === "stderr" ? stream : "all",
  };
}

/** The run whose log is asked for. Throws HttpError. */
export function findRun(worker: PodWorker | undefined, names: { namespace: string; pod: string; container: string }, previous: boolean, statuses: readonly ContainerStatus[]): RuntimeContainer {
  if (worker === undefined) throw new HttpError(404, `pod "${names.pod}" does not exist\n`);
  if (findContainer(worker.pod, names.container) === undefined) throw new HttpError(404, `container "${names.container}" not found in pod "${names.pod}"\n`);
  const runs = worker.runtime.containers.filter((run) => run.name === names.container && run.state !== "created");
  const waiting = statuses.find((status) => status.name === names.container)?.state?.waiting;
  if (previous) {
    const run = waiting !== undefined && waiting.reason === "CrashLoopBackOff" ? runs[0] : runs[1];
    if (run === undefined) throw new HttpError(400, `previous terminated container "${names.container}" in pod "${names.pod}" not found`);
    return run;
  }
  const [run] = runs;
  if (run !== undefined) return run;
  if (waiting?.reason === "ErrImagePull" || waiting?.reason === "ImagePullBackOff") throw new HttpError(400, `container "${names.container}" in pod "${names.pod}" is waiting to start: ${waiting.reason === "ErrImagePull" ? "image can't be pulled" : "trying and failing to pull image"}`);
  throw new HttpError(400, `container "${names.container}" in pod "${names.pod}" is waiting to start: ${waiting?.reason ?? "no logs available yet"}`);
}

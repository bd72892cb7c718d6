/** Carries out one probe. Counterpart: kubelet `prober/prober.go` and `pkg/probe`; outputs are upstream's. */
import net from "node:net";
import type { Container, Probe } from "../../api/schema/generated/models.ts";
import type { Cri } from "../../cri/client.ts";
import { CriCode, isCriCode } from "../../cri/error.ts";
import { expand } from "../expand.ts";
import { checkGrpcHealth } from "./grpc-health.ts";
import { dialError, httpGet } from "./http-get.ts";
import { probeDeadline } from "./probe-deadline.ts";
import { httpTarget, resolvePort } from "./target.ts";

/** "unknown": the probe itself went wrong, which counts neither way. */
export interface ProbeResult { readonly outcome: "success" | "failure" | "unknown"; readonly output: string }
export interface ProbeTarget { readonly containerId: string; readonly container: Container; readonly podIP: string }

const OUTPUT_MAX = 10 * 1024;
const success: ProbeResult = { outcome: "success", output: "" };
const failure = (output: string): ProbeResult => ({ outcome: "failure", output: output.slice(0, OUTPUT_MAX) });

async function execProbe(cri: Cri, target: ProbeTarget, command: readonly string[], timeoutSeconds: number, signal: AbortSignal): Promise<ProbeResult> {
  const literal = new Map((target.container.env ?? []).flatMap((variable) => (variable.value === undefined ? [] : [[variable.name, variable.value] as const])));
  try {
    const { stdout, stderr, exitCode } = await cri.call("ExecSync", { containerId: target.containerId, cmd: command.map((word) => expand(word, literal)), timeout: timeoutSeconds }, { deadlineMs: (timeoutSeconds + 10) * 1_000, signal });
    const output = stdout.toString("utf8") + stderr.toString("utf8");
    return exitCode === 0 ? { outcome: "success", output } : failure(output);
  } catch (error) {
    if (isCriCode(error, CriCode.DEADLINE_EXCEEDED)) return failure(`command timed out: "${command.join(" ")}" timed out after ${timeoutSeconds}s`);
    throw error;
  }
}

function tcpProbe(host: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    const end = (result: ProbeResult): void => { answered(); socket.destroy(); resolve(result); };
    const answered = probeDeadline(timeoutMs, () => end(failure(`dial tcp ${host}:${port}: i/o timeout`)));
    socket.on("connect", () => end(success));
    socket.on("error", (error) => end(failure(dialError({ hostname: host, port: String(port) }, error))));
  });
}

/** Runs the probe once, within its timeout. Never throws but for an abort. */
export async function runProbe(cri: Cri, probe: Probe, target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  const timeoutSeconds = probe.timeoutSeconds ?? 1, timeoutMs = timeoutSeconds * 1_000;
  try {
    if (probe.exec !== undefined) return await execProbe(cri, target, probe.exec.command ?? [], timeoutSeconds, signal);
    if (probe.httpGet !== undefined) {
      return await httpGet(httpTarget(probe.httpGet, target.container, target.podIP), timeoutMs, signal).then(
        (r) => (r.status >= 200 && r.status < 400 ? { outcome: "success" as const, output: r.body } : failure(`HTTP probe failed with statuscode: ${r.status}`)), (error: Error) => failure(error.message));
    }
    if (probe.tcpSocket !== undefined) return await tcpProbe(probe.tcpSocket.host || target.podIP, resolvePort(probe.tcpSocket.port, target.container), timeoutMs);
    if (probe.grpc !== undefined) {
      const why = await checkGrpcHealth(`${target.podIP.includes(":") ? `[${target.podIP}]` : target.podIP}:${probe.grpc.port}`, probe.grpc.service ?? "", timeoutMs, signal);
      return why === undefined ? success : failure(why);
    }
    return { outcome: "unknown", output: "missing probe handler" };
  } catch (error) {
    signal.throwIfAborted();
    return { outcome: "unknown", output: (error as Error).message };
  }
}

/** Probes and lifecycle handlers. Counterpart: `validateProbe`, `validateHandler` in kubernetes `apis/core/validation`. */
import { forbiddenField, invalid, notSupported, required } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import type { HTTPGetAction, Lifecycle, LifecycleHandler, Probe } from "../schema/generated/models.ts";
import { checkNonNegative, checkPortNum, checkPortNumOrName, type Errors } from "../validation/checks.ts";
import { isHttpHeaderName } from "../validation/names.ts";

export type ProbeKind = "livenessProbe" | "readinessProbe" | "startupProbe";
const COUNTERS = ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] as const;

export function checkProbe(errors: Errors, path: FieldPath, probe: Probe, kind: ProbeKind, graceSeconds: number | undefined): void {
  checkHandler(errors, path, probe, graceSeconds);
  for (const counter of COUNTERS) checkNonNegative(errors, path.child(counter), probe[counter]);
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && grace <= 0) errors.push(invalid(path.child("terminationGracePeriodSeconds"), grace, "must be greater than 0"));
  if (kind === "readinessProbe") {
    if (grace !== undefined) errors.push(invalid(path.child("terminationGracePeriodSeconds"), grace, "must not be set for readinessProbes"));
  } else if (probe.successThreshold !== 1) errors.push(invalid(path.child("successThreshold"), probe.successThreshold ?? 0, "must be 1"));
}

/** Also names the signal that stops the container, which only a pod that says its operating system may choose. */
export function checkLifecycle(errors: Errors, path: FieldPath, lifecycle: Lifecycle, graceSeconds: number | undefined, osName: string | undefined): void {
  if (lifecycle.postStart !== undefined) checkHandler(errors, path.child("postStart"), lifecycle.postStart, graceSeconds);
  if (lifecycle.preStop !== undefined) checkHandler(errors, path.child("preStop"), lifecycle.preStop, graceSeconds);
  if (lifecycle.stopSignal !== undefined) checkStopSignal(errors, path.child("stopSignal"), lifecycle.stopSignal, osName);
}

const SIGNALS = "ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ".split(" ").map((name) => `SIG${name}`);
const REAL_TIME = Array.from({ length: 15 }, (_, i) => [`SIGRTMIN+${i + 1}`, i < 14 ? `SIGRTMAX-${i + 1}` : ""]).flat().filter((name) => name !== "");
const LINUX_SIGNALS = [...SIGNALS, ...REAL_TIME, "SIGRTMIN", "SIGRTMAX"].sort();
const WINDOWS_SIGNALS = ["SIGKILL", "SIGTERM"];

function checkStopSignal(errors: Errors, path: FieldPath, signal: string, osName: string | undefined): void {
  if (osName === undefined) {
    errors.push(forbiddenField(path, "may not be set for containers with empty `spec.os.name`"));
    return;
  }
  const supported = osName === "windows" ? WINDOWS_SIGNALS : LINUX_SIGNALS;
  if (!supported.includes(signal)) errors.push(notSupported(path, signal, supported));
}

/** Exactly one way of asking. */
function checkHandler(errors: Errors, path: FieldPath, handler: Probe & LifecycleHandler, graceSeconds: number | undefined): void {
  let handlers = 0;
  const isFirst = (kind: string): boolean => {
    if (handlers++ === 0) return true;
    errors.push(forbiddenField(path.child(kind), "may not specify more than 1 handler type"));
    return false;
  };
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  if (exec !== undefined && isFirst("exec") && (exec.command ?? []).length === 0) errors.push(required(path.child("exec", "command")));
  if (httpGet !== undefined && isFirst("httpGet")) checkHttpGet(errors, path.child("httpGet"), httpGet);
  if (tcpSocket !== undefined && isFirst("tcpSocket")) checkPortNumOrName(errors, path.child("tcpSocket", "port"), tcpSocket.port);
  if (grpc !== undefined && isFirst("grpc")) checkPortNum(errors, path.child("grpc", "port"), grpc.port);
  if (sleep !== undefined && isFirst("sleep") && graceSeconds !== undefined && (sleep.seconds < 0 || sleep.seconds > graceSeconds)) {
    errors.push(invalid(path.child("sleep"), sleep.seconds, `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`));
  }
  if (handlers === 0) errors.push(required(path, "must specify a handler type"));
}

function checkHttpGet(errors: Errors, path: FieldPath, action: HTTPGetAction): void {
  if ((action.path ?? "") === "") errors.push(required(path.child("path")));
  checkPortNumOrName(errors, path.child("port"), action.port);
  if (action.scheme !== "HTTP" && action.scheme !== "HTTPS") errors.push(notSupported(path.child("scheme"), action.scheme ?? "", ["HTTP", "HTTPS"]));
  for (const header of action.httpHeaders ?? []) for (const fault of isHttpHeaderName(header.name ?? "")) errors.push(invalid(path.child("httpHeaders"), header.name, fault));
}

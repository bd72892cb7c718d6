/** What a check of a host found, and what would mend it. Counterpart: kubeadm `preflight`'s errors and warnings. */

/** `error` keeps the host from being a member; `warning` may bite later; `note` is harmless and only told. */
export type Severity = "error" | "warning" | "note";

/** What `kaji check --fix` may do by itself: each harmless, and nothing when it is done already. */
export type Fix =
  | { readonly kind: "load-module"; readonly module: string }
  | { readonly kind: "sysctl"; readonly name: string; readonly value: string }
  | { readonly kind: "swap-off" }
  | { readonly kind: "machine-id" }
  | { readonly kind: "clock-sync" };

export interface HostFinding {
  /** Which check found it, such as `ports`. */
  readonly check: string;
  readonly severity: Severity;
  /** What is so, as the end of "found: …". */
  readonly problem: string;
  /** The next step. */
  readonly advice: string;
  readonly fix?: Fix;
}

type Make = (problem: string, advice: string, fix?: Fix) => HostFinding;
/** Makers of findings for one check. */
export function findingsOf(check: string): Record<Severity, Make> {
  const make = (severity: Severity): Make => (problem, advice, fix) => ({ check, severity, problem, advice, ...(fix === undefined ? {} : { fix }) });
  return { error: make("error"), warning: make("warning"), note: make("note") };
}

const ORDER: readonly Severity[] = ["error", "warning", "note"];
/** Errors first, else as found. */
export const bySeverity = (findings: readonly HostFinding[]): HostFinding[] => findings.toSorted((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));

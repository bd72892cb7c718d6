/** The clock: certificates and tokens are not valid yet, or no longer, on a host whose clock is wrong. */
import { BACKDATE_MS } from "../../../pki/certificate.ts";
import { findingsOf, type HostFinding } from "./finding.ts";
import type { Check } from "./host-facts.ts";

const { error, warning } = findingsOf("clock");
const NOTICED_MS = 10_000;
/** Beyond this a certificate the master signs now is not valid here yet. */
export const CLOCK_OFF_MAX_MS = BACKDATE_MS - 60_000;

/** `3 s`, `2 min`, `26 h`, `4 days`. */
export function roughly(ms: number): string {
  const seconds = Math.abs(ms) / 1_000;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}

/** Undefined when the clocks agree well enough. */
export function clockOffset(masterAheadMs: number): HostFinding | undefined {
  if (Math.abs(masterAheadMs) < NOTICED_MS) return undefined;
  const which = `this host's clock is ${roughly(masterAheadMs)} ${masterAheadMs > 0 ? "behind" : "ahead of"} the master's`;
  return Math.abs(masterAheadMs) > CLOCK_OFF_MAX_MS
    ? error(which, 'set the clock that is wrong ("timedatectl set-ntp true", or "date -s" by hand): certificates are valid only at their time')
    : warning(which, 'let a time service keep both ("timedatectl set-ntp true")');
}

export const checkClock: Check = ({ clock: { synchronised, canSync, masterAheadMs } }) => {
  const offset = masterAheadMs === undefined ? undefined : clockOffset(masterAheadMs);
  return [
    ...(offset === undefined ? [] : [offset]),
    ...(synchronised === false ? [warning("nothing keeps the clock right", canSync ? '"timedatectl set-ntp true" turns the time service on' : "install a time service such as systemd-timesyncd or chrony", ...(canSync ? [{ kind: "clock-sync" as const }] : []))] : []),
  ];
};

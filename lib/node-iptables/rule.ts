/**
 * Typed rules, written in the very form and order in which `iptables-save` prints them, so that rules written once
 * compare equal with rules read back. The one exception is a probability, which the kernel rounds: see `sameRule`.
 *
 * Order: source, destination, in, out, protocol, comment, matches as given, port, target.
 */
import { quoteWord } from "./arguments.ts";

export type Negatable = string | { readonly not: string };
/** A match or target already in save form; made by the functions below. */
export type Fragment = string & { readonly __fragment: never };

export interface RuleSpec {
  /** A CIDR, e.g. `10.0.0.0/8` or `10.0.0.1/32`. */
  source?: Negatable;
  destination?: Negatable;
  in?: Negatable;
  out?: Negatable;
  protocol?: string;
  comment?: string;
  matches?: readonly Fragment[];
  destinationPort?: number;
  sourcePort?: number;
  /** Loads the protocol's own match even without ports, as upstream tools write before DNAT. */
  protocolMatch?: boolean;
  /** A chain or plain target (`ACCEPT`), or a target made below. Absent: the rule only counts. */
  jump?: string | Fragment;
}

const fragment = (text: string): Fragment => text as Fragment;

function option(flag: string, value: Negatable | undefined): string {
  if (value === undefined) return "";
  return typeof value === "string" ? `${flag} ${value} ` : `! ${flag} ${value.not} `;
}

/** The rule's body, without `-A CHAIN`. */
export function formatRule(spec: RuleSpec): string {
  let text = option("-s", spec.source) + option("-d", spec.destination) + option("-i", spec.in) + option("-o", spec.out);
  if (spec.protocol !== undefined) text += `-p ${spec.protocol} `;
  if (spec.comment !== undefined) text += `-m comment --comment ${quoteWord(spec.comment)} `;
  for (const match of spec.matches ?? []) text += `${match} `;
  if (spec.destinationPort !== undefined || spec.sourcePort !== undefined || spec.protocolMatch === true) {
    if (spec.protocol === undefined) throw new RangeError("Cannot format rule: a port needs a protocol");
    text += `-m ${spec.protocol} `;
    if (spec.sourcePort !== undefined) text += `--sport ${spec.sourcePort} `;
    if (spec.destinationPort !== undefined) text += `--dport ${spec.destinationPort} `;
  }
  if (spec.jump !== undefined) text += `-j ${spec.jump} `;
  return text.trimEnd();
}

const hex = (value: number): string => `0x${value.toString(16)}`;

/** A comment where it must come after other matches; else use `RuleSpec.comment`. */
export const commentMatch = (text: string): Fragment => fragment(`-m comment --comment ${quoteWord(text)}`);
/** Packets whose mark, under `mask`, is (not) `value`. */
export const mark = (value: number, mask: number, not = false): Fragment => fragment(`-m mark ${not ? "! " : ""}--mark ${hex(value)}/${hex(mask)}`);
export const addressType = (direction: "src" | "dst", type: string): Fragment => fragment(`-m addrtype --${direction}-type ${type}`);
export const connectionState = (states: string, not = false): Fragment => fragment(`-m conntrack ${not ? "! " : ""}--ctstate ${states}`);
/** Matches one packet in `1 / n` at random. Ten digits, as upstream tools write it. */
export const oneIn = (n: number): Fragment => fragment(`-m statistic --mode random --probability ${(1 / n).toFixed(10)}`);
const HOST_MASK = { 4: "255.255.255.255", 6: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" } as const;
/** Remembers the packet's source under `name`. */
export const recentSet = (name: string, family: 4 | 6): Fragment => fragment(`-m recent --set --name ${quoteWord(name)} --mask ${HOST_MASK[family]} --rsource`);
/** The packet's source was remembered under `name` within `seconds`; older entries are reaped. */
export const recentCheck = (name: string, seconds: number, family: 4 | 6): Fragment =>
  fragment(`-m recent --rcheck --seconds ${seconds} --reap --name ${quoteWord(name)} --mask ${HOST_MASK[family]} --rsource`);

export const dnat = (destination: string): Fragment => fragment(`DNAT --to-destination ${destination}`);
export const masquerade = (randomFully: boolean): Fragment => fragment(`MASQUERADE${randomFully ? " --random-fully" : ""}`);
/** Sets the bits of `bits` in the mark. */
export const orMark = (bits: number): Fragment => fragment(`MARK --set-xmark ${hex(bits)}/${hex(bits)}`);
/** Flips the bits of `bits` in the mark. */
export const xorMark = (bits: number): Fragment => fragment(`MARK --set-xmark ${hex(bits)}/0x0`);
export const reject = (family: 4 | 6): Fragment => fragment(`REJECT --reject-with ${family === 4 ? "icmp-port-unreachable" : "icmp6-port-unreachable"}`);
export const noTrack = (): Fragment => fragment("CT --notrack");

const PROBABILITY = /--probability (\d\.\d+)/g;
const PROBABILITY_STEPS = 2 ** 31; // The kernel keeps a probability in 31 bits.
const rounded = (body: string): string =>
  body.replace(PROBABILITY, (_, digits: string) => `--probability ${(Math.round(Number(digits) * PROBABILITY_STEPS) / PROBABILITY_STEPS).toFixed(11)}`);

/** Whether a rule we wrote and a rule read back are the same to the kernel. */
export function sameRule(a: string, b: string): boolean {
  return a === b || (a.includes("--probability") && b.includes("--probability") && rounded(a) === rounded(b));
}

/** The chain or target a rule jumps to, if any. */
export function jumpTarget(body: string): string | undefined {
  const at = body.startsWith("-j ") ? 0 : body.lastIndexOf(" -j ") + 1;
  if (at === 0 && !body.startsWith("-j ")) return undefined;
  const rest = body.slice(at + 3), end = rest.indexOf(" ");
  return end < 0 ? rest : rest.slice(0, end);
}

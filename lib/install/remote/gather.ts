/** Looking at the hosts: who can be reached, what is there, who is to leave, and what must be carried over. Changes nothing. */
import type { Clock } from "../../util/clock.ts";
import type { Board } from "./board.ts";
import type { ClusterSpec, HostSpec, Reach } from "./cluster-file.ts";
import { eachOf, failureOf, type Failure, type Fleet } from "./fleet.ts";
import { type Architecture, FACTS_SCRIPT, type HostFacts, parseFacts } from "./host-facts.ts";
import type { BundleFiles, LocalFile } from "./local-files.ts";
import { type Leaver, leaversOf, type Situation, type Supplies } from "./plan.ts";
import type { RemoteHost } from "./remote-host.ts";
import { CommandError, failureText, SHORT_TIMEOUT_MS } from "./remote-kaji.ts";

export interface GatherDeps {
  readonly fleet: Fleet; readonly board: Board; readonly clock: Clock;
  readonly findProgram: (architecture: Architecture) => Promise<LocalFile>;
  readonly readBundle: (folder: string, architecture: Architecture) => Promise<BundleFiles>;
}
export interface Gathered { readonly situation: Situation; readonly failures: readonly Failure[] }

/** One round trip. */
export async function readFacts(host: RemoteHost, clock: Clock, signal: AbortSignal): Promise<HostFacts> {
  const askedMs = clock.now().getTime(), result = await host.run(["sh", "-s"], { sudo: true, input: FACTS_SCRIPT, timeoutMs: SHORT_TIMEOUT_MS, signal });
  if (result.code !== 0) throw new CommandError(failureText(result));
  const facts = parseFacts(result.stdout, askedMs, clock.now().getTime());
  if (!facts.root) throw new CommandError(`Cannot become root: "sudo" led to another user; log in as root or as a user with full sudo rights`);
  return facts;
}

const summary = (facts: HostFacts): string => [facts.system, facts.architecture ?? facts.machine, facts.commit === undefined ? "" : `kaji ${facts.commit.slice(0, 12)}`].filter(Boolean).join(", ");

async function look(hosts: readonly Pick<HostSpec, "name" | "reach">[], { fleet, board, clock }: GatherDeps, signal: AbortSignal): Promise<{ facts: Map<string, HostFacts>; failures: Failure[] }> {
  const facts = new Map<string, HostFacts>(), failures: Failure[] = [];
  await eachOf(hosts, async (host) => {
    board.begin(host.name, "connect");
    try {
      const own = await readFacts(await fleet.connect(host, signal), clock, signal);
      facts.set(host.name, own);
      board.end(host.name, summary(own));
    } catch (error) { failures.push(failureOf(host.name, "connect", error)); board.fail(host.name); }
  });
  return { facts, failures };
}

/** The members' keys are not noted with them: the file's are tried. */
const reachOf = (leaver: Pick<Leaver, "member">, spec: ClusterSpec): Reach => {
  const identityFile = spec.hosts.find((host) => host.reach.identityFile !== undefined)?.reach.identityFile, withKey = (reach: Leaver["member"]["reach"]): Reach => ({ ...reach, identityFile, jump: reach.jump === undefined ? undefined : withKey(reach.jump) });
  return withKey(leaver.member.reach);
};

/** Looks at every host of `spec` and at those who are to leave; of those in `forget` it is no failure that they cannot be reached. */
export async function gather(spec: ClusterSpec, forget: readonly string[], deps: GatherDeps, signal: AbortSignal): Promise<Gathered> {
  const { facts, failures } = await look(spec.hosts, deps, signal), master = spec.hosts.find((host) => host.role === "master")!;
  if (!facts.has(master.name)) return { situation: { facts, leavers: [] }, failures };
  const leaving = leaversOf(spec, facts), givenUp = ({ node, member }: Pick<Leaver, "node" | "member">): boolean => forget.includes(node) || forget.includes(member.host);
  const found = await look(leaving.map((leaver) => ({ name: leaver.member.host, reach: reachOf(leaver, spec) })), deps, signal);
  const away = found.failures.filter((failure) => !leaving.some((leaver) => leaver.member.host === failure.host && givenUp(leaver)))
    .map((failure): Failure => ({ ...failure, message: `${failure.message}\nIt is to leave the cluster: when it is back, run the same command again, which resets it; or give it up with --forget ${failure.host}` }));
  return { situation: { facts, leavers: leaving.map((leaver): Leaver => ({ ...leaver, facts: found.facts.get(leaver.member.host), givenUp: givenUp(leaver) })) }, failures: [...failures, ...away] };
}

/** Programs and bundles for the architectures there are. Throws when one is missing. */
export async function findSupplies(spec: ClusterSpec, { facts, leavers }: Situation, deps: Pick<GatherDeps, "findProgram" | "readBundle">): Promise<Supplies> {
  const programs: Supplies["programs"] = {}, bundles: Supplies["bundles"] = {};
  for (const own of [...facts.values(), ...leavers.map((leaver) => leaver.facts)]) {
    if (own?.architecture === undefined || programs[own.architecture] !== undefined) continue;
    programs[own.architecture] = await deps.findProgram(own.architecture);
    if (spec.bundle !== undefined) bundles[own.architecture] = await deps.readBundle(spec.bundle, own.architecture);
  }
  return { programs, bundles };
}

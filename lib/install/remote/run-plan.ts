/**
 * A plan carried out: stage after stage, the hosts of a stage at the same time; the master does not wait for the others' files.
 *
 * Promises: a host whose step failed is left there, the others go on; when the master fails nothing more is begun that needs it; nodes that run are
 * renewed one after another, and no further one after a node did not come back; an abort ends what runs and begins nothing. Never throws for a host.
 */
import type { Clock } from "../../util/clock.ts";
import type { Board } from "./board.ts";
import { eachOf, failureOf, type Failure, type Fleet } from "./fleet.ts";
import { ON_MASTER, type Plan, type Situation, type Step, type Supplies } from "./plan.ts";
import { RemoteError, type RemoteHost } from "./remote-host.ts";
import { invite, type Invitation, runStep, withdraw } from "./run-step.ts";
import { stepTitle } from "./step-text.ts";

export interface RunDeps { readonly fleet: Fleet; readonly board: Board; readonly clock: Clock; readonly master: string; readonly supplies: Supplies; readonly situation: Situation }
export interface Outcome { readonly failures: readonly Failure[]; /** Hosts whose steps were not begun because of another's failure, or an abort. */ readonly undone: readonly string[] }

function byHost(steps: readonly Step[]): [string, Step[]][] {
  const hosts = new Map<string, Step[]>();
  for (const step of steps) hosts.set(step.host, [...(hosts.get(step.host) ?? []), step]);
  return [...hosts];
}

class Runner {
  readonly #deps: RunDeps;
  readonly #signal: AbortSignal;
  readonly failures: Failure[] = [];
  readonly undone = new Set<string>();
  #invitation: Promise<Invitation> | undefined;
  constructor(deps: RunDeps, signal: AbortSignal) { this.#deps = deps; this.#signal = signal; }

  failed(host: string): boolean { return this.failures.some((failure) => failure.host === host); }
  get #master(): RemoteHost { return this.#deps.fleet.get(this.#deps.master)!; }

  readonly #invite = (): Promise<Invitation> => this.#invitation ??= invite(this.#master, this.#signal);
  async finish(): Promise<void> {
    const made = await this.#invitation?.catch(() => undefined);
    if (made !== undefined) await withdraw(this.#master, made);
  }

  /** The steps of one host in order. Returns the step that failed and why. */
  async host(name: string, steps: readonly Step[]): Promise<{ step: Step; error: unknown } | undefined> {
    const { fleet, board, clock, supplies, situation } = this.#deps;
    if (this.failed(name)) return undefined;
    for (const step of steps) {
      if (this.#signal.aborted) { this.undone.add(name); return undefined; }
      const title = stepTitle(step), architecture = (situation.facts.get(name) ?? situation.leavers.find((leaver) => leaver.member.host === name)?.facts)?.architecture;
      board.begin(name, title);
      try {
        const host = fleet.get(name);
        if (host === undefined && !ON_MASTER.includes(step.kind)) throw new Error("there is no connection");
        const detail = await runStep(step, {
          host, master: this.#master, invitation: this.#invite, bundle: architecture === undefined ? undefined : supplies.bundles[architecture], clock, signal: this.#signal,
          progress: (text) => board.progress(name, text), warn: (text) => board.note(`          ${name}: warning: ${text}`),
        });
        board.end(name, detail);
      } catch (error) {
        if (this.#signal.aborted) { this.undone.add(name); board.end(name, "stopped"); }
        else { this.failures.push(failureOf(name, title, error)); board.fail(name); }
        return { step, error };
      }
    }
    return undefined;
  }

  skip(steps: readonly Step[]): void { for (const { host } of steps) if (!this.failed(host)) this.undone.add(host); }
}

/** Carries out a plan without refusals that hold back everything. */
export async function runPlan(plan: Plan, deps: RunDeps, signal: AbortSignal): Promise<Outcome> {
  const runner = new Runner(deps, signal), outcome = (): Outcome => ({ failures: runner.failures, undone: [...runner.undone] });
  const stop = (): boolean => signal.aborted || runner.failed(deps.master);
  deps.board.goLive();
  // The master is set up while the others are still getting their files.
  const ofMaster = (step: Step): boolean => step.host === deps.master, others = byHost(plan.prepare.filter((step) => !ofMaster(step)));
  const setUpMaster = async (): Promise<void> => {
    await runner.host(deps.master, plan.prepare.filter(ofMaster));
    if (!stop()) for (const [host, steps] of byHost(plan.master)) await runner.host(host, steps);
    else runner.skip(plan.master);
  };
  await Promise.all([setUpMaster(), eachOf(others, async ([host, steps]) => { await runner.host(host, steps); })]);
  if (stop()) { runner.skip([...plan.join, ...plan.renew, ...plan.leave]); return outcome(); }
  try {
    await eachOf(byHost(plan.join), async ([host, steps]) => { await runner.host(host, steps); });
    let broken = false;
    for (const [host, steps] of byHost(plan.renew)) {
      if (broken || signal.aborted) { runner.skip(steps); continue; }
      const failed = await runner.host(host, steps);
      // One that cannot be reached was not broken by this; one that did not come back may have been, and the next would be too.
      broken = failed !== undefined && !(failed.error instanceof RemoteError) && (failed.step.kind === "restart" || failed.step.kind === "join");
    }
    for (const [host, steps] of byHost(plan.leave)) { if (signal.aborted) runner.skip(steps); else await runner.host(host, steps); }
  } finally { await runner.finish(); }
  return outcome();
}

/**
 * What a suite of VM tests stands on: machines that are up, how much slower they are, and the cluster on them. Tests register themselves
 * with `vmTest`, which keeps every machine's journal when one fails.
 */
import type { ExecutionContext, TestFn } from "ava";
import path from "node:path";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Client } from "../../lib/client/client.ts";
import { createClient } from "../../lib/client/http-client.ts";
import { loadKubeconfig } from "../../lib/client/kubeconfig.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { KUBECONFIG } from "./hosts.ts";
import type { VmImage } from "./image.ts";
import { bringUp, calibrate, collectJournals, ssh, STATE, takeDown, type Machine, type MachineOptions } from "./machines.ts";

const JOURNALS = path.resolve(import.meta.dirname, "../../dist/vm-journals"), CALIBRATION = path.join(STATE, "calibration");

export class VmLab {
  readonly image: VmImage;
  /** By number: the first is the master. */
  readonly machines: Machine[];
  readonly scale: number;

  private constructor(image: VmImage, machines: Machine[], scale: number) { this.image = image; this.machines = machines; this.scale = scale; }

  /** Fresh machines; with `npm run test:vm -- --keep` those that are there. */
  static async open(t: { log(text: string): void }, count: number, options: MachineOptions = {}): Promise<VmLab> {
    const keep = process.env["KAJI_VM_KEEP"] === "1", startMs = systemClock.monotonicMs();
    if (!keep) await takeDown({ keepNetwork: true });
    const { image, machines } = await bringUp(count, options);
    t.log(`${count} machines are up after ${seconds(systemClock.monotonicMs() - startMs)}`);
    const scale = keep && existsSync(CALIBRATION) ? Number(readFileSync(CALIBRATION, "utf8")) : await calibrate(machines[0]!, image);
    writeFileSync(CALIBRATION, String(scale));
    t.log(`calibration: a machine is ${scale.toFixed(1)} times slower than this one; limits are multiplied by that`);
    return new VmLab(image, machines, scale);
  }

  get master(): Machine { return this.machines[0]!; }
  get workers(): Machine[] { return this.machines.slice(1); }
  named(name: string): Machine { return this.machines.find((vm) => vm.name === name)!; }
  client(): Client { return createClient(loadKubeconfig(KUBECONFIG, { component: "vm-test" })); }
  limitMs(ms: number): number { return Math.ceil(ms * this.scale); }

  /** Runs a script on a machine, as root, and returns what it printed. */
  async sh(vm: Machine, script: string): Promise<string> { return (await ssh(vm, this.image, "sh -s", { input: script })).stdout; }
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** Says what is begun at once (a test's log is shown when it ends, which is many minutes later), and in the log how long it took. */
export async function timed<T>(t: { log(text: string): void }, what: string, work: () => Promise<T>): Promise<T> {
  const startMs = systemClock.monotonicMs();
  process.stderr.write(`${new Date().toISOString().slice(11, 19)}  ${what} ...\n`);
  try { return await work(); }
  finally { t.log(`${seconds(systemClock.monotonicMs() - startMs).padStart(8)}  ${what}`); }
}

/** A serial test that is told the lab; when it fails, journals are kept and their folder is named. */
export function vmTest(test: TestFn, lab: () => VmLab, title: string, body: (t: ExecutionContext, lab: VmLab) => Promise<void>): void {
  test.serial(title, async (t) => {
    let done = false;
    try { await timed(t, `in all: ${title}`, () => body(t, lab())); done = true; }
    finally {
      if (!done || !t.passed) {
        const folder = path.join(JOURNALS, title.replaceAll(/[^A-Za-z0-9]+/g, "-").slice(0, 60));
        await collectJournals(lab().image, folder);
        t.log(`journals of all machines: ${folder}`);
      }
    }
  });
}

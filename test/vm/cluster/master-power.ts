/**
 * Power failures: what the API acknowledged is there when the master comes back, and a cluster whose machines all lost power in one moment
 * goes on as it was. Why this shows what SIGKILL cannot: see machines.ts.
 */
import type { TestFn } from "ava";
import type { Client } from "../../../lib/client/client.ts";
import { ConnectionError } from "../../../lib/client/client.ts";
import type { ObjectMeta } from "../../../lib/api/schema/generated/models.ts";
import * as references from "../../../lib/api/schema/generated/references.ts";
import { configmaps, namespaces, pods } from "../../../lib/api/schema/generated/references.ts";
import { hasReason } from "../../../lib/api/status-error.ts";
import { waitForObjects } from "../../../lib/install/wait.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { isReady } from "../../e2e/cluster/workload.ts";
import { firstPage } from "./founding.ts";
import { cleanNodes } from "./worker-power.ts";
import { timed, vmTest, type VmLab } from "../lab.ts";
import { hardReset, pause, powerOff, powerOn, resume, waitForBoot } from "../machines.ts";

const NAMESPACE = "ledger", ROUNDS = 5, ACKNOWLEDGED_A_ROUND = 150, WRITERS = 8, SERVING_LIMIT_MS = 60_000;

/** Creates ConfigMaps as fast as the API takes them; what was acknowledged is noted here, beside the machines. */
class WriteLoad {
  /** Name to what was written. */
  readonly acknowledged: Map<string, string>;
  readonly #stop = new AbortController();
  readonly #writers: Promise<void>[];
  #enough: (() => void) | undefined;

  constructor(client: Client, acknowledged: Map<string, string>, round: number) {
    this.acknowledged = acknowledged;
    this.#writers = Array.from({ length: WRITERS }, (_, writer) => this.#write(client, `r${round}-w${writer}`));
  }

  async #write(client: Client, prefix: string): Promise<void> {
    for (let n = 0; !this.#stop.signal.aborted; n += 1) {
      const name = `${prefix}-${n}`, text = `${name} `.repeat(20);
      try { await client.create(configmaps, { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: NAMESPACE }, data: { text } }, {}, this.#stop.signal); }
      catch (error) { if (this.#stop.signal.aborted || error instanceof ConnectionError) return; throw error; }
      this.acknowledged.set(name, text);
      this.#enough?.();
    }
  }

  /** Resolves once `count` writes were acknowledged. */
  async reached(count: number): Promise<void> {
    await Promise.race([new Promise<void>((resolve) => { this.#enough = () => { if (this.acknowledged.size >= count) resolve(); }; }), Promise.all(this.#writers)]);
    if (this.acknowledged.size < count) throw new Error(`Cannot go on: writers ended after ${this.acknowledged.size} acknowledged writes, wanted ${count}`);
  }
  /** What is still under way is given up: it may or may not be there. */
  async stop(): Promise<void> { this.#stop.abort(); await Promise.all(this.#writers); }
}

/** A file written without a sync just before the power goes: that it is lost shows that the power went. */
const UNSYNCED = "/root/unsynced";

async function oneRound(t: { log(text: string): void; is(a: unknown, b: unknown, text?: string): unknown; deepEqual(a: unknown, b: unknown, text?: string): unknown }, lab: VmLab, acknowledged: Map<string, string>, round: number): Promise<void> {
  const client = lab.client(), before = acknowledged.size, load = new WriteLoad(client, acknowledged, round);
  await load.reached(before + ACKNOWLEDGED_A_ROUND);
  await lab.sh(lab.master, `head -c 100000 /dev/zero | tr '\\0' x > ${UNSYNCED}`);
  await powerOff(lab.master);
  await load.stop();
  client.close();
  await powerOn(lab.master, lab.image);
  const bootMs = await waitForBoot(lab.master, lab.image), again = lab.client();
  try {
    const found = await waitForObjects(again, configmaps, NAMESPACE, () => true, systemClock, lab.limitMs(SERVING_LIMIT_MS)), there = new Map(found.map((each) => [each.metadata.name, each.data?.["text"]]));
    t.deepEqual([...acknowledged].filter(([name, text]) => there.get(name) !== text).slice(0, 10), [], "every acknowledged object is there, whole");
    t.is((await lab.sh(lab.master, `tr -d '\\0' 2>/dev/null < ${UNSYNCED} | head -c 1; rm -f ${UNSYNCED}`)).trim(), "", "what was not synced was lost");
    t.log(`round ${round}: ${acknowledged.size - before} acknowledged, ${there.size} there in all, booted in ${(bootMs / 1000).toFixed(0)} s`);
  } finally { again.close(); }
}

export function registerMasterPower(test: TestFn, lab: () => VmLab): void {
  vmTest(test, lab, `a master powered off hard under a write load has every acknowledged object when it is back, ${ROUNDS} times`, async (t, lab) => {
    const client = lab.client(), acknowledged = new Map<string, string>();
    await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE }, spec: {} });
    client.close();
    for (const vm of lab.workers) await pause(vm); // Nobody asks for them here, and five boots are quicker without.
    try { for (let round = 1; round <= ROUNDS; round += 1) await timed(t, `round ${round}`, () => oneRound(t, lab, acknowledged, round)); }
    finally { for (const vm of lab.workers) await resume(vm); }
    const again = lab.client();
    await cleanNodes(again, lab, lab.workers.map((vm) => vm.name));
    await again.delete(namespaces, { name: NAMESPACE });
    again.close();
  });

  vmTest(test, lab, "all machines reset hard at once: every object is there, every pod is back, and the page comes from its ClusterIP", async (t, lab) => {
    const client = lab.client();
    // What earlier tests had is still being deleted, perhaps.
    await waitForObjects(client, namespaces, undefined, (all) => all.every((each) => each.metadata.deletionTimestamp === undefined) || "a namespace is being deleted", systemClock, lab.limitMs(60_000));
    const before = await everyObject(client);
    t.true(before.size > 100, `${before.size} objects`);
    const resetAt = Date.now();
    await timed(t, "all are up again", () => hardReset(lab.machines, lab.image));
    client.close();
    const again = lab.client();
    await timed(t, "every pod is back", () => waitForObjects(again, pods, undefined, (all) => {
      // As read from disk they are all Ready; what counts is a container started since.
      const old = all.filter((pod) => !isReady(pod) || !pod.status!.containerStatuses!.every((c) => Date.parse(c.state?.running?.startedAt ?? "") >= resetAt - 1_000));
      return old.length === 0 || `${old.map((p) => p.metadata.name).join(", ")} are not back`;
    }, systemClock, lab.limitMs(SERVING_LIMIT_MS)));
    await cleanNodes(again, lab, lab.workers.map((vm) => vm.name));
    const after = await everyObject(again);
    t.deepEqual([...before].filter((each) => !after.has(each)).slice(0, 10), [], "every object of before is there");
    t.regex(await timed(t, "the page", () => firstPage(lab)), /<title>Welcome to nginx!<\/title>/);
    again.close();
  });
}

/** Resource, name and uid of everything the API lists, but what comes and goes by itself. */
async function everyObject(client: Client): Promise<Set<string>> {
  const found = new Set<string>();
  for (const reference of Object.values(references)) {
    if (["events", "endpointslices", "endpoints", "ipaddresses", "componentstatuses", "certificatesigningrequests"].includes(reference.plural)) continue;
    try {
      for (const { metadata } of (await client.list<{ metadata: ObjectMeta }>(reference, { metadataOnly: true })).items) found.add(`${reference.plural} ${metadata.namespace ?? ""}/${metadata.name} ${metadata.uid}`);
    } catch (error) { if (!hasReason(error, "NotFound", "MethodNotAllowed", "NotAcceptable")) throw error; } // Not listed, or not a resource of its own.
  }
  return found;
}

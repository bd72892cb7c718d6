/**
 * Shared informers: one informer, so one watch, a resource and selection in a process.
 *
 * Promises: asking twice gives the same informer; one asked for while running starts at once; `run` settles when all have stopped.
 * Counterpart: client-go `informers.SharedInformerFactory`.
 */
import type { ResourceReference } from "../api/reference.ts";
import type { HasMeta } from "../client/client.ts";
import { aborted } from "../util/abort.ts";
import type { Runnable } from "../util/runnable.ts";
import { Informer, type InformerDeps, type InformerOptions } from "./informer.ts";
import type { ReflectorOptions } from "./reflector.ts";

/** While the server is away this is said so often. */
const DISCONNECT_WARNING_MS = 15_000;

export class SharedInformers implements Runnable {
  readonly name = "informers";
  readonly #deps: InformerDeps;
  readonly #informers = new Map<string, Informer<HasMeta>>();
  readonly #running = new Map<Informer<HasMeta>, { stopped: Promise<void>; controller: AbortController }>();
  #signal: AbortSignal | undefined;

  #warnedAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: InformerDeps) { this.#deps = { ...deps, onDisconnect: (error, failures) => this.#disconnected(error, failures) }; }

  /**
   * The informer of a resource. `indexes` are added to one that exists; `transform` counts only where it is made.
   * `metadataOnly` is a smaller wish: an informer of whole objects that exists serves it too.
   */
  get<T extends HasMeta>(resource: ResourceReference<T>, options: InformerOptions<T> = {}): Informer<T> {
    const known = this.#informers.get(idOf(resource, options)) ?? (options.metadataOnly === true ? this.#informers.get(idOf(resource, { ...options, metadataOnly: undefined })) : undefined);
    if (known !== undefined) {
      const informer = known as unknown as Informer<T>;
      for (const [name, values] of Object.entries(options.indexes ?? {})) informer.addIndex(name, values);
      return informer;
    }
    const informer = new Informer(this.#deps, resource, options);
    this.#informers.set(idOf(resource, options), informer as unknown as Informer<HasMeta>);
    if (this.#signal !== undefined) this.#start(informer as unknown as Informer<HasMeta>);
    return informer;
  }

  /** Ends an informer whose resource is gone, such as that of a deleted custom kind. Its handlers hear nothing more. */
  async drop<T extends HasMeta>(informer: Informer<T>): Promise<void> {
    const target = informer as unknown as Informer<HasMeta>;
    for (const [id, known] of this.#informers) if (known === target) this.#informers.delete(id);
    const running = this.#running.get(target);
    this.#running.delete(target);
    running?.controller.abort();
    await running?.stopped;
  }

  /** Resolves when all informers asked for so far have synced. */
  async synced(): Promise<void> { await Promise.all([...this.#informers.values()].map((i) => i.synced)); }

  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    for (const informer of this.#informers.values()) this.#start(informer);
    await aborted(signal);
    await Promise.all([...this.#running.values()].map((r) => r.stopped));
  }

  #disconnected(error: Error, failures: number): void {
    const { clock, log } = this.#deps, nowMs = clock.monotonicMs();
    if (failures < 3 || nowMs - this.#warnedAtMs < DISCONNECT_WARNING_MS) return;
    this.#warnedAtMs = nowMs;
    log.warn({ error, informers: this.#informers.size }, "API server is away, informers wait for it");
  }

  #start(informer: Informer<HasMeta>): void {
    if (this.#running.has(informer)) return;
    const controller = new AbortController();
    this.#running.set(informer, { controller, stopped: informer.run(AbortSignal.any([this.#signal!, controller.signal])) });
  }
}

function idOf(resource: ResourceReference, { namespace, labelSelector, fieldSelector, metadataOnly }: ReflectorOptions): string {
  return JSON.stringify([resource.group, resource.version, resource.plural, namespace, labelSelector, fieldSelector, metadataOnly]);
}

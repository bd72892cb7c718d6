/**
 * Makes sure an image is there before a container starts, by the container's pull policy.
 *
 * Guarantees: an image that is present is not pulled again unless the policy is Always; one image is pulled once at a time, however many
 * containers wait for it; after a failure it is left alone for 10 s, doubling to 5 minutes.
 * Counterpart: kubelet `images/image_manager.go`; reasons and messages are upstream's.
 */
import type { Container, Pod, Secret } from "../api/schema/generated/models.ts";
import type { Cri } from "../cri/client.ts";
import type { CriMessage } from "../cri/messages.ts";
import { backoffMs, resolveBackoff } from "../util/backoff.ts";
import type { Clock } from "../util/clock.ts";
import { withDefaultTag } from "./image-name.ts";
import { uidOf } from "./pod-facts.ts";
import type { PodEvents } from "./pod-events.ts";
import { credentialsFor } from "./pull-credentials.ts";

/** A start that failed for a reason the container's waiting state shows. */
export class StartError extends Error {
  override readonly name = "StartError";
  readonly reason: string;
  /** How long to leave the container alone. */
  readonly retryMs: number;
  constructor(reason: string, message: string, retryMs: number, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
    this.retryMs = retryMs;
  }
}

export interface PullSecrets { pullSecrets(pod: Pod): Promise<Secret[]> }

const BACKOFF = resolveBackoff({ baseMs: 10_000, maxMs: 300_000 });
/** How soon after a failed pull the container is looked at again, so that it shows ImagePullBackOff. */
const SHOW_BACKOFF_MS = 2_000, INVALID_NAME_RETRY_MS = 10_000, BACKOFF_ENTRIES_MAX = 1_024;

interface Failure { attempt: number; untilMs: number; message: string }

export class ImageManager {
  readonly #cri: Cri;
  readonly #clock: Clock;
  readonly #events: PodEvents;
  readonly #secrets: PullSecrets;
  readonly #failures = new Map<string, Failure>();
  readonly #pulling = new Map<string, Promise<void>>();

  constructor(deps: { cri: Cri; clock: Clock; events: PodEvents; secrets: PullSecrets }) {
    this.#cri = deps.cri;
    this.#clock = deps.clock;
    this.#events = deps.events;
    this.#secrets = deps.secrets;
  }

  async #status(image: string): Promise<CriMessage<"Image"> | null> { return (await this.#cri.call("ImageStatus", { image: { image } })).image; }

  /** Resolves to the image as the runtime knows it. Throws StartError. */
  async ensure(pod: Pod, container: Container, signal: AbortSignal): Promise<CriMessage<"Image">> {
    const image = this.#nameOf(pod, container), shown = JSON.stringify(container.image ?? "");
    let present: CriMessage<"Image"> | null;
    try { present = await this.#status(image); }
    catch (error) {
      this.#events.container(pod, container.name, "Warning", "InspectFailed", `Failed to inspect image ${shown}: ${(error as Error).message}`);
      throw new StartError("ImageInspectError", `Failed to inspect image ${shown}: ${(error as Error).message}`, SHOW_BACKOFF_MS, { cause: error });
    }
    const policy = container.imagePullPolicy ?? (image.endsWith(":latest") ? "Always" : "IfNotPresent");
    if (present !== null && policy !== "Always") {
      this.#events.container(pod, container.name, "Normal", "Pulled", `Container image ${shown} already present on machine and can be accessed by the pod`);
      return present;
    }
    if (policy === "Never") {
      const message = `Container image ${shown} is not present with pull policy of Never`;
      this.#events.container(pod, container.name, "Warning", "ErrImageNeverPull", message);
      throw new StartError("ErrImageNeverPull", message, INVALID_NAME_RETRY_MS);
    }
    return this.#pull(pod, container, image, shown, signal);
  }

  #nameOf(pod: Pod, container: Container): string {
    try { return withDefaultTag(container.image ?? ""); }
    catch (error) {
      const message = `Failed to apply default image tag ${JSON.stringify(container.image ?? "")}: ${(error as Error).message}`;
      this.#events.container(pod, container.name, "Warning", "InspectFailed", message);
      throw new StartError("InvalidImageName", message, INVALID_NAME_RETRY_MS, { cause: error });
    }
  }

  async #pull(pod: Pod, container: Container, image: string, shown: string, signal: AbortSignal): Promise<CriMessage<"Image">> {
    const key = `${uidOf(pod)}_${image}`, failed = this.#failures.get(key), nowMs = this.#clock.monotonicMs();
    if (failed !== undefined && nowMs < failed.untilMs) {
      this.#events.container(pod, container.name, "Normal", "BackOff", `Back-off pulling image ${shown}`);
      throw new StartError("ImagePullBackOff", `Back-off pulling image ${shown}: ErrImagePull: ${failed.message}`, failed.untilMs - nowMs);
    }
    this.#events.container(pod, container.name, "Normal", "Pulling", `Pulling image ${shown}`);
    const startedMs = this.#clock.monotonicMs();
    let pullMs = 0;
    try {
      await this.#once(image, async () => {
        const beganMs = this.#clock.monotonicMs();
        await this.#pullWithSecrets(pod, image, signal);
        pullMs = this.#clock.monotonicMs() - beganMs;
      });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw this.#failed(key, pod, container, shown, error as Error);
    }
    this.#failures.delete(key);
    const pulled = await this.#status(image);
    if (pulled === null) throw this.#failed(key, pod, container, shown, new Error("the image is not there after the pull"));
    const waitedMs = this.#clock.monotonicMs() - startedMs;
    this.#events.container(pod, container.name, "Normal", "Pulled", `Successfully pulled image ${shown} in ${formatMs(pullMs === 0 ? waitedMs : pullMs)} (${formatMs(waitedMs)} including waiting). Image size: ${pulled.size} bytes.`);
    return pulled;
  }

  #failed(key: string, pod: Pod, container: Container, shown: string, error: Error): StartError {
    const attempt = (this.#failures.get(key)?.attempt ?? -1) + 1;
    if (this.#failures.size >= BACKOFF_ENTRIES_MAX) this.#failures.clear();
    this.#failures.set(key, { attempt, untilMs: this.#clock.monotonicMs() + backoffMs(BACKOFF, attempt), message: error.message });
    this.#events.container(pod, container.name, "Warning", "Failed", `Failed to pull image ${shown}: ${error.message}`);
    return new StartError("ErrImagePull", error.message, SHOW_BACKOFF_MS, { cause: error });
  }

  /** Joins a pull of the same image that is under way. */
  #once(image: string, pull: () => Promise<void>): Promise<void> {
    const running = this.#pulling.get(image);
    if (running !== undefined) return running;
    const mine = pull().finally(() => { this.#pulling.delete(image); });
    this.#pulling.set(image, mine);
    return mine;
  }

  async #pullWithSecrets(pod: Pod, image: string, signal: AbortSignal): Promise<void> {
    const credentials = credentialsFor(image, await this.#secrets.pullSecrets(pod));
    let last: unknown;
    for (const auth of credentials.length === 0 ? [undefined] : credentials) {
      try { await this.#cri.call("PullImage", { image: { image }, ...(auth === undefined ? {} : { auth }) }, { signal }); return; }
      catch (error) { last = error; }
    }
    throw last;
  }
}

/** Milliseconds as Go prints a duration: `313ms`, `1.661s`, `1m2.5s`. */
export function formatMs(ms: number): string {
  const rounded = Math.max(0, Math.round(ms));
  if (rounded < 1_000) return `${rounded}ms`;
  const minutes = Math.floor(rounded / 60_000), seconds = (rounded % 60_000) / 1_000;
  return minutes === 0 ? `${seconds}s` : minutes < 60 ? `${minutes}m${seconds}s` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}s`;
}

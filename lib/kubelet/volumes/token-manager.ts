/**
 * Service account tokens for pods: asked for through TokenRequest, bound to the pod, kept in memory, renewed at 80 % of their life or after a day.
 * Counterpart: kubelet `token/token_manager.go`.
 */
import { serviceaccounts } from "../../api/schema/generated/references.ts";
import type { AuthenticationV1TokenRequest, Pod } from "../../api/schema/generated/models.ts";
import type { Client } from "../../client/client.ts";
import type { Clock } from "../../util/clock.ts";
import { namespaceOf, uidOf } from "../pod-facts.ts";
import type { TokenSource } from "./payload.ts";

const RENEW_AT = 0.8, RENEW_AFTER_MS = 24 * 3_600_000;

interface Held { token: string; expiresMs: number; renewMs: number }

export class TokenManager implements TokenSource {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #held = new Map<string, Map<string, Held>>();

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  async token(pod: Pod, audience: string | undefined, expirationSeconds: number): Promise<string> {
    const nowMs = this.#clock.now().getTime(), uid = uidOf(pod), key = `${audience ?? ""} ${expirationSeconds}`;
    const known = this.#held.get(uid)?.get(key);
    if (known !== undefined && nowMs < known.renewMs) return known.token;
    let fresh: Held;
    try { fresh = await this.#request(pod, audience, expirationSeconds, nowMs); }
    catch (error) {
      if (known !== undefined && nowMs < known.expiresMs) return known.token; // Still good; the next refresh tries again.
      throw error;
    }
    const ofPod = this.#held.get(uid) ?? new Map<string, Held>();
    this.#held.set(uid, ofPod.set(key, fresh));
    return fresh.token;
  }

  async #request(pod: Pod, audience: string | undefined, expirationSeconds: number, nowMs: number): Promise<Held> {
    const namespace = namespaceOf(pod), name = pod.spec.serviceAccountName ?? "default";
    const request: Partial<AuthenticationV1TokenRequest> = {
      apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest",
      spec: { audiences: audience === undefined || audience === "" ? [] : [audience], expirationSeconds, boundObjectRef: { apiVersion: "v1", kind: "Pod", name: pod.metadata.name, uid: uidOf(pod) } },
    };
    const response = await this.#client.createSubresource<AuthenticationV1TokenRequest>(serviceaccounts, { namespace, name }, "token", request);
    const { token = "", expirationTimestamp = "" } = response.status ?? {};
    if (token === "") throw new Error(`Cannot use the token of service account "${namespace}/${name}": the server sent none`);
    const expiresMs = Date.parse(expirationTimestamp);
    return { token, expiresMs, renewMs: Math.min(nowMs + (expiresMs - nowMs) * RENEW_AT, nowMs + RENEW_AFTER_MS) };
  }

  /** When the next token of the pod wants renewing, or undefined when it has none. */
  nextRenewalMs(uid: string): number | undefined {
    const times = [...(this.#held.get(uid)?.values() ?? [])].map((held) => held.renewMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  forget(uid: string): void { this.#held.delete(uid); }
}

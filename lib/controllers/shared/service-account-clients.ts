/**
 * Clients that act as a controller's own ServiceAccount, so that each controller may do only what its role allows.
 *
 * Promises: all of them share one connection; an account that is missing is made; tokens are renewed at 80 % of their life, and at
 * once when the server refuses one. Counterpart: kube-controller-manager `--use-service-account-credentials`, client-go's
 * SAControllerClientBuilder.
 */
import { serviceaccounts } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import { createClient, type RequestObservation } from "../../client/http-client.ts";
import { Transport } from "../../client/transport.ts";
import { backoffMs, resolveBackoff } from "../../util/backoff.ts";
import { isAbort } from "../../util/abort.ts";
import { Wakeup } from "../../util/wakeup.ts";
import { timestampMs } from "../../api/helpers/timestamps.ts";
import type { AuthenticationV1TokenRequest } from "../../api/schema/generated/models.ts";
import type { Client } from "../../client/client.ts";
import type { ClientConfig } from "../../client/client-config.ts";
import type { Clock } from "../../util/clock.ts";
import type { Logger } from "../../util/logger.ts";
import type { Runnable } from "../../util/runnable.ts";

export const CONTROLLER_NAMESPACE = "kube-system";
const TOKEN_SECONDS = 3_600;
const RENEW_AT = 0.8;
const RETRY = resolveBackoff({ baseMs: 100, maxMs: 1_000, jitter: 0.3 });

interface Account { readonly name: string; token: string; renewAtMs: number }

export interface ServiceAccountClientsDeps { readonly client: Client; readonly clock: Clock; readonly log: Logger; readonly onRequest?: (observation: RequestObservation) => void }

export class ServiceAccountClients implements Runnable {
  readonly name = "service account tokens";
  readonly #deps: ServiceAccountClientsDeps;
  readonly #config: ClientConfig;
  readonly #transport: Transport;
  readonly #accounts = new Map<string, Account>();
  readonly #wakeup: Wakeup;

  /** `config` says where the server is; its own credentials are not used for the accounts' requests. */
  constructor(deps: ServiceAccountClientsDeps, config: ClientConfig) {
    this.#deps = deps;
    this.#wakeup = new Wakeup(deps.clock);
    const { certificateData: _a, certificateFile: _b, keyData: _c, keyFile: _d, token: _e, tokenFile: _f, tokenSource: _g, username: _h, password: _i, impersonate: _j, kubeconfigFile: _k, ...place } = config;
    this.#config = place;
    this.#transport = new Transport(place, deps.clock);
  }

  /** Fetches the first tokens; retries until it has them. Only then may `clientFor` be asked. Throws only the abort's reason. */
  async prepare(names: readonly string[], signal: AbortSignal): Promise<void> {
    await Promise.all([...new Set(names)].map(async (name) => {
      const account: Account = { name, token: "", renewAtMs: 0 };
      for (let attempt = 0; account.token === ""; attempt++) {
        try { await this.#renew(account, signal); }
        catch (error) {
          signal.throwIfAborted();
          this.#deps.log[attempt < 5 ? "debug" : "warn"]({ account: name, error }, "no token for a controller yet, will retry");
          await this.#deps.clock.sleep(backoffMs(RETRY, attempt), signal);
        }
      }
      this.#accounts.set(name, account);
    }));
  }

  clientFor(name: string): Client {
    const account = this.#accounts.get(name);
    if (account === undefined) throw new RangeError(`Cannot act as service account "${name}": it was not prepared`);
    return createClient({ ...this.#config, component: `kube-controller-manager/${name}`, tokenSource: () => account.token }, {
      clock: this.#deps.clock, transport: this.#transport,
      onRequest: (observation) => {
        this.#deps.onRequest?.(observation);
        if (observation.code === "401") { account.renewAtMs = 0; this.#wakeup.ring(); } // The account was deleted and made anew, or the keys changed.
      },
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    let failures = 0;
    try {
      while (!signal.aborted) {
        const nowMs = clock.monotonicMs(), due = [...this.#accounts.values()].filter((a) => a.renewAtMs <= nowMs);
        try { for (const account of due) await this.#renew(account, signal); failures = 0; }
        catch (error) { if (isAbort(error, signal)) return; failures++; log.warn({ error }, "tokens of controllers not renewed, will retry"); }
        const nextMs = failures > 0 ? backoffMs(RETRY, failures) : Math.max(1_000, Math.min(60_000, ...[...this.#accounts.values()].map((a) => a.renewAtMs - clock.monotonicMs())));
        this.#wakeup.ringIn(nextMs);
        if (await this.#wakeup.wait(signal)) await clock.sleep(1_000, signal); // A server that refuses fresh tokens must not be asked in a loop.
      }
    } catch (error) { if (!isAbort(error, signal)) throw error; }
    finally { this.#transport.close(); }
  }

  async #renew(account: Account, signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#deps, key = { namespace: CONTROLLER_NAMESPACE, name: account.name };
    const ask = (): Promise<AuthenticationV1TokenRequest> => client.createSubresource<AuthenticationV1TokenRequest>(serviceaccounts, key, "token", { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { audiences: [], expirationSeconds: TOKEN_SECONDS } }, signal);
    let answer: AuthenticationV1TokenRequest;
    try { answer = await ask(); }
    catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
      try { await client.create(serviceaccounts, { metadata: key }, {}, signal); } catch (created) { if (!hasReason(created, "AlreadyExists")) throw created; }
      answer = await ask();
    }
    const token = answer.status?.token;
    if (token === undefined || token === "") throw new Error(`Cannot act as service account "${account.name}": the server gave no token`);
    const lifeMs = Math.max(60_000, (timestampMs(answer.status?.expirationTimestamp) ?? clock.now().getTime() + TOKEN_SECONDS * 1_000) - clock.now().getTime());
    account.token = token;
    account.renewAtMs = clock.monotonicMs() + lifeMs * RENEW_AT;
  }
}

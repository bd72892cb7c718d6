/**
 * The REST client: `Client` over HTTP/2.
 *
 * Promises: an answer that is not 2xx is a StatusError made from its body; a 429, or a 5xx that says Retry-After, is tried again
 * up to RETRIES_MAX times and RETRY_TOTAL_MAX_MS in all; nothing else is retried here. Lists fill in `kind` and `apiVersion` of
 * their items, which the wire leaves out, so objects look the same from get, list and watch.
 * Counterpart: client-go `rest`.
 */
import { apiVersionOf, type ResourceReference } from "../api/reference.ts";
import { StatusError, type Status } from "../api/status-error.ts";
import { systemClock, type Clock } from "../util/clock.ts";
import { Credentials } from "./credentials.ts";
import { ACCEPT_JSON, ACCEPT_METADATA, ACCEPT_METADATA_LIST, PATCH_CONTENT_TYPES, collectionPath, deleteOptions, listQuery, objectPath, watchQuery, writeQuery } from "./request-path.ts";
import { Transport, type Exchange, type HeaderFields } from "./transport.ts";
import { LineDecoder } from "./watch-decoder.ts";
import { userAgent, type ClientConfig } from "./client-config.ts";
import { ConnectionError, type Client, type DeleteParameters, type HasMeta, type KubeList, type ListParameters, type ObjectKey, type PatchType, type WatchEvent, type WatchParameters, type WriteParameters } from "./client.ts";

export const REQUEST_TIMEOUT_MS = 65_000; // The server gives up after 60 s.
export const WATCH_HEAD_TIMEOUT_MS = 35_000;
export const RETRIES_MAX = 10;
export const RETRY_TOTAL_MAX_MS = 60_000;

/** What a finished request was, for metrics. `code` is "<error>" when there was no answer. */
export interface RequestObservation { readonly method: string; readonly host: string; readonly code: string; readonly durationMs: number }

export interface HttpClientOptions {
  readonly clock?: Clock;
  /** Texts of `Warning` headers. */
  readonly onWarning?: (text: string) => void;
  readonly onRequest?: (observation: RequestObservation) => void;
  /** A connection shared by several clients that differ only in who they are; `close` of one leaves it open. Its config must hold no client certificate where tokens decide. */
  readonly transport?: Transport;
}

/** Builds a client; no I/O happens before the first request. Throws on a config that cannot work. */
export function createClient(config: ClientConfig, options: HttpClientOptions = {}): Client {
  return new HttpClient(config, options);
}

interface SendOptions { body?: string | Buffer | undefined; contentType?: string; accept?: string; signal?: AbortSignal | undefined }

class HttpClient implements Client {
  readonly #transport: Transport;
  readonly #credentials: Credentials;
  readonly #clock: Clock;
  readonly #options: HttpClientOptions;
  readonly #host: string;
  readonly #headers: HeaderFields;

  constructor(config: ClientConfig, options: HttpClientOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#host = new URL(config.server).host;
    this.#credentials = new Credentials(config, () => this.#clock.monotonicMs());
    this.#transport = options.transport ?? new Transport(config, this.#clock);
    this.#headers = { "user-agent": userAgent(config.component ?? "kajitori"), ...impersonationHeaders(config) };
  }

  async get<T>(resource: ResourceReference<T>, key: ObjectKey, signal?: AbortSignal): Promise<T> {
    return this.#json<T>("GET", objectPath(resource, key), { signal });
  }

  async list<T>(resource: ResourceReference<T>, parameters: ListParameters = {}, signal?: AbortSignal): Promise<KubeList<T>> {
    const accept = parameters.metadataOnly === true ? ACCEPT_METADATA_LIST : ACCEPT_JSON;
    const list = await this.#json<KubeList<T>>("GET", collectionPath(resource, parameters.namespace) + listQuery(parameters), { accept, signal });
    const apiVersion = apiVersionOf(resource);
    list.items ??= [];
    for (const item of list.items as { apiVersion?: string; kind?: string }[]) { item.apiVersion = apiVersion; item.kind = resource.kind; }
    return list;
  }

  async create<T extends HasMeta>(resource: ResourceReference<T>, object: T, parameters: WriteParameters = {}, signal?: AbortSignal): Promise<T> {
    const { namespace, name } = object.metadata;
    const path = parameters.subresource === undefined ? collectionPath(resource, namespace) : objectPath(resource, { namespace, name }, parameters.subresource);
    return this.#json<T>("POST", path + writeQuery(parameters), { body: encode(resource, object), signal });
  }

  async createSubresource<T = unknown>(resource: ResourceReference, key: ObjectKey, subresource: string, body: unknown, signal?: AbortSignal): Promise<T> {
    return this.#json<T>("POST", objectPath(resource, key, subresource), { body: JSON.stringify(body), signal });
  }

  async update<T extends HasMeta>(resource: ResourceReference<T>, object: T, parameters: WriteParameters = {}, signal?: AbortSignal): Promise<T> {
    return this.#json<T>("PUT", objectPath(resource, object.metadata, parameters.subresource) + writeQuery(parameters), { body: encode(resource, object), signal });
  }

  async patch<T>(resource: ResourceReference<T>, key: ObjectKey, type: PatchType, patch: unknown, parameters: WriteParameters & { force?: boolean } = {}, signal?: AbortSignal): Promise<T> {
    return this.#json<T>("PATCH", objectPath(resource, key, parameters.subresource) + writeQuery(parameters), { body: JSON.stringify(patch), contentType: PATCH_CONTENT_TYPES[type], signal });
  }

  async delete(resource: ResourceReference, key: ObjectKey, parameters: DeleteParameters = {}, signal?: AbortSignal): Promise<void> {
    const options = deleteOptions(parameters);
    await this.#send("DELETE", objectPath(resource, key), { body: options && JSON.stringify(options), signal });
  }

  async deleteCollection(resource: ResourceReference, parameters: ListParameters & DeleteParameters = {}, signal?: AbortSignal): Promise<void> {
    const options = deleteOptions(parameters);
    await this.#send("DELETE", collectionPath(resource, parameters.namespace) + listQuery(parameters), { body: options && JSON.stringify(options), signal });
  }

  async *watch<T>(resource: ResourceReference<T>, parameters: WatchParameters, signal: AbortSignal): AsyncGenerator<WatchEvent<T>> {
    const path = collectionPath(resource, parameters.namespace) + watchQuery(parameters);
    const accept = parameters.metadataOnly === true ? ACCEPT_METADATA : ACCEPT_JSON;
    const response = await this.#transport.stream({ method: "GET", path, headers: this.#authorized({ ...this.#headers, accept }), signal, timeoutMs: WATCH_HEAD_TIMEOUT_MS });
    const decoder = new LineDecoder();
    if (response.status !== 200) {
      const body: Buffer[] = [];
      for await (const chunk of response.chunks) body.push(chunk);
      throw statusErrorOf(response.status, Buffer.concat(body));
    }
    for await (const chunk of response.chunks) {
      for (const line of decoder.push(chunk)) {
        const event = parse<WatchEvent<T>>(line);
        if (event.type === "ERROR") throw StatusError.fromStatus(event.object as Partial<Status>, 500);
        yield event;
      }
    }
  }

  async raw(method: string, path: string, options: { body?: string | Buffer; headers?: Record<string, string>; signal?: AbortSignal } = {}): Promise<{ status: number; body: string }> {
    const extra = Object.fromEntries(Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
    const { status, body } = await this.#observed(method, path, { ...this.#headers, ...extra }, options.body, options.signal);
    return { status, body: body.toString("utf8") };
  }

  close(): void { if (this.#options.transport === undefined) this.#transport.close(); }

  #authorized(headers: HeaderFields): HeaderFields {
    const authorization = this.#credentials.authorization();
    return authorization === undefined ? headers : { authorization, ...headers };
  }

  async #json<T>(method: string, path: string, options: SendOptions): Promise<T> {
    const { body } = await this.#send(method, path, options);
    return parse<T>(body.toString("utf8"));
  }

  /** One request with the retries the server asks for. Throws StatusError or ConnectionError. */
  async #send(method: string, path: string, options: SendOptions): Promise<Exchange> {
    const headers = { ...this.#headers, accept: options.accept ?? ACCEPT_JSON, ...(options.body === undefined ? {} : { "content-type": options.contentType ?? ACCEPT_JSON }) };
    let waitedMs = 0;
    for (let attempt = 0; ; attempt++) {
      const answer = await this.#observed(method, path, headers, options.body, options.signal);
      this.#warn(answer.headers["warning"]);
      if (answer.status >= 200 && answer.status < 300) return answer;
      const waitMs = retryAfterMs(answer);
      if (waitMs === undefined || attempt >= RETRIES_MAX || waitedMs + waitMs > RETRY_TOTAL_MAX_MS) throw statusErrorOf(answer.status, answer.body);
      await this.#clock.sleep(waitMs, options.signal);
      waitedMs += waitMs;
    }
  }

  async #observed(method: string, path: string, headers: HeaderFields, body: string | Buffer | undefined, signal: AbortSignal | undefined): Promise<Exchange> {
    const startMs = this.#clock.monotonicMs();
    let code = "<error>";
    try {
      const answer = await this.#transport.exchange({ method, path, headers: this.#authorized(headers), body, signal, timeoutMs: REQUEST_TIMEOUT_MS });
      code = String(answer.status);
      return answer;
    } finally {
      this.#options.onRequest?.({ method, host: this.#host, code, durationMs: this.#clock.monotonicMs() - startMs });
    }
  }

  #warn(header: string | string[] | undefined): void {
    if (this.#options.onWarning === undefined || header === undefined) return;
    // RFC 7234: `299 - "text"`, several joined by commas.
    for (const match of [header].flat().join(", ").matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)) this.#options.onWarning(match[1]!.replace(/\\(.)/g, "$1"));
  }
}

function encode(resource: ResourceReference, object: object): string {
  return JSON.stringify({ ...object, apiVersion: apiVersionOf(resource), kind: resource.kind });
}

function parse<T>(text: string): T {
  try { return JSON.parse(text) as T; }
  catch (error) { throw new ConnectionError(`Cannot decode the server's answer: ${(error as Error).message}`, { cause: error }); }
}

/** Milliseconds the server asks to wait before another try, if it does. */
function retryAfterMs({ status, headers }: Pick<Exchange, "status" | "headers">): number | undefined {
  if (status !== 429 && status < 500) return undefined;
  const header = headers["retry-after"];
  if (header === undefined || !/^\d+$/.test(header)) return undefined;
  return Math.max(Number(header) * 1_000, 100);
}

function statusErrorOf(httpCode: number, body: Buffer): StatusError {
  const text = body.toString("utf8");
  try {
    const status = JSON.parse(text) as Partial<Status> | null;
    if (status?.kind === "Status") return StatusError.fromStatus(status, httpCode);
  } catch { /* Not ours: a proxy's page, say. The text itself is the best message. */ }
  return new StatusError("", `the server answered ${httpCode}${text === "" ? "" : `: ${text.slice(0, 1_024).trim()}`}`, { code: httpCode });
}

function impersonationHeaders({ impersonate }: ClientConfig): HeaderFields {
  if (impersonate === undefined) return {};
  const headers: HeaderFields = { "impersonate-user": impersonate.user };
  if (impersonate.uid !== undefined) headers["impersonate-uid"] = impersonate.uid;
  if ((impersonate.groups ?? []).length > 0) headers["impersonate-group"] = [...impersonate.groups!];
  for (const [key, values] of Object.entries(impersonate.extra ?? {})) headers[`impersonate-extra-${encodeURIComponent(key).toLowerCase()}`] = [...values];
  return headers;
}

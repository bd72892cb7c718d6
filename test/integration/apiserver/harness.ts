/** A server in this process and a client that shows everything of an answer: what the tests of the API server share. */
import https from "node:https";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { overcommitment } from "../../overcommitment.ts";
import { startEphemeralApiServer, type ClientIdentity, type EphemeralApiServer, type EphemeralOptions } from "../../../lib/apiserver/ephemeral.ts";

export type Json = Record<string, unknown>;
export interface Answer { readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string; /** Parsed when it is JSON. */ readonly body: any } // eslint-disable-line
export interface CallOptions { readonly body?: unknown; readonly headers?: Record<string, string>; readonly as?: ClientIdentity | "anonymous" }
export interface WatchedEvent { readonly type: string; readonly object: any } // eslint-disable-line

/** After that long an event is missing, on a machine that is not overcommitted. */
const EVENT_MAX_MS = 5_000;

export interface Watch {
  readonly status: Promise<number>;
  /** Resolves with the next event; rejects when none comes in time. */
  next(): Promise<WatchedEvent>;
  /** Resolves when the server has ended the watch. */
  readonly ended: Promise<void>;
  close(): void;
}

export class Harness {
  readonly server: EphemeralApiServer;
  readonly #agent: https.Agent;
  private constructor(server: EphemeralApiServer) { this.server = server; this.#agent = new https.Agent({ keepAlive: true }); }

  static async start(options: EphemeralOptions = {}): Promise<Harness> { return new Harness(await startEphemeralApiServer(options)); }
  async close(): Promise<void> {
    this.#agent.destroy();
    await this.server.close();
  }

  #request(method: string, path: string, options: CallOptions, onResponse: (response: IncomingMessage) => void, onError: (error: Error) => void) {
    const identity = options.as === "anonymous" ? undefined : options.as ?? this.server.admin;
    const body = options.body === undefined ? undefined : Buffer.isBuffer(options.body) ? options.body : typeof options.body === "string" ? options.body : JSON.stringify(options.body);
    const request = https.request(`${this.server.url}${path}`, {
      method, ca: this.server.caPem, ...(identity === undefined ? {} : { cert: identity.certificatePem, key: identity.keyPem }),
      agent: identity === this.server.admin ? this.#agent : false,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }), ...options.headers },
    }, onResponse);
    request.on("error", onError);
    request.end(body);
    return request;
  }

  call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#request(method, path, options, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(parts).toString();
          let parsed: unknown;
          try { parsed = JSON.parse(text); } catch { parsed = undefined; }
          resolve({ status: response.statusCode!, headers: response.headers, text, body: parsed });
        });
      }, reject);
    });
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> { return this.call("GET", path, { headers }); }
  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> { return this.call("POST", path, { body, headers }); }
  put(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> { return this.call("PUT", path, { body, headers }); }
  patch(path: string, body: unknown, type: "json" | "merge" | "strategic-merge" = "merge"): Promise<Answer> { return this.call("PATCH", path, { body, headers: { "content-type": `application/${type}-patch+json` } }); }
  delete(path: string, body?: unknown): Promise<Answer> { return this.call("DELETE", path, body === undefined ? {} : { body }); }

  /** A namespace of the test's own, with its default service account, as the controller manager would make it. */
  async namespace(name: string): Promise<string> {
    await this.post("/api/v1/namespaces", { metadata: { name } });
    await this.post(`/api/v1/namespaces/${name}/serviceaccounts`, { metadata: { name: "default" } });
    return name;
  }

  /** Resolves when the server has written itself down as a Service, which it does once it serves: the slice comes last. */
  async kubernetesService(): Promise<void> {
    const watch = this.watch("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?watch=true&fieldSelector=metadata.name%3Dkubernetes");
    await watch.next();
    watch.close();
  }

  watch(path: string, headers: Record<string, string> = {}): Watch {
    const events: WatchedEvent[] = [], waiting: ((event: WatchedEvent) => void)[] = [];
    let rest = "", finish!: () => void, answered!: (status: number) => void;
    const ended = new Promise<void>((resolve) => { finish = resolve; }), status = new Promise<number>((resolve) => { answered = resolve; });
    const take = (line: string): void => {
      const event = JSON.parse(line) as WatchedEvent, waiter = waiting.shift();
      if (waiter === undefined) events.push(event); else waiter(event);
    };
    const request = this.#request("GET", path, { headers }, (response) => {
      answered(response.statusCode!);
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        const lines = (rest + text).split("\n");
        rest = lines.pop()!;
        lines.filter((line) => line !== "").forEach(take);
      });
      response.on("end", finish);
      response.on("error", finish);
    }, () => finish());
    return {
      status, ended,
      next: async () => {
        const ready = events.shift();
        if (ready !== undefined) return ready;
        const abort = new AbortController();
        const late = delay(EVENT_MAX_MS * overcommitment(), undefined, { signal: abort.signal }).then(() => { throw new Error(`No event of ${path} within ${EVENT_MAX_MS * overcommitment() / 1000} s`); });
        late.catch(() => {});
        try { return await Promise.race([new Promise<WatchedEvent>((resolve) => { waiting.push(resolve); }), late]); }
        finally { abort.abort(); }
      },
      close: () => { request.destroy(); },
    };
  }
}

export const configMap = (name: string, data: Record<string, string> = {}, labels?: Record<string, string>): Json => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, ...(labels === undefined ? {} : { labels }) }, data });
export const pod = (name: string, overrides: Json = {}): Json => ({ apiVersion: "v1", kind: "Pod", metadata: { name }, spec: { containers: [{ name: "main", image: "nginx:1.27" }], ...overrides } });
export const deployment = (name: string, replicas = 1): Json => ({
  apiVersion: "apps/v1", kind: "Deployment", metadata: { name, labels: { app: name } },
  spec: { replicas, selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "main", image: "nginx:1.27" }] } } },
});

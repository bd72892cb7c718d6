/**
 * `/metrics`: Prometheus text under upstream's main names. Counterpart: apiserver `endpoints/metrics`.
 * Children of each label set are looked up once a route and kept, so a request costs two additions.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";
import type { ApiRequest } from "../http/exchange.ts";

const SECONDS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
const SERIES_MAX = 5_000;

interface Series { readonly count: Counter.Internal; readonly seconds: Histogram.Internal<string> }

export class ServerMetrics {
  readonly #registry = new Registry();
  readonly #requests: Counter;
  readonly #seconds: Histogram;
  readonly #series = new Map<string, Series>();
  readonly longRunning: Gauge;

  constructor(facts: { objects: () => Iterable<{ resource: string; count: number }>; watchers: () => number }) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: 100 });
    const labelNames = ["verb", "group", "version", "resource", "subresource", "scope"];
    this.#requests = new Counter({ name: "apiserver_request_total", help: "Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.", labelNames: [...labelNames, "code"], registers });
    this.#seconds = new Histogram({ name: "apiserver_request_duration_seconds", help: "Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.", labelNames, buckets: SECONDS, registers });
    this.longRunning = new Gauge({ name: "apiserver_longrunning_requests", help: "Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component.", labelNames: ["verb"], registers, collect() { this.set({ verb: "WATCH" }, facts.watchers()); } });
    new Gauge({
      name: "apiserver_storage_objects", help: "Number of stored objects at the time of last check split by kind.", labelNames: ["resource"], registers,
      collect() { this.reset(); for (const { resource, count } of facts.objects()) this.set({ resource }, count); },
    });
  }

  /** Counts an answered request. */
  observe(request: ApiRequest, status: number, seconds: number, longRunning: boolean): void {
    const info = request.info as ApiRequest["info"] | undefined;
    const verb = info === undefined ? request.method : info.isResourceRequest ? info.verb.toUpperCase() : request.method;
    const scope = info === undefined || !info.isResourceRequest ? "" : info.name !== "" ? "resource" : info.namespace !== "" ? "namespace" : "cluster";
    const group = info?.apiGroup ?? "", version = info?.apiVersion ?? "", resource = info?.resource ?? "", subresource = info?.subresource ?? "";
    const key = `${verb} ${group} ${version} ${resource} ${subresource} ${scope} ${status}`;
    let series = this.#series.get(key);
    if (series === undefined) {
      // Unknown paths bring names of their own; they share one series.
      const known = this.#series.size < SERIES_MAX && status !== 404;
      const labels = known ? { verb, group, version, resource, subresource, scope } : { verb, group: "", version: "", resource: "", subresource: "", scope: "" };
      series = { count: this.#requests.labels({ ...labels, code: String(status) }), seconds: this.#seconds.labels(labels) };
      if (known) this.#series.set(key, series);
    }
    series.count.inc();
    if (!longRunning) series.seconds.observe(seconds);
  }

  text(): Promise<string> { return this.#registry.metrics(); }
  get contentType(): string { return this.#registry.contentType; }
}

import test from "ava";
import https from "node:https";
import http from "node:http";
import { HealthServer, type HealthServerOptions } from "../../../lib/runtime/health-server.ts";
import { RuntimeMetrics } from "../../../lib/runtime/metrics.ts";
import { silentLogger } from "../../../lib/util/logger.ts";
import { systemClock } from "../../../lib/util/clock.ts";

async function rig(t: { teardown(f: () => Promise<void>): void }, options: Partial<HealthServerOptions> = {}) {
  const stop = new AbortController();
  const server = new HealthServer({ clock: systemClock, log: silentLogger }, { address: "127.0.0.1", port: 0, ...options });
  const running = server.run(stop.signal);
  t.teardown(async () => { stop.abort(); await running; });
  const port = await server.listening;
  const get = (path: string): Promise<{ status: number; body: string }> => new Promise((resolve, reject) => {
    const request = (options.tls === undefined ? http : https).get({ host: "127.0.0.1", port, path, rejectUnauthorized: false, agent: false }, (response) => {
      let body = "";
      response.on("data", (d) => { body += String(d); });
      response.on("end", () => resolve({ status: response.statusCode!, body }));
    });
    request.on("error", reject);
  });
  return { server, get, port };
}

test("HealthServer answers ok, and names a failed check without its reason", async (t) => {
  let reason: string | undefined;
  const { get } = await rig(t, { checks: [{ name: "leader", on: "readyz", check: () => reason }] });
  t.deepEqual(await get("/healthz"), { status: 200, body: "ok" });
  reason = "the secret reason";
  t.is((await get("/livez")).status, 200);
  const ready = await get("/readyz");
  t.is(ready.status, 500);
  t.is(ready.body, "[+]ping ok\n[-]leader failed: reason withheld\nreadyz check failed\n");
  t.is((await get("/readyz/ping")).status, 200);
  t.is((await get("/readyz?exclude=leader")).status, 200);
  t.is((await get("/readyz/none")).status, 404);
});

test("HealthServer serves metrics over TLS with a certificate it made itself", async (t) => {
  const { get } = await rig(t, { tls: {}, registry: new RuntimeMetrics().registry });
  const { status, body } = await get("/metrics");
  t.is(status, 200);
  t.regex(body, /^process_resident_memory_bytes \d+/m);
});

test("HealthServer lets health paths through and refuses metrics to those not authorized", async (t) => {
  const { get } = await rig(t, { registry: new RuntimeMetrics().registry, authorize: async () => "unauthenticated" });
  t.is((await get("/healthz")).status, 200);
  t.is((await get("/metrics")).status, 401);
});

test("HealthServer.run() rejects when the port is taken, naming it", async (t) => {
  const { port } = await rig(t);
  const second = new HealthServer({ clock: systemClock, log: silentLogger }, { address: "127.0.0.1", port });
  await t.throwsAsync(second.run(new AbortController().signal), { message: new RegExp(`Cannot listen on 127\\.0\\.0\\.1:${port}: .*EADDRINUSE`) });
});

import test from "ava";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import path from "node:path";
import { groupResource, type ResourceReference } from "../../../lib/api/reference.ts";
import type { HasMeta } from "../../../lib/client/client.ts";
import { createAuthority, issue, type KeyPair } from "../../../lib/pki/certificate.ts";
import { privateKeyPem } from "../../../lib/pki/keys.ts";
import { delegatedAuth } from "../../../lib/runtime/delegated-auth.ts";
import { HealthServer } from "../../../lib/runtime/health-server.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { silentLogger } from "../../../lib/util/logger.ts";
import { Registry } from "prom-client";
import { FakeClient } from "./fake-client.ts";

const directory = mkdtempSync(path.join(tmpdir(), "delegated-"));
test.after.always(() => rmSync(directory, { recursive: true }));

/** Knows one token, and lets members of `monitoring` read /metrics. */
class Reviewer extends FakeClient {
  reviews = 0;
  override async create<T extends HasMeta>(resource: ResourceReference<T>, object: T): Promise<T> {
    this.reviews++;
    const spec = (object as unknown as { spec: { token?: string; groups?: string[]; nonResourceAttributes?: { path: string; verb: string } } }).spec;
    const status = groupResource(resource).startsWith("tokenreviews")
      ? { authenticated: spec.token === "good", user: { username: "prometheus", groups: ["monitoring"] } }
      : { allowed: spec.groups?.includes("monitoring") === true && spec.nonResourceAttributes?.path === "/metrics" && spec.nonResourceAttributes.verb === "get" };
    return { ...object, status };
  }
}

const now = new Date(), authority = createAuthority({ commonName: "test-ca", now }), clientCaFile = path.join(directory, "ca.crt");
writeFileSync(clientCaFile, authority.certificatePem);
const person = (from: KeyPair, ...organizations: string[]): KeyPair => issue(from, { subject: { commonName: "someone", organizations }, usages: ["client"], now });

async function withServer(body: (ask: (path: string, how?: { token?: string; pair?: KeyPair }) => Promise<number>, client: Reviewer) => Promise<void>): Promise<void> {
  const client = new Reviewer(), stop = new AbortController(), registry = new Registry();
  const server = new HealthServer({ clock: systemClock, log: silentLogger }, { address: "127.0.0.1", port: 0, tls: {}, registry, authorize: delegatedAuth({ client, clock: systemClock }, { clientCaFile }) });
  const running = server.run(stop.signal), port = await server.listening;
  const ask = (path: string, { token, pair }: { token?: string; pair?: KeyPair } = {}): Promise<number> => new Promise((resolve, reject) => {
    request({
      host: "127.0.0.1", port, path, agent: false, rejectUnauthorized: false, headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      ...(pair === undefined ? {} : { cert: pair.certificatePem, key: privateKeyPem(pair.key) }),
    }, (response) => { response.resume(); resolve(response.statusCode!); }).on("error", reject).end();
  });
  try { await body(ask, client); }
  finally { stop.abort(); await running; }
}

test("delegatedAuth() asks the API server who a token is and whether they may, and remembers for a moment", async (t) => {
  await withServer(async (ask, client) => {
    t.is(await ask("/metrics"), 401);
    t.is(await ask("/metrics", { token: "bad" }), 401);
    t.is(await ask("/metrics", { token: "good" }), 200);
    t.is(await ask("/configz", { token: "good" }), 403);
    const { reviews } = client;
    t.is(await ask("/metrics", { token: "good" }), 200);
    t.is(client.reviews, reviews);
    t.is(await ask("/healthz"), 200);
  });
});

test("delegatedAuth() believes client certificates of its own authorities only", async (t) => {
  await withServer(async (ask) => {
    t.is(await ask("/metrics", { pair: person(authority, "monitoring") }), 200);
    t.is(await ask("/metrics", { pair: person(authority, "visitors") }), 403);
    t.is(await ask("/metrics", { pair: person(createAuthority({ commonName: "test-ca", now }), "monitoring") }), 401);
  });
});

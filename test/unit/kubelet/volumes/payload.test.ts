import test from "ava";
import type { ConfigMap, Secret, Volume } from "../../../../lib/api/schema/generated/models.ts";
import type { Client } from "../../../../lib/client/client.ts";
import { ManualClock } from "../../../../lib/util/clock.ts";
import { buildPayload, type PayloadSources } from "../../../../lib/kubelet/volumes/payload.ts";
import { TokenManager } from "../../../../lib/kubelet/volumes/token-manager.ts";
import { makeContainer, makePod } from "../builders.ts";

const context = { podIPs: ["10.0.0.2"], hostIPs: [], nodeName: "n1", allocatable: {} };
const settings: ConfigMap = { metadata: { name: "c" }, data: { a: "1" }, binaryData: { b: Buffer.from([0, 255]).toString("base64") } }, keys: Secret = { metadata: { name: "s" }, data: { p: Buffer.from("pw").toString("base64") } };
const sources: PayloadSources = { configMap: async (_, name) => (name === "c" ? settings : undefined), secret: async (_, name) => (name === "s" ? keys : undefined), token: async (_, audience, seconds) => `${audience}:${seconds}` };
async function files(volume: Omit<Volume, "name">, pod = makePod()): Promise<Record<string, string>> {
  const payload = await buildPayload(pod, { name: "v", ...volume }, sources, context);
  return Object.fromEntries([...payload!].map(([name, file]) => [name, `${file.data.toString("latin1")} ${file.mode.toString(8)}${file.uid === undefined ? "" : ` uid ${file.uid}`}`]));
}

test("buildPayload() writes every key, or the chosen ones where they are wanted", async (t) => {
  t.deepEqual(await files({ configMap: { name: "c" } }), { a: "1 644", b: "\0ÿ 644" });
  t.deepEqual(await files({ configMap: { name: "c", defaultMode: 0o600, items: [{ key: "a", path: "x/y", mode: 0o400 }] } }), { "x/y": "1 400" });
  t.deepEqual(await files({ secret: { secretName: "s" } }), { p: "pw 644" });
});
test("buildPayload() names what is missing, unless it is optional", async (t) => {
  await t.throwsAsync(files({ configMap: { name: "none" } }), { message: 'configmap "none" not found' });
  await t.throwsAsync(files({ secret: { secretName: "none" } }), { message: 'secret "none" not found' });
  await t.throwsAsync(files({ configMap: { name: "c", items: [{ key: "z", path: "z" }] } }), { message: "configmap references non-existent config key: z" });
  await t.throwsAsync(files({ secret: { secretName: "s", items: [{ key: "z", path: "z" }] } }), { message: "secret references non-existent secret key: z" });
  t.deepEqual(await files({ configMap: { name: "none", optional: true } }), {});
  t.deepEqual(await files({ configMap: { name: "c", optional: true, items: [{ key: "z", path: "z" }] } }), {});
});
test("buildPayload() joins projected sources, and refuses one by name that it cannot run", async (t) => {
  const projected = { sources: [{ serviceAccountToken: { path: "token", expirationSeconds: 600, audience: "a" } }, { configMap: { name: "c", items: [{ key: "a", path: "ca.crt" }] } }, { downwardAPI: { items: [{ path: "ns", fieldRef: { fieldPath: "metadata.namespace" } }] } }] };
  t.deepEqual(await files({ projected }), { token: "a:600 644", "ca.crt": "1 644", ns: "default 644" });
  await t.throwsAsync(files({ projected: { sources: [{ clusterTrustBundle: { path: "x" } }] } }), { message: "projected source clusterTrustBundle is not supported by this release" });
  t.is(await buildPayload(makePod(), { name: "v", emptyDir: {} }, sources, context), undefined);
});
test("buildPayload() gives a token to the only user of the pod, or to its group", async (t) => {
  const projected = { sources: [{ serviceAccountToken: { path: "token" } }] };
  t.deepEqual(await files({ projected }, makePod({ spec: { securityContext: { runAsUser: 5 } } })), { token: "undefined:3600 600 uid 5" });
  t.deepEqual(await files({ projected }, makePod({ spec: { securityContext: { runAsUser: 5 }, containers: [makeContainer("a"), makeContainer("b", { securityContext: { runAsUser: 6 } })] } })), { token: "undefined:3600 644" });
  t.deepEqual(await files({ projected }, makePod({ spec: { securityContext: { fsGroup: 5 } } })), { token: "undefined:3600 600" });
});

function tokenClient(clock: ManualClock): { client: Client; asked: unknown[]; fail: { on: boolean } } {
  const asked: unknown[] = [], fail = { on: false };
  const createSubresource = async (_: unknown, key: unknown, subresource: string, body: { spec: { expirationSeconds: number } }): Promise<unknown> => {
    if (fail.on) throw new Error("down");
    asked.push({ key, subresource, spec: body.spec });
    return { status: { token: `t${asked.length}`, expirationTimestamp: new Date(clock.now().getTime() + body.spec.expirationSeconds * 1_000).toISOString() } };
  };
  return { client: { createSubresource } as unknown as Client, asked, fail };
}

test("TokenManager asks once, bound to the pod, and again at 80 % of the token's life", async (t) => {
  const clock = new ManualClock(), { client, asked } = tokenClient(clock), tokens = new TokenManager(client, clock), pod = makePod({ spec: { serviceAccountName: "sa" } });
  t.is(await tokens.token(pod, "aud", 1_000), "t1");
  t.deepEqual(asked, [{ key: { namespace: "default", name: "sa" }, subresource: "token", spec: { audiences: ["aud"], expirationSeconds: 1_000, boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "web", uid: "u1" } } }]);
  await clock.advance(799_000);
  t.is(await tokens.token(pod, "aud", 1_000), "t1");
  await clock.advance(2_000);
  t.is(await tokens.token(pod, "aud", 1_000), "t2");
});
test("TokenManager keeps a token that is still good while the server is away, and renews a long one after a day", async (t) => {
  const clock = new ManualClock(), { client, fail } = tokenClient(clock), tokens = new TokenManager(client, clock), pod = makePod();
  await tokens.token(pod, undefined, 10 * 86_400);
  await clock.advance(86_400_000 + 1);
  fail.on = true;
  t.is(await tokens.token(pod, undefined, 10 * 86_400), "t1");
  fail.on = false;
  t.is(await tokens.token(pod, undefined, 10 * 86_400), "t2");
  tokens.forget("u1");
  t.is(tokens.nextRenewalMs("u1"), undefined);
});

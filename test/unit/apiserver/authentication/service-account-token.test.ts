import test from "ava";
import { createHmac } from "node:crypto";
import { nodes, pods, secrets, serviceaccounts } from "../../../../lib/api/schema/generated/references.ts";
import type { AuthenticationV1TokenRequest } from "../../../../lib/api/schema/generated/models.ts";
import { StatusError } from "../../../../lib/api/status-error.ts";
import { jwtKey, signJwt, verifyJwt } from "../../../../lib/pki/jwt.ts";
import { CACHED_TOKENS_MAX, ServiceAccountTokenAuthenticator } from "../../../../lib/apiserver/authentication/service-account-token.ts";
import { newTokenClaims } from "../../../../lib/apiserver/authentication/service-account-claims.ts";
import { tokenRequestHandler } from "../../../../lib/apiserver/authentication/token-request.ts";
import { tokenReviewHandler } from "../../../../lib/apiserver/authentication/token-review.ts";
import type { KubeObject } from "../../../../lib/api/resource-definition.ts";
import { generateKey } from "../../../../lib/pki/keys.ts";
import { ManualClock } from "../../../../lib/util/clock.ts";
import { FakeCache } from "../fake-cache.ts";

const key = generateKey("rsa"), ISSUER = "https://kubernetes.default.svc";

async function setUp() {
  const cache = new FakeCache(), clock = new ManualClock();
  const account = cache.put(serviceaccounts, { metadata: { namespace: "default", name: "robot" } });
  const node = cache.put(nodes, { metadata: { name: "n1" } });
  const pod = cache.put(pods, { metadata: { namespace: "default", name: "web" }, spec: { containers: [], serviceAccountName: "robot", nodeName: "n1" } });
  const tokens = new ServiceAccountTokenAuthenticator({ cache, clock }, { keys: [jwtKey(key)], issuers: [ISSUER], audiences: [ISSUER] });
  tokens.start();
  const handler = tokenRequestHandler({ cache, clock }, { issuer: ISSUER, signingKey: key, audiences: [ISSUER], maxExpirationSeconds: 0, extendExpiration: true });
  const request = async (spec: object, name = "robot") => (await handler({ metadata: {}, spec } as unknown as KubeObject,
    { user: { name: "u", groups: [] }, namespace: "default", name, dryRun: false, addWarning() {} })) as AuthenticationV1TokenRequest;
  const token = async (spec: object) => (await request(spec)).status!.token!;
  return { cache, clock, account, node, pod, tokens, request, token };
}

test("ServiceAccountTokenAuthenticator accepts what the token handler issued, as the user upstream names", async (t) => {
  const { tokens, token, account, pod, node } = await setUp();
  const issued = await token({ boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "web" } });
  const { user } = tokens.authenticateToken(issued)!;
  t.is(user.name, "system:serviceaccount:default:robot");
  t.is(user.uid, account.metadata.uid);
  t.deepEqual(user.groups, ["system:serviceaccounts", "system:serviceaccounts:default"]);
  t.deepEqual(user.extra?.["authentication.kubernetes.io/pod-uid"], [pod.metadata.uid!]);
  t.deepEqual(user.extra?.["authentication.kubernetes.io/node-uid"], [node.metadata.uid!]);
  t.is(tokens.authenticateToken(issued)!.user, user); // The identical object: later stages remember by it.
});

test("tokenRequestHandler gives pods' tokens a year with a warning mark, others what they asked", async (t) => {
  const { request, clock } = await setUp(), now = clock.now().getTime() / 1_000;
  const projected = await request({ expirationSeconds: 3_607, boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "web" } });
  const claims = verifyJwt(projected.status!.token!, [jwtKey(key)]);
  t.is(claims.exp, now + 365 * 86_400);
  t.is((claims["kubernetes.io"] as { warnafter: number }).warnafter, now + 3_607);
  t.is(projected.status!.expirationTimestamp, "2026-01-01T01:00:07Z");
  t.is(verifyJwt((await request({ expirationSeconds: 600 })).status!.token!, [jwtKey(key)]).exp, now + 600);
});

test("tokenRequestHandler refuses short lifetimes, other accounts' pods, foreign uids and missing accounts", async (t) => {
  const { request, cache } = await setUp();
  cache.put(pods, { metadata: { namespace: "default", name: "other" }, spec: { containers: [], serviceAccountName: "default" } });
  const refused = async (spec: object, name?: string) => (await t.throwsAsync(() => request(spec, name), { instanceOf: StatusError }))!;
  t.regex((await refused({ expirationSeconds: 599 })).message, /may not specify a duration less than 10 minutes/);
  t.regex((await refused({ boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "other" } })).message, /different serviceaccount name/);
  t.is((await refused({ boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "web", uid: "old" } })).reason, "Conflict");
  t.is((await refused({ boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "gone" } })).message, 'pods "gone" not found');
  t.is((await refused({}, "nobody")).message, 'serviceaccounts "nobody" not found');
});

test("ServiceAccountTokenAuthenticator refuses a cached token at once when its pod is deleted or made again", async (t) => {
  const { tokens, token, cache } = await setUp();
  const issued = await token({ boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "web" } });
  t.truthy(tokens.authenticateToken(issued));
  cache.remove(pods, "default", "web");
  t.throws(() => tokens.authenticateToken(issued), { message: "pod default/web is not found" });
  cache.put(pods, { metadata: { namespace: "default", name: "web" }, spec: { containers: [], serviceAccountName: "robot" } });
  t.throws(() => tokens.authenticateToken(issued), { message: /does not match claim/ });
});

test("ServiceAccountTokenAuthenticator keeps a leaving object's token for a minute, and no token past its end", async (t) => {
  const { tokens, token, cache, clock, account } = await setUp(), issued = await token({});
  t.truthy(tokens.authenticateToken(issued));
  cache.put(serviceaccounts, { metadata: { ...account.metadata, deletionTimestamp: clock.now().toISOString() } });
  t.truthy(tokens.authenticateToken(issued));
  await clock.advance(61_000);
  t.throws(() => tokens.authenticateToken(issued), { message: /has been deleted/ });
  cache.put(serviceaccounts, { metadata: account.metadata });
  t.truthy(tokens.authenticateToken(issued));
  await clock.advance(3_600_000);
  t.throws(() => tokens.authenticateToken(issued), { message: "service account token has expired" });
});

test("ServiceAccountTokenAuthenticator refuses other audiences, leaves other issuers alone and never takes HMAC or none", async (t) => {
  const { tokens, token } = await setUp();
  const vault = await token({ audiences: ["vault"] });
  t.throws(() => tokens.authenticateToken(vault), { message: /is invalid for the target audiences/ });
  t.deepEqual(tokens.authenticateToken(vault, ["vault", "x"])!.audiences, ["vault"]);
  t.is(tokens.authenticateToken(signJwt({ iss: "https://elsewhere" }, key)), undefined);
  const good = await token({}), payload = good.split(".")[1]!;
  for (const alg of ["none", "HS256"]) {
    const input = `${Buffer.from(JSON.stringify({ alg })).toString("base64url")}.${payload}`;
    const mac = createHmac("sha256", jwtKey(key).publicKey.export({ type: "spki", format: "pem" })).update(input).digest("base64url");
    t.throws(() => tokens.authenticateToken(`${input}.${alg === "none" ? "" : mac}`), { message: "invalid signature" });
  }
  t.throws(() => tokens.authenticateToken(`${good.slice(0, -8)}AAAAAAAA`), { message: "invalid signature" });
});

test("ServiceAccountTokenAuthenticator takes a legacy token only while its secret holds it", async (t) => {
  const { tokens, cache, account } = await setUp(), prefix = "kubernetes.io/serviceaccount/";
  const legacy = signJwt({
    iss: "kubernetes/serviceaccount", sub: "system:serviceaccount:default:robot", [`${prefix}namespace`]: "default", [`${prefix}secret.name`]: "robot-token",
    [`${prefix}service-account.name`]: "robot", [`${prefix}service-account.uid`]: account.metadata.uid,
  }, key);
  t.throws(() => tokens.authenticateToken(legacy), { message: /secret default\/robot-token is not found/ });
  cache.put(secrets, { metadata: { namespace: "default", name: "robot-token" }, data: { token: Buffer.from(legacy).toString("base64") } });
  t.is(tokens.authenticateToken(legacy)!.user.name, "system:serviceaccount:default:robot");
  cache.put(secrets, { metadata: { namespace: "default", name: "robot-token" }, data: {} });
  t.throws(() => tokens.authenticateToken(legacy), { message: /does not match that of its secret/ });
});

test("ServiceAccountTokenAuthenticator remembers a bounded number of tokens", async (t) => {
  const { cache, clock, account } = await setUp(), fast = generateKey();
  const tokens = new ServiceAccountTokenAuthenticator({ cache, clock }, { keys: [jwtKey(fast)], issuers: [ISSUER], audiences: [ISSUER] });
  const id = jwtKey(fast).id, issue = (n: number) => signJwt(newTokenClaims({ issuer: ISSUER, namespace: "default", serviceAccount: { name: "robot", uid: account.metadata.uid! }, audiences: [ISSUER], now: clock.now(), lifetimeSeconds: 3_600, id: `${n}` }), fast, id);
  const first = issue(0), before = tokens.authenticateToken(first)!;
  for (let n = 1; n <= CACHED_TOKENS_MAX; n++) tokens.authenticateToken(issue(n));
  t.not(tokens.authenticateToken(first), before); // Forgotten, verified anew.
});

test("tokenReviewHandler tells the user, or why not", async (t) => {
  const { tokens, token } = await setUp(), handler = tokenReviewHandler(tokens, [ISSUER]);
  const context = { user: { name: "u", groups: [] }, namespace: "", name: "", dryRun: false, addWarning() {} };
  const review = async (value: string) => (await handler({ spec: { token: value } } as unknown as KubeObject, context)) as unknown as { status: { authenticated?: boolean; error?: string; user: { groups?: string[] } } };
  const { status } = await review(await token({}));
  t.true(status.authenticated);
  t.true(status.user.groups!.includes("system:authenticated"));
  t.is((await review("a.b.c")).status.authenticated, undefined);
  t.regex((await review(await token({ audiences: ["vault"] }))).status.error!, /audiences/);
});

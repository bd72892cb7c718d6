/** OpenID Connect against a real issuer on loopback: TLS, discovery, keys. Counterpart of the table in upstream's oidc_test.go. */
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import test, { type ExecutionContext } from "ava";
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from "jose";
import { OidcAuthenticator, KEYS_COOLDOWN_MS, REMEMBERED_MS, type OidcOptions } from "../../../../lib/apiserver/authentication/oidc.ts";
import { readOidcUser } from "../../../../lib/apiserver/authentication/oidc-claims.ts";
import { tokenUnion } from "../../../../lib/apiserver/authentication/token-authenticator.ts";
import { checkOidcFlags } from "../../../../cmd/kube-apiserver/oidc-flags.ts";
import { createAuthority, issue } from "../../../../lib/pki/certificate.ts";
import { privateKeyPem } from "../../../../lib/pki/keys.ts";
import { ManualClock } from "../../../../lib/util/clock.ts";

const NOW = new Date();
const CLAIMS = { usernameClaim: "sub", usernamePrefix: undefined, groupsClaim: "groups", groupsPrefix: "oidc:", requiredClaims: {} } as const;

interface Issuer { readonly url: string; readonly caPem: string; readonly keys: JWK[]; readonly asked: string[]; named: string | undefined; status: number }
async function startIssuer(t: ExecutionContext): Promise<Issuer> {
  const authority = createAuthority({ commonName: "issuer", now: NOW }), pair = issue(authority, { subject: { commonName: "issuer" }, usages: ["server"], names: ["127.0.0.1"], now: NOW });
  const issuer = { url: "", caPem: authority.certificatePem, keys: [] as JWK[], asked: [] as string[], named: undefined as string | undefined, status: 200 };
  const server = createServer({ cert: pair.certificatePem, key: privateKeyPem(pair.key) }, (request, response) => {
    issuer.asked.push(request.url!);
    response.writeHead(issuer.status, { "content-type": "application/json" });
    response.end(JSON.stringify(request.url === "/keys" ? { keys: issuer.keys } : { issuer: issuer.named ?? issuer.url, jwks_uri: `${issuer.url}/keys` }));
  });
  await new Promise<void>((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  t.teardown(() => { server.close(); server.closeAllConnections(); });
  issuer.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return issuer;
}
async function newKey(issuer: Issuer, kid: string, algorithm = "RS256"): Promise<CryptoKey> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  issuer.keys.push({ ...(await exportJWK(publicKey)), kid, alg: algorithm, use: "sig" });
  return privateKey;
}
const sign = (key: CryptoKey, kid: string, claims: Record<string, unknown>, algorithm = "RS256"): Promise<string> => new SignJWT(claims).setProtectedHeader({ alg: algorithm, kid }).sign(key);
const seconds = (date: Date, plus = 0): number => Math.floor(date.getTime() / 1_000) + plus;

async function setUp(t: ExecutionContext, more: Partial<OidcOptions> = {}) {
  const issuer = await startIssuer(t), clock = new ManualClock(NOW), key = await newKey(issuer, "one");
  const oidc = new OidcAuthenticator({ clock }, { issuerUrl: issuer.url, clientId: "kubernetes", signingAlgorithms: ["RS256"], authorityPem: issuer.caPem, ...CLAIMS, ...more });
  const token = (claims: Record<string, unknown> = {}, signer = key, kid = "one", algorithm?: string): Promise<string> => sign(signer, kid, { iss: issuer.url, aud: "kubernetes", sub: "jane", groups: ["dev", "ops"], exp: seconds(clock.now(), 600), ...claims }, algorithm);
  return { issuer, clock, oidc, token };
}

test("OidcAuthenticator names user and groups of a token, and asks the issuer once", async (t) => {
  const { issuer, oidc, token } = await setUp(t);
  const one = await oidc.authenticateToken(await token());
  t.deepEqual(one!.user, { name: `${issuer.url}#jane`, groups: ["oidc:dev", "oidc:ops"] });
  await oidc.authenticateToken(await token({ sub: "joe" }));
  t.deepEqual(issuer.asked, ["/.well-known/openid-configuration", "/keys"]);
});

test("OidcAuthenticator leaves other tokens alone and refuses bad ones, saying why", async (t) => {
  const { issuer, oidc, token, clock } = await setUp(t), forged = (await generateKeyPair("RS256")).privateKey, curve = await newKey(issuer, "curve", "ES256");
  t.is(oidc.authenticateToken("opaque"), undefined);
  t.is(oidc.authenticateToken(await token({ iss: "https://other.example.com" })), undefined);
  await t.throwsAsync(async () => oidc.authenticateToken(await token({ aud: "somebody" })), { message: /^oidc: verify token: .*aud/ });
  await t.throwsAsync(async () => oidc.authenticateToken(await token({ exp: seconds(clock.now(), -1) })), { message: /^oidc: verify token: .*exp/ });
  await t.throwsAsync(async () => oidc.authenticateToken(await token({ exp: undefined })), { message: /^oidc: verify token: .*exp/ });
  await t.throwsAsync(async () => oidc.authenticateToken(await token({}, forged)), { message: /^oidc: verify token: signature/ });
  await t.throwsAsync(async () => oidc.authenticateToken(await token({}, curve, "curve", "ES256")), { message: /^oidc: verify token: .*alg/ });
  const none = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${(await token()).split(".")[1]!}.`;
  await t.throwsAsync(async () => oidc.authenticateToken(none), { message: /^oidc: verify token/ });
});

test("OidcAuthenticator remembers a token for a while, and never past its end", async (t) => {
  const { oidc, token, clock } = await setUp(t), short = await token({ exp: seconds(clock.now(), 5) });
  const first = await oidc.authenticateToken(short), again = oidc.authenticateToken(short);
  t.is(again, first!); // The identical object, without a promise.
  void clock.advance(6_000);
  await t.throwsAsync(async () => oidc.authenticateToken(short), { message: /exp/ });
  const long = await token(), kept = await oidc.authenticateToken(long);
  void clock.advance(REMEMBERED_MS + 1);
  const anew = oidc.authenticateToken(long);
  t.true(anew instanceof Promise);
  t.deepEqual(await anew, kept);
});

test("OidcAuthenticator waits a while after an issuer that did not answer, then asks again", async (t) => {
  const { issuer, oidc, token, clock } = await setUp(t);
  issuer.status = 503;
  await t.throwsAsync(async () => oidc.authenticateToken(await token()), { message: /answered 503/ });
  issuer.status = 200;
  await t.throwsAsync(async () => oidc.authenticateToken(await token()), { message: "oidc: verify token: authenticator not initialized" });
  t.is(issuer.asked.length, 1);
  void clock.advance(KEYS_COOLDOWN_MS);
  t.truthy(await oidc.authenticateToken(await token()));
});

test("OidcAuthenticator trusts no issuer that calls itself otherwise, and none whose certificate it does not know", async (t) => {
  const { issuer, oidc, token } = await setUp(t);
  issuer.named = "https://evil.example.com";
  await t.throwsAsync(async () => oidc.authenticateToken(await token()), { message: /issuer did not match the issuer returned by provider/ });
  const stranger = await setUp(t, { authorityPem: createAuthority({ commonName: "other", now: NOW }).certificatePem });
  await t.throwsAsync(async () => stranger.oidc.authenticateToken(await stranger.token()), { message: /^oidc: verify token: .*certificate/ });
});

test("readOidcUser() prefixes names as the flags say, and wants e-mail addresses to be verified", (t) => {
  const read = (claims: Record<string, unknown>, options: Partial<OidcOptions> = {}) => () => readOidcUser(claims, "https://i", { ...CLAIMS, ...options });
  t.is(read({ sub: "a" }, { usernamePrefix: "-" })().name, "a");
  t.is(read({ sub: "a" }, { usernamePrefix: "x:" })().name, "x:a");
  t.is(read({ email: "a@b" }, { usernameClaim: "email" })().name, "a@b");
  t.is(read({ email: "a@b", email_verified: true }, { usernameClaim: "email" })().name, "a@b");
  t.throws(read({ email: "a@b", email_verified: false }, { usernameClaim: "email" }), { message: "oidc: email not verified" });
  t.throws(read({ email: "a@b", email_verified: "true" }, { usernameClaim: "email" }), { message: /email_verified/ });
  t.throws(read({}), { message: 'oidc: parse username claims "sub": claim not present' });
  t.deepEqual(read({ sub: "a", groups: "one" })().groups, ["oidc:one"]);
  t.deepEqual(read({ sub: "a" })().groups, []);
  t.throws(read({ sub: "a", groups: [1] }), { message: /parse groups claim "groups"/ });
  t.throws(read({ sub: "a" }, { requiredClaims: { hd: "x" } }), { message: "oidc: required claim hd not present in ID token" });
  t.throws(read({ sub: "a", hd: "y" }, { requiredClaims: { hd: "x" } }), { message: "oidc: required claim hd value does not match. Got = y, want = x" });
});

test("tokenUnion() asks the next after a promise of nothing, and keeps the first failure", async (t) => {
  const user = { name: "x", groups: [] }, nothing = { authenticateToken: () => Promise.resolve(undefined) }, bad = { authenticateToken: () => Promise.reject(new Error("first")) };
  t.deepEqual(await tokenUnion([nothing, { authenticateToken: () => ({ user }) }]).authenticateToken("t"), { user });
  t.deepEqual(await tokenUnion([bad, { authenticateToken: () => ({ user }) }]).authenticateToken("t"), { user });
  await t.throwsAsync(async () => tokenUnion([bad, nothing]).authenticateToken("t"), { message: "first" });
  t.is(tokenUnion([{ authenticateToken: () => undefined }]).authenticateToken("t"), undefined);
});

test("checkOidcFlags() wants issuer and client together, https, and algorithms it knows", (t) => {
  const flags = (more: object): Parameters<typeof checkOidcFlags>[0] => ({ "oidc-issuer-url": "https://i", "oidc-client-id": "k", "oidc-required-claim": [], "oidc-signing-algs": ["RS256"], "oidc-username-claim": "sub", "oidc-groups-prefix": "", ...more }) as never;
  t.notThrows(() => checkOidcFlags(flags({})));
  t.throws(() => checkOidcFlags(flags({ "oidc-client-id": undefined })), { message: /must be specified together/ });
  t.throws(() => checkOidcFlags(flags({ "oidc-issuer-url": "http://i" })), { message: /is not an https URL/ });
  t.throws(() => checkOidcFlags(flags({ "oidc-signing-algs": ["HS256"] })), { message: /unsupported signing alg "HS256"/ });
  t.throws(() => checkOidcFlags(flags({ "oidc-required-claim": ["x"] })), { message: /must look like KEY=VALUE/ });
});

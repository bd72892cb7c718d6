import test from "ava";
import { StatusError } from "../../../../lib/api/status-error.ts";
import { BearerTokenAuthenticator } from "../../../../lib/apiserver/authentication/bearer-token.ts";
import { CertificateVerifier, ClientCertificateAuthenticator } from "../../../../lib/apiserver/authentication/client-certificate.ts";
import { FrontProxyAuthenticator } from "../../../../lib/apiserver/authentication/front-proxy.ts";
import { discoveryDocuments } from "../../../../lib/apiserver/authentication/issuer-documents.ts";
import { jwtKey, signJwt, verifyJwt } from "../../../../lib/pki/jwt.ts";
import { RequestAuthenticator } from "../../../../lib/apiserver/authentication/request-authenticator.ts";
import { TokenFileAuthenticator } from "../../../../lib/apiserver/authentication/token-file.ts";
import type { Credentials } from "../../../../lib/apiserver/contracts.ts";
import { createAuthority, issue } from "../../../../lib/pki/certificate.ts";
import { generateKey } from "../../../../lib/pki/keys.ts";
import { ManualClock } from "../../../../lib/util/clock.ts";

const start = new Date("2026-01-01T00:00:00Z");
const ca = createAuthority({ commonName: "kubernetes", now: start }), proxyCa = createAuthority({ commonName: "front-proxy-ca", now: start });
const jane = issue(ca, { subject: { commonName: "jane", organizations: ["dev"] }, usages: ["client"], now: start }).certificate.raw;
const impostor = issue(ca, { subject: { commonName: "front-proxy-client" }, usages: ["client"], now: start }).certificate.raw;
const proxy = issue(proxyCa, { subject: { commonName: "front-proxy-client" }, usages: ["client"], now: start }).certificate.raw;

function setUp(anonymous = true) {
  const clock = new ManualClock(start), cas = [ca.certificate], proxyCas = [proxyCa.certificate];
  const options = { allowedNames: ["front-proxy-client"], usernameHeaders: ["X-Remote-User"], uidHeaders: ["X-Remote-Uid"], groupHeaders: ["X-Remote-Group"], extraHeaderPrefixes: ["X-Remote-Extra-"] };
  const authenticator = new RequestAuthenticator([
    new FrontProxyAuthenticator(new CertificateVerifier(() => proxyCas, clock), options),
    new ClientCertificateAuthenticator(new CertificateVerifier(() => cas, clock)),
    new BearerTokenAuthenticator(new TokenFileAuthenticator('secret,bob,7,"a, b"\n')),
  ], { anonymous });
  return { clock, authenticate: (given: Partial<Credentials>) => authenticator.authenticate({ clientCertificate: undefined, authorization: undefined, headers: {}, ...given }) };
}

test("RequestAuthenticator reads users from certificates and tokens and adds system:authenticated", (t) => {
  const { authenticate } = setUp();
  t.like(authenticate({ clientCertificate: jane }), { name: "jane", groups: ["dev", "system:authenticated"] });
  t.like(authenticate({ authorization: "Bearer secret" }), { name: "bob", uid: "7", groups: ["a", "b", "system:authenticated"] });
  t.is(authenticate({ clientCertificate: jane }), authenticate({ clientCertificate: jane }));
  const protocols = `base64url.bearer.authorization.k8s.io.${Buffer.from("secret").toString("base64url")}, v5.channel.k8s.io`;
  t.like(authenticate({ headers: { "sec-websocket-protocol": protocols } }), { name: "bob" });
});

test("RequestAuthenticator lets in nobody with bad credentials, and the anonymous only where allowed", (t) => {
  const { authenticate, clock } = setUp(), refused = { instanceOf: StatusError, message: "Unauthorized" };
  t.deepEqual(authenticate({}), { name: "system:anonymous", groups: ["system:unauthenticated"] });
  t.is(setUp(false).authenticate({}), undefined);
  t.throws(() => authenticate({ authorization: "Bearer wrong" }), refused);
  t.like(authenticate({ authorization: "Basic Zm9vOmJhcg==" }), { name: "system:anonymous" });
  t.throws(() => authenticate({ clientCertificate: proxy }), refused); // Trusted by TLS, but no user's certificate.
  t.like(authenticate({ clientCertificate: proxy, authorization: "Bearer secret" }), { name: "bob" });
  t.truthy(authenticate({ clientCertificate: jane }));
  return clock.advance(366 * 86_400_000).then(() => t.throws(() => authenticate({ clientCertificate: jane }), refused)); // On the same connection.
});

test("FrontProxyAuthenticator believes headers only beside the proxy's certificate, and keeps groups apart", (t) => {
  const { authenticate } = setUp(), headers = { "x-remote-user": "alice", "x-remote-group": "x, system:masters, y", "x-remote-extra-scopes%2fa": "1" };
  const rawHeaders = ["X-Remote-User", "alice", "X-Remote-Group", "x, system:masters", "X-Remote-Group", "y"];
  t.like(authenticate({ clientCertificate: proxy, headers, rawHeaders }), { name: "alice", groups: ["x, system:masters", "y", "system:authenticated"] });
  t.like(authenticate({ clientCertificate: proxy, headers }), { extra: { "scopes/a": ["1"] } });
  t.like(authenticate({ clientCertificate: jane, headers, rawHeaders }), { name: "jane" });
  t.like(authenticate({ clientCertificate: impostor, headers, rawHeaders }), { name: "front-proxy-client" });
  t.like(authenticate({ headers, rawHeaders }), { name: "system:anonymous" });
});

test("verifyJwt() checks RS256 and ES256, whichever key signed", (t) => {
  const keys = [generateKey("rsa"), generateKey("ecdsa")], known = keys.map(jwtKey);
  for (const key of keys) t.deepEqual({ ...verifyJwt(signJwt({ iss: "x", sub: "y" }, key), known) }, { iss: "x", sub: "y" });
  t.throws(() => verifyJwt(signJwt({ iss: "x" }, generateKey("rsa")), known), { message: "invalid signature" });
});

test("discoveryDocuments() shows the public keys and nothing private", (t) => {
  const key = generateKey("rsa"), documents = discoveryDocuments("https://i", "https://i/openid/v1/jwks", [jwtKey(key)]);
  const jwks = JSON.parse(documents.get("/openid/v1/jwks")!.body) as { keys: Record<string, string>[] };
  t.deepEqual(Object.keys(jwks.keys[0]!).sort(), ["alg", "e", "kid", "kty", "n", "use"]);
  t.is((JSON.parse(documents.get("/.well-known/openid-configuration")!.body) as { jwks_uri: string }).jwks_uri, "https://i/openid/v1/jwks");
});

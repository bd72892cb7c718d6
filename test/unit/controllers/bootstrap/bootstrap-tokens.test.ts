import test from "ava";
import { compactVerify } from "jose";
import { detachedSignature, endsAtMs, planSignatures } from "../../../../lib/controllers/bootstrap/bootstrap-tokens.ts";
import type { ConfigMap, Secret } from "../../../../lib/api/schema/generated/models.ts";

const NOW_MS = Date.parse("2026-01-01T00:00:00Z");
const token = (id: string, more: Record<string, string> = {}): Secret => ({
  metadata: { name: `bootstrap-token-${id}`, namespace: "kube-system" }, type: "bootstrap.kubernetes.io/token",
  data: Object.fromEntries(Object.entries({ "token-id": id, "token-secret": "0123456789abcdef", "usage-bootstrap-signing": "true", ...more }).map(([name, text]) => [name, Buffer.from(text).toString("base64")])),
});
const info = (more: Record<string, string> = {}): ConfigMap => ({ metadata: { name: "cluster-info", namespace: "kube-public" }, data: { kubeconfig: "the text", ...more } });

test("detachedSignature() is a JWS another library verifies over the payload", async (t) => {
  const [header, , signature] = detachedSignature("the text", "abcdef", "0123456789abcdef").split(".");
  const verified = await compactVerify(`${header}.${Buffer.from("the text").toString("base64url")}.${signature}`, new TextEncoder().encode("0123456789abcdef"));
  t.deepEqual(verified.protectedHeader, { alg: "HS256", kid: "abcdef" });
});
test("planSignatures() signs for every live signing token, drops others' signatures, and is then content", (t) => {
  const tokens = [token("aaaaaa"), token("bbbbbb", { "usage-bootstrap-signing": "false" }), token("cccccc", { expiration: "2025-12-31T00:00:00Z" })];
  const signed = planSignatures(info({ "jws-kubeconfig-zzzzzz": "old" }), tokens, NOW_MS)!;
  t.deepEqual(Object.keys(signed.data!), ["kubeconfig", "jws-kubeconfig-aaaaaa"]);
  t.is(planSignatures(signed, tokens, NOW_MS), undefined);
});
test("endsAtMs() counts an unreadable end as over, and none as never", (t) => {
  t.is(endsAtMs(token("aaaaaa", { expiration: "soon" })), 0);
  t.is(endsAtMs(token("aaaaaa")), undefined);
});

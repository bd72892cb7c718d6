/** Secrets for tokens of service accounts: filled, kept, and gone with the account (service accounts' long-lived tokens, as kubectl's documentation makes them). */
import test from "ava";
import { secrets, serviceaccounts } from "../../../lib/api/schema/generated/references.ts";
import type { Secret } from "../../../lib/api/schema/generated/models.ts";
import { createClient } from "../../../lib/client/http-client.ts";
import { hasReason } from "../../../lib/api/status-error.ts";
import { World } from "./world.ts";

let world: World;
test.before(async () => { world = await World.start(); });
test.after.always(() => world.stop());

const TYPE = "kubernetes.io/service-account-token", text = (secret: Secret, key: string): string => Buffer.from(secret.data?.[key] ?? "", "base64").toString();
const makeAccount = (name: string, more: object = {}): Promise<unknown> => world.client.create(serviceaccounts, { metadata: { name, namespace: "default" }, ...more });
const makeSecret = (name: string, account: string): Promise<unknown> => world.client.create(secrets, { metadata: { name, namespace: "default", annotations: { "kubernetes.io/service-account.name": account } }, type: TYPE });
const filled = (name: string): Promise<Secret> => world.until(`the token of ${name}`, async () => { const found = await world.get(secrets, name); return (found?.data?.["token"] ?? "") === "" ? undefined : found; });
const whoAmI = async (token: string): Promise<string> => {
  const client = createClient({ server: world.server.url, caData: world.server.caPem, token, component: "test" });
  try { return (await client.raw("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", { body: JSON.stringify({ apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" }), headers: { "content-type": "application/json" } })).body; }
  finally { client.close(); }
};

test("a Secret that names an account gets a token that is the account, the authority and the namespace", async (t) => {
  await makeAccount("robot");
  await makeSecret("robot-token", "robot");
  const secret = await filled("robot-token");
  t.is(text(secret, "namespace"), "default");
  t.is(text(secret, "ca.crt"), world.server.caPem);
  t.is(secret.metadata.annotations!["kubernetes.io/service-account.uid"], (await world.get(serviceaccounts, "robot"))!.metadata.uid);
  t.regex(await whoAmI(text(secret, "token")), /system:serviceaccount:default:robot/);
});

test("a Secret made before its account waits for nobody: it is deleted, as upstream does", async (t) => {
  await makeSecret("nobodys", "nobody");
  await world.until("the Secret being gone", async () => (await world.get(secrets, "nobodys")) === undefined);
  t.pass();
});

test("a token that was taken out is made again; what changed beside is mended, the token kept", async (t) => {
  await makeAccount("mended");
  await makeSecret("mended-token", "mended");
  const first = await filled("mended-token");
  await world.client.patch(secrets, first.metadata, "merge", { data: { namespace: "eA==" } });
  const second = await world.until("the namespace", async () => { const found = await world.get(secrets, "mended-token"); return text(found!, "namespace") === "default" ? found : undefined; });
  t.is(second.data!["token"], first.data!["token"]);
  await world.client.patch(secrets, first.metadata, "merge", { data: { token: null } });
  t.regex(await whoAmI(text(await filled("mended-token"), "token")), /default:mended/);
});

test("with the account its Secrets go, and their tokens are nobody's; with a Secret the account's mention of it", async (t) => {
  await makeAccount("leaving", { secrets: [{ name: "leaving-token" }, { name: "other" }] });
  await makeSecret("leaving-token", "leaving");
  const token = text(await filled("leaving-token"), "token");
  await world.client.delete(secrets, { name: "leaving-token", namespace: "default" });
  await world.until("the account forgetting it", async () => ((await world.get(serviceaccounts, "leaving"))!.secrets ?? []).map((each) => each.name).join() === "other");
  await makeSecret("leaving-token", "leaving");
  const again = text(await filled("leaving-token"), "token");
  await world.client.delete(serviceaccounts, { name: "leaving", namespace: "default" });
  await world.until("the Secret being gone", async () => (await world.get(secrets, "leaving-token")) === undefined);
  for (const old of [token, again]) t.regex(await whoAmI(old).catch((error: unknown) => (hasReason(error, "Unauthorized") ? "Unauthorized" : String(error))), /Unauthorized/);
});

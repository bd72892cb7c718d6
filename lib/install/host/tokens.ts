/** `kaji token`: what lets hosts join, on a master. Counterpart: kubeadm token. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { configmaps, secrets } from "../../api/schema/generated/references.ts";
import type { Client } from "../../client/client.ts";
import { createClient } from "../../client/http-client.ts";
import { loadKubeconfig } from "../../client/kubeconfig.ts";
import { authorityPin, generateToken, joinCommand, parseToken, readTokenSecret, type TokenFacts, tokenSecret } from "./bootstrap-token.ts";
import { parseSettings, SETTINGS_CONFIG_MAP } from "./cluster-settings.ts";
import { HOST_PATHS } from "./host-paths.ts";

/** As the administrator, on a master. */
export async function withClient<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = createClient(loadKubeconfig(path.join(HOST_PATHS.config, "admin.conf"), { component: "kaji" }));
  try { return await work(client); } finally { client.close(); }
}

export const listTokens = (): Promise<TokenFacts[]> => withClient(async (client) => {
  const { items } = await client.list(secrets, { namespace: "kube-system", fieldSelector: "type=bootstrap.kubernetes.io/token" });
  return items.map(readTokenSecret).filter((token) => token !== undefined);
});

/** A new token, valid until `expires`, and the command a host joins with. */
export const createToken = (token: string = generateToken(), expires?: Date, description = ""): Promise<{ token: string; join: string }> => withClient(async (client) => {
  await client.create(secrets, tokenSecret(token, expires, description));
  const settings = parseSettings((await client.get(configmaps, { namespace: "kube-system", name: SETTINGS_CONFIG_MAP })).data?.["settings"] ?? "{}");
  return { token, join: joinCommand(settings.server, token, authorityPin(readFileSync(path.join(HOST_PATHS.pki, "ca.crt"), "utf8"))) };
});

/** By the whole token or by its first part. */
export const deleteToken = (tokenOrId: string): Promise<void> => withClient((client) => client.delete(secrets, { namespace: "kube-system", name: `bootstrap-token-${tokenOrId.includes(".") ? parseToken(tokenOrId).id : tokenOrId}` }));

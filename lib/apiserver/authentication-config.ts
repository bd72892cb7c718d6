/**
 * The ConfigMap `extension-apiserver-authentication` in kube-system: how other servers of the cluster recognise the same clients.
 * Counterpart: kubernetes `controlplane/controller/clusterauthenticationtrust`.
 */
import { isDeepStrictEqual } from "node:util";
import type { X509Certificate } from "node:crypto";
import { configmaps } from "../api/schema/generated/references.ts";
import type { AuthOptions } from "./authn.ts";
import type { CacheReader, InternalWriter } from "./contracts.ts";

const NAMESPACE = "kube-system", NAME = "extension-apiserver-authentication";

const bundle = (authorities: readonly X509Certificate[]): string => authorities.map((authority) => authority.toString()).join("");

/** What the ConfigMap holds: bundles as PEM, lists as JSON. */
export function authenticationConfig({ clientAuthorities, frontProxy }: Pick<AuthOptions, "clientAuthorities" | "frontProxy">): Record<string, string> {
  const data: Record<string, string> = {}, clients = bundle(clientAuthorities());
  if (clients !== "") data["client-ca-file"] = clients;
  if (frontProxy === undefined) return data;
  data["requestheader-client-ca-file"] = bundle(frontProxy.authorities());
  for (const [key, list] of Object.entries({
    "requestheader-allowed-names": frontProxy.allowedNames, "requestheader-username-headers": frontProxy.usernameHeaders, "requestheader-uid-headers": frontProxy.uidHeaders,
    "requestheader-group-headers": frontProxy.groupHeaders, "requestheader-extra-headers-prefix": frontProxy.extraHeaderPrefixes,
  })) data[key] = JSON.stringify(list);
  return data;
}

/** Creates it or brings it up to date. Throws StatusError. */
export async function publishAuthentication(deps: { cache: CacheReader; writer: InternalWriter }, options: Pick<AuthOptions, "clientAuthorities" | "frontProxy">): Promise<void> {
  const data = authenticationConfig(options), held = deps.cache.get(configmaps, NAMESPACE, NAME);
  if (held === undefined) await deps.writer.create(configmaps, { apiVersion: "v1", kind: "ConfigMap", metadata: { name: NAME, namespace: NAMESPACE }, data });
  else if (!isDeepStrictEqual(held.data, data)) await deps.writer.update(configmaps, { ...held, data });
}

/**
 * What a Secret for a ServiceAccount's token should hold. Pure.
 * Counterpart: kubernetes `pkg/controller/serviceaccount/tokens_controller.go` (ensureReferencedToken, generateTokenIfNeeded) and `pkg/serviceaccount/legacy.go`.
 */
import { ACCOUNT_NAME_ANNOTATION, ACCOUNT_UID_ANNOTATION, LEGACY_CLAIMS, LEGACY_ISSUER } from "../../api/helpers/service-account-token.ts";
import type { Secret, ServiceAccount } from "../../api/schema/generated/models.ts";

/** Claims of a token that lasts as long as its Secret and its account: no expiry, no audience. */
export const legacyTokenClaims = (account: ServiceAccount, secretName: string): Record<string, unknown> => ({
  iss: LEGACY_ISSUER, sub: `system:serviceaccount:${account.metadata.namespace!}:${account.metadata.name}`,
  [LEGACY_CLAIMS.namespace]: account.metadata.namespace, [LEGACY_CLAIMS.accountName]: account.metadata.name, [LEGACY_CLAIMS.accountUid]: account.metadata.uid, [LEGACY_CLAIMS.secretName]: secretName,
});

export interface TokenSecretOptions { readonly rootCa: string | undefined; readonly sign: (claims: Record<string, unknown>) => string }

/** The Secret as it should be; undefined when it is so already. A token that is there is kept. */
export function planTokenSecret(secret: Secret, account: ServiceAccount, { rootCa, sign }: TokenSecretOptions): Secret | undefined {
  const encode = (text: string): string => Buffer.from(text).toString("base64"), { metadata, data = {} } = secret, annotations = metadata.annotations ?? {};
  const wanted: Record<string, string> = { ...data, namespace: encode(metadata.namespace!), ...(rootCa === undefined || rootCa === "" ? {} : { "ca.crt": encode(rootCa) }) };
  if ((data["token"] ?? "") === "") wanted["token"] = encode(sign(legacyTokenClaims(account, metadata.name)));
  const isRight = annotations[ACCOUNT_NAME_ANNOTATION] === account.metadata.name && annotations[ACCOUNT_UID_ANNOTATION] === account.metadata.uid && Object.entries(wanted).every(([key, value]) => data[key] === value);
  return isRight ? undefined : { ...secret, metadata: { ...metadata, annotations: { ...annotations, [ACCOUNT_NAME_ANNOTATION]: account.metadata.name, [ACCOUNT_UID_ANNOTATION]: account.metadata.uid! } }, data: wanted };
}

/** Whether the Secret asks for a token of this account, and not of one of the same name that is gone. */
export function isFor({ metadata: { annotations = {} } }: Secret, account: ServiceAccount): boolean {
  const uid = annotations[ACCOUNT_UID_ANNOTATION] ?? "";
  return annotations[ACCOUNT_NAME_ANNOTATION] === account.metadata.name && (uid === "" || uid === account.metadata.uid);
}

/**
 * Tokens of ServiceAccounts that stand in Secrets, and the names by which they tell what they belong to.
 * Counterpart: kubernetes `pkg/serviceaccount/legacy.go` and the constants of `core/v1`.
 */

export const TOKEN_SECRET_TYPE = "kubernetes.io/service-account-token";
/** Annotations of such a Secret. */
export const ACCOUNT_NAME_ANNOTATION = "kubernetes.io/service-account.name", ACCOUNT_UID_ANNOTATION = "kubernetes.io/service-account.uid";

export const LEGACY_ISSUER = "kubernetes/serviceaccount";
const CLAIM_PREFIX = "kubernetes.io/serviceaccount/";
/** The private claims of such a token. */
export const LEGACY_CLAIMS = {
  namespace: `${CLAIM_PREFIX}namespace`, accountName: `${CLAIM_PREFIX}service-account.name`, accountUid: `${CLAIM_PREFIX}service-account.uid`, secretName: `${CLAIM_PREFIX}secret.name`,
} as const;

/** Names a ServiceAccount has as a user. Counterpart: apiserver `authentication/serviceaccount`. */
import type { UserInfo } from "../contracts.ts";

export const SERVICE_ACCOUNT_USER_PREFIX = "system:serviceaccount:", ALL_SERVICE_ACCOUNTS_GROUP = "system:serviceaccounts";
const EXTRA = "authentication.kubernetes.io/";

export const serviceAccountUserName = (namespace: string, name: string): string => `${SERVICE_ACCOUNT_USER_PREFIX}${namespace}:${name}`;
export const serviceAccountGroups = (namespace: string): string[] => [ALL_SERVICE_ACCOUNTS_GROUP, `${ALL_SERVICE_ACCOUNTS_GROUP}:${namespace}`];

/** Namespace and name of a ServiceAccount's user name, or undefined for other users. */
export function splitServiceAccountUserName(user: string): { namespace: string; name: string } | undefined {
  if (!user.startsWith(SERVICE_ACCOUNT_USER_PREFIX)) return undefined;
  const [namespace, name, ...rest] = user.slice(SERVICE_ACCOUNT_USER_PREFIX.length).split(":");
  return namespace === undefined || name === undefined || namespace === "" || name === "" || rest.length > 0 ? undefined : { namespace, name };
}

export interface TokenSubject {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly credentialId?: string | undefined;
  readonly pod?: { name: string; uid: string } | undefined;
  readonly node?: { name: string; uid: string } | undefined;
}

/** The user a valid token speaks for. */
export function serviceAccountUser(subject: TokenSubject): UserInfo {
  const extra: Record<string, string[]> = {
    ...(subject.credentialId === undefined ? {} : { [`${EXTRA}credential-id`]: [`JTI=${subject.credentialId}`] }),
    ...(subject.node === undefined ? {} : { [`${EXTRA}node-name`]: [subject.node.name], [`${EXTRA}node-uid`]: [subject.node.uid] }),
    ...(subject.pod === undefined ? {} : { [`${EXTRA}pod-name`]: [subject.pod.name], [`${EXTRA}pod-uid`]: [subject.pod.uid] }),
  };
  return {
    name: serviceAccountUserName(subject.namespace, subject.name), uid: subject.uid, groups: serviceAccountGroups(subject.namespace),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

/**
 * Tokens in Secrets: a Secret of type `kubernetes.io/service-account-token` that names a ServiceAccount is given a token of it, with the
 * certificate authority and the namespace beside. The Secret goes with its account; an account forgets a Secret that went.
 *
 * Promises: a Secret is deleted only after the server itself, not a cache, says that the account is not there.
 * Counterpart: kubernetes `pkg/controller/serviceaccount/tokens_controller.go`.
 */
import type { KeyObject } from "node:crypto";
import { ACCOUNT_NAME_ANNOTATION, TOKEN_SECRET_TYPE } from "../../api/helpers/service-account-token.ts";
import { secrets, serviceaccounts } from "../../api/schema/generated/references.ts";
import type { Secret, ServiceAccount } from "../../api/schema/generated/models.ts";
import { hasReason } from "../../api/status-error.ts";
import { jwtKey, signJwt } from "../../pki/jwt.ts";
import { Controller } from "../../runtime/controller.ts";
import { joinKey, keyOf, splitKey } from "../../runtime/object-key.ts";
import type { Runnable } from "../../util/runnable.ts";
import type { ControllerContext } from "../shared/context.ts";
import { isFor, planTokenSecret, type TokenSecretOptions } from "./plan-token-secret.ts";

const ACCOUNT_INDEX = "account";

export interface TokensOptions { readonly workers: number; readonly rootCa: string | undefined; /** Signs as the API server does. */ readonly signingKey: KeyObject }

const accountKeyOf = ({ metadata: { namespace, annotations } }: Secret): string | undefined => (annotations?.[ACCOUNT_NAME_ANNOTATION] === undefined ? undefined : joinKey(namespace, annotations[ACCOUNT_NAME_ANNOTATION]));

export function createTokensController(context: ControllerContext, { workers, rootCa, signingKey }: TokensOptions): Runnable {
  const { client, informers } = context, keyId = jwtKey(signingKey).id, plan: TokenSecretOptions = { rootCa, sign: (claims) => signJwt(claims, signingKey, keyId) };
  const accounts = informers.get(serviceaccounts);
  const tokens = informers.get(secrets, { fieldSelector: `type=${TOKEN_SECRET_TYPE}`, indexes: { [ACCOUNT_INDEX]: (secret: Secret) => { const key = accountKeyOf(secret); return key === undefined ? [] : [key]; } } });

  /** The account a Secret asks for, as the server knows it when the cache does not. */
  async function accountFor(secret: Secret, key: string, signal: AbortSignal): Promise<ServiceAccount | undefined> {
    const cached = accounts.get(key);
    if (cached !== undefined && isFor(secret, cached)) return cached;
    try {
      const found = await client.get(serviceaccounts, splitKey(key), signal);
      return isFor(secret, found) ? found : undefined;
    } catch (error) { if (hasReason(error, "NotFound")) return undefined; throw error; }
  }

  async function removeReference(key: string, signal: AbortSignal): Promise<void> {
    const { namespace, name } = splitKey(key);
    for (const account of accounts.list(namespace).filter((each) => each.secrets?.some((reference) => reference.name === name) === true)) {
      try { await client.update(serviceaccounts, { ...account, secrets: account.secrets!.filter((reference) => reference.name !== name) }, {}, signal); }
      catch (error) { if (!hasReason(error, "NotFound")) throw error; }
    }
  }

  const controller = new Controller(context, {
    name: "serviceaccount-token-controller", workers, waitFor: [accounts, tokens],
    async reconcile(key, signal) {
      const secret = tokens.get(key);
      if (secret === undefined) { await removeReference(key, signal); return {}; }
      const accountKey = accountKeyOf(secret);
      if (accountKey === undefined || secret.metadata.deletionTimestamp !== undefined) return {};
      const account = await accountFor(secret, accountKey, signal);
      try {
        if (account === undefined) await client.delete(secrets, secret.metadata, { preconditions: { uid: secret.metadata.uid! } }, signal);
        else {
          const wanted = planTokenSecret(secret, account, plan);
          if (wanted !== undefined) await client.update(secrets, wanted, {}, signal);
        }
      } catch (error) { if (!hasReason(error, "NotFound")) throw error; }
      return {};
    },
  });
  tokens.onChange(({ object }) => controller.queue.add(keyOf(object)));
  accounts.onChange(({ object }) => { for (const secret of tokens.byIndex(ACCOUNT_INDEX, keyOf(object))) controller.queue.add(keyOf(secret)); });
  return controller;
}

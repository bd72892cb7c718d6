/**
 * The authentication room as one thing, from what the flags say: who may prove who he is by what, and the handlers
 * that issue and review tokens. Counterpart: kubeapiserver `authenticator.Config.New`.
 */
import type { KeyObject, X509Certificate } from "node:crypto";
import type { Clock } from "../../util/clock.ts";
import type { Authenticator, CacheReader, CreateHandler } from "../contracts.ts";
import { BearerTokenAuthenticator } from "./bearer-token.ts";
import { BootstrapTokenAuthenticator } from "./bootstrap-token.ts";
import { CertificateVerifier, ClientCertificateAuthenticator } from "./client-certificate.ts";
import { FrontProxyAuthenticator, type FrontProxyOptions } from "./front-proxy.ts";
import { jwtKey, type JwtKey } from "./jwt.ts";
import { type DiscoveryDocument, discoveryDocuments } from "./oidc-discovery.ts";
import { RequestAuthenticator } from "./request-authenticator.ts";
import { selfSubjectReviewHandler } from "./self-subject-review.ts";
import { ServiceAccountTokenAuthenticator } from "./service-account-token.ts";
import { type TokenAuthenticator, tokenUnion } from "./token-authenticator.ts";
import { TokenFileAuthenticator } from "./token-file.ts";
import { tokenRequestHandler } from "./token-request.ts";
import { tokenReviewHandler } from "./token-review.ts";

export interface AuthenticationOptions {
  /** `--client-ca-file`; return the same array until the file changes. */
  readonly clientAuthorities: () => readonly X509Certificate[];
  /** `--requestheader-client-ca-file` and its companions. */
  readonly frontProxy?: FrontProxyOptions & { readonly authorities: () => readonly X509Certificate[] };
  /** Text of `--token-auth-file`. */
  readonly tokenFile?: string;
  readonly anonymous: boolean;
  readonly bootstrapTokens: boolean;
  readonly serviceAccounts: {
    /** `--service-account-issuer`: the first signs. */
    readonly issuers: readonly string[];
    readonly signingKey: KeyObject;
    /** `--service-account-key-file`; the signing key's public half is always added. */
    readonly verificationKeys: readonly KeyObject[];
    /** `--api-audiences`; the issuers when empty. */
    readonly apiAudiences: readonly string[];
    readonly jwksUri: string;
    readonly maxExpirationSeconds: number;
    readonly extendExpiration: boolean;
  };
}

export interface Authentication {
  readonly authenticator: RequestAuthenticator;
  /** By the keys of `CreateHandlers`. */
  readonly handlers: ReadonlyMap<string, CreateHandler>;
  /** What anybody who may discover the issuer reads, by path. */
  readonly documents: ReadonlyMap<string, DiscoveryDocument>;
  /** Follows the caches. Returns a function that stops it. */
  start(): () => void;
}

export function createAuthentication(deps: { cache: CacheReader; clock: Clock }, options: AuthenticationOptions): Authentication {
  const { serviceAccounts } = options, issuer = serviceAccounts.issuers[0];
  if (issuer === undefined) throw new Error("service-account-issuer is a required flag");
  const audiences = serviceAccounts.apiAudiences.length > 0 ? serviceAccounts.apiAudiences : serviceAccounts.issuers;
  const keys = uniqueKeys([serviceAccounts.signingKey, ...serviceAccounts.verificationKeys]);
  const accountTokens = new ServiceAccountTokenAuthenticator(deps, { keys, issuers: serviceAccounts.issuers, audiences });
  const tokenAuthenticators: TokenAuthenticator[] = [accountTokens];
  if (options.tokenFile !== undefined) tokenAuthenticators.unshift(new TokenFileAuthenticator(options.tokenFile));
  if (options.bootstrapTokens) tokenAuthenticators.push(new BootstrapTokenAuthenticator(deps));
  const tokens = tokenUnion(tokenAuthenticators), { frontProxy } = options;
  const authenticators: Authenticator[] = [
    ...(frontProxy === undefined ? [] : [new FrontProxyAuthenticator(new CertificateVerifier(frontProxy.authorities, deps.clock), frontProxy)]),
    new ClientCertificateAuthenticator(new CertificateVerifier(options.clientAuthorities, deps.clock)),
    new BearerTokenAuthenticator(tokens),
  ];
  return {
    authenticator: new RequestAuthenticator(authenticators, { anonymous: options.anonymous }),
    handlers: new Map([
      ["serviceaccounts/token", tokenRequestHandler(deps, {
        issuer, signingKey: serviceAccounts.signingKey, audiences, maxExpirationSeconds: serviceAccounts.maxExpirationSeconds, extendExpiration: serviceAccounts.extendExpiration,
      })],
      ["tokenreviews.authentication.k8s.io", tokenReviewHandler(tokens, audiences)],
      ["selfsubjectreviews.authentication.k8s.io", selfSubjectReviewHandler(deps.clock)],
    ]),
    documents: discoveryDocuments(issuer, serviceAccounts.jwksUri, keys),
    start: () => accountTokens.start(),
  };
}

function uniqueKeys(keys: readonly KeyObject[]): JwtKey[] {
  return [...new Map(keys.map(jwtKey).map((key) => [key.id, key])).values()];
}

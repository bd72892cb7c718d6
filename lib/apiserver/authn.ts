/**
 * Puts together who is calling and what they may do, from options as the flags give them.
 * Counterpart: kubeapiserver `options/authentication.go` and `options/authorization.go`.
 */
import type { KeyObject, X509Certificate } from "node:crypto";
import type { Clock } from "../util/clock.ts";
import { BearerTokenAuthenticator } from "./authentication/bearer-token.ts";
import { BootstrapTokenAuthenticator } from "./authentication/bootstrap-token.ts";
import { CertificateVerifier, ClientCertificateAuthenticator } from "./authentication/client-certificate.ts";
import { FrontProxyAuthenticator, type FrontProxyOptions } from "./authentication/front-proxy.ts";
import { jwtKey } from "../pki/jwt.ts";
import { discoveryDocuments, type DiscoveryDocument } from "./authentication/issuer-documents.ts";
import { OidcAuthenticator, type OidcOptions } from "./authentication/oidc.ts";
import { RequestAuthenticator } from "./authentication/request-authenticator.ts";
import { selfSubjectReviewHandler } from "./authentication/self-subject-review.ts";
import { ServiceAccountTokenAuthenticator } from "./authentication/service-account-token.ts";
import { tokenUnion, type TokenAuthenticator } from "./authentication/token-authenticator.ts";
import { TokenFileAuthenticator } from "./authentication/token-file.ts";
import { tokenRequestHandler } from "./authentication/token-request.ts";
import { tokenReviewHandler } from "./authentication/token-review.ts";
import { localSubjectAccessReviewHandler, selfSubjectAccessReviewHandler, subjectAccessReviewHandler } from "./authorization/access-review.ts";
import { alwaysAllow, alwaysDeny, authorizerUnion, superuserAuthorizer } from "./authorization/authorizer-union.ts";
import { NodeAuthorizer } from "./authorization/node-authorizer.ts";
import { NodeGraph } from "./authorization/node-graph.ts";
import { RbacAuthorizer } from "./authorization/rbac-authorizer.ts";
import { RbacIndex } from "./authorization/rbac-index.ts";
import { selfSubjectRulesReviewHandler } from "./authorization/rules-review.ts";
import { nodeRules } from "./bootstrap/node-rules.ts";
import type { Authenticator, Authorizer, CacheReader, CreateHandlers } from "./contracts.ts";

export interface AuthOptions {
  /** Read at each new certificate: a new array when the file changed. */
  readonly clientAuthorities: () => readonly X509Certificate[];
  readonly frontProxy: (FrontProxyOptions & { readonly authorities: () => readonly X509Certificate[] }) | undefined;
  /** Verify tokens; the public halves. */
  readonly serviceAccountKeys: readonly KeyObject[];
  /** Signs tokens; undefined: token requests are refused. */
  readonly serviceAccountSigningKey: KeyObject | undefined;
  readonly serviceAccountIssuers: readonly string[];
  readonly apiAudiences: readonly string[];
  /** 0: no limit. */
  readonly maxTokenExpirationSeconds: number;
  readonly extendTokenExpiration: boolean;
  /** Content of `--token-auth-file`. */
  readonly tokenFile: string | undefined;
  /** Users of an issuer outside the cluster. */
  readonly oidc?: OidcOptions | undefined;
  readonly anonymous: boolean;
  readonly bootstrapTokens: boolean;
  /** Node, RBAC, AlwaysAllow, AlwaysDeny, in the order they are asked. */
  readonly authorizationModes: readonly string[];
  /** Where the signing keys can be fetched. */
  readonly jwksUri: string;
}

export interface Auth {
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly rbac: RbacIndex;
  /** RBAC is in force, so nobody may grant more than he holds. */
  readonly checksEscalation: boolean;
  readonly createHandlers: CreateHandlers;
  readonly documents: ReadonlyMap<string, DiscoveryDocument>;
  /** Stops following the caches. */
  stop(): void;
}

export const AUTHORIZATION_MODES = ["Node", "RBAC", "AlwaysAllow", "AlwaysDeny"] as const;

/** `graph`: for the authorization mode Node; started and stopped by whoever made it. */
export interface AuthDeps { readonly cache: CacheReader; readonly clock: Clock; readonly graph: NodeGraph }

/** Builds authentication and authorization over filled caches. */
export function buildAuth(deps: AuthDeps, options: AuthOptions): Auth {
  const { cache, clock, graph } = deps, stops: (() => void)[] = [];
  const tokens = buildTokens(deps, options, stops);
  const authenticators: Authenticator[] = [];
  if (options.frontProxy !== undefined) authenticators.push(new FrontProxyAuthenticator(new CertificateVerifier(options.frontProxy.authorities, clock), options.frontProxy));
  authenticators.push(new ClientCertificateAuthenticator(new CertificateVerifier(options.clientAuthorities, clock)), new BearerTokenAuthenticator(tokens));
  const rbac = new RbacIndex(cache);
  stops.push(rbac.start());
  const authorizer = authorizerUnion([superuserAuthorizer, ...options.authorizationModes.map((mode) => buildAuthorizer(mode, { cache, graph }, rbac))]);
  return {
    authenticator: new RequestAuthenticator(authenticators, { anonymous: options.anonymous }), authorizer, rbac, checksEscalation: options.authorizationModes.includes("RBAC"),
    createHandlers: buildHandlers(deps, options, tokens, authorizer, rbac),
    documents: options.serviceAccountIssuers[0]?.startsWith("https://") === true
      ? discoveryDocuments(options.serviceAccountIssuers[0], options.jwksUri, options.serviceAccountKeys.map(jwtKey)) : new Map(),
    stop: () => { for (const stop of stops) stop(); },
  };
}

function buildTokens({ cache, clock }: { cache: CacheReader; clock: Clock }, options: AuthOptions, stops: (() => void)[]): TokenAuthenticator {
  const tokens: TokenAuthenticator[] = [];
  if (options.tokenFile !== undefined) tokens.push(new TokenFileAuthenticator(options.tokenFile));
  if (options.serviceAccountKeys.length > 0) {
    const accounts = new ServiceAccountTokenAuthenticator({ cache, clock }, { keys: options.serviceAccountKeys.map(jwtKey), issuers: options.serviceAccountIssuers, audiences: options.apiAudiences });
    stops.push(accounts.start());
    tokens.push(accounts);
  }
  if (options.oidc !== undefined) tokens.push(new OidcAuthenticator({ clock }, options.oidc));
  if (options.bootstrapTokens) tokens.push(new BootstrapTokenAuthenticator({ cache, clock }));
  return tokenUnion(tokens);
}

function buildAuthorizer(mode: string, deps: { cache: CacheReader; graph: NodeGraph }, rbac: RbacIndex): Authorizer {
  switch (mode) {
    case "RBAC": return new RbacAuthorizer(rbac);
    case "AlwaysAllow": return alwaysAllow;
    case "AlwaysDeny": return alwaysDeny;
    case "Node": return new NodeAuthorizer(deps, nodeRules());
    default: throw new Error(`Cannot build authorizer: unknown authorization mode ${JSON.stringify(mode)}, known are ${AUTHORIZATION_MODES.join(", ")}`);
  }
}

function buildHandlers(deps: { cache: CacheReader; clock: Clock }, options: AuthOptions, tokens: TokenAuthenticator, authorizer: Authorizer, rbac: RbacIndex): CreateHandlers {
  const handlers: CreateHandlers = new Map();
  const { serviceAccountSigningKey: signingKey, serviceAccountIssuers: issuers } = options;
  if (signingKey !== undefined && issuers[0] !== undefined) {
    handlers.set("serviceaccounts/token", tokenRequestHandler(deps, { issuer: issuers[0], signingKey, audiences: options.apiAudiences, maxExpirationSeconds: options.maxTokenExpirationSeconds, extendExpiration: options.extendTokenExpiration }));
  }
  handlers.set("tokenreviews.authentication.k8s.io", tokenReviewHandler(tokens, options.apiAudiences));
  handlers.set("selfsubjectreviews.authentication.k8s.io", selfSubjectReviewHandler(deps.clock));
  handlers.set("subjectaccessreviews.authorization.k8s.io", subjectAccessReviewHandler(authorizer));
  handlers.set("localsubjectaccessreviews.authorization.k8s.io", localSubjectAccessReviewHandler(authorizer));
  handlers.set("selfsubjectaccessreviews.authorization.k8s.io", selfSubjectAccessReviewHandler(authorizer));
  handlers.set("selfsubjectrulesreviews.authorization.k8s.io", selfSubjectRulesReviewHandler(rbac));
  return handlers;
}

/** Who an ID token names: pure. Counterpart: apiserver `plugin/pkg/authenticator/token/oidc` (claims by flags). */
import type { UserInfo } from "../contracts.ts";
import type { JwtClaims } from "../../pki/jwt.ts";

export interface OidcClaimOptions {
  /** `sub` unless told otherwise. */
  readonly usernameClaim: string;
  /** undefined: `ISSUER#`, except for e-mail addresses; `-`: none. */
  readonly usernamePrefix: string | undefined;
  readonly groupsClaim: string | undefined;
  readonly groupsPrefix: string;
  readonly requiredClaims: Readonly<Record<string, string>>;
}

const quoted = (value: unknown): string => JSON.stringify(value);

function usernameOf(claims: JwtClaims, issuer: string, { usernameClaim, usernamePrefix }: OidcClaimOptions): string {
  const name = claims[usernameClaim];
  if (typeof name !== "string") throw new Error(`oidc: parse username claims ${quoted(usernameClaim)}: ${name === undefined ? "claim not present" : "claim is not a string"}`);
  if (usernameClaim === "email" && claims.email_verified !== undefined && claims.email_verified !== true) {
    throw new Error(typeof claims.email_verified === "boolean" ? "oidc: email not verified" : "oidc: parse 'email_verified' claim: it is not a boolean");
  }
  const prefix = usernamePrefix === "-" ? "" : (usernamePrefix ?? (usernameClaim === "email" ? "" : `${issuer}#`));
  return prefix + name;
}

function groupsOf(claims: JwtClaims, { groupsClaim, groupsPrefix }: OidcClaimOptions): string[] {
  const groups = groupsClaim === undefined ? undefined : claims[groupsClaim];
  if (groups === undefined || groups === null) return [];
  const list: unknown[] = typeof groups === "string" ? [groups] : Array.isArray(groups) ? groups : [undefined];
  if (list.some((group) => typeof group !== "string")) throw new Error(`oidc: parse groups claim ${quoted(groupsClaim)}: it is neither a string nor a list of strings`);
  return (list as string[]).map((group) => groupsPrefix + group);
}

/** Throws Error: a claim that is missing, of another type, or not what is required. */
export function readOidcUser(claims: JwtClaims, issuer: string, options: OidcClaimOptions): UserInfo {
  const name = usernameOf(claims, issuer, options), groups = groupsOf(claims, options);
  for (const [claim, wanted] of Object.entries(options.requiredClaims)) {
    if (!Object.hasOwn(claims, claim)) throw new Error(`oidc: required claim ${claim} not present in ID token`);
    if (typeof claims[claim] !== "string") throw new Error(`oidc: parse claim ${claim}: it is not a string`);
    if (claims[claim] !== wanted) throw new Error(`oidc: required claim ${claim} value does not match. Got = ${claims[claim]}, want = ${wanted}`);
  }
  return { name, groups };
}

/** Flags of OpenID Connect: what they must be, and what they mean to `lib/apiserver`. Counterpart: kubeapiserver `options/authentication.go`. */
import { readFileSync } from "node:fs";
import { OIDC_ALGORITHMS, type OidcOptions } from "../../lib/apiserver/authentication/oidc.ts";
import { FlagError } from "../../lib/util/flags.ts";
import type { Flags } from "./flags.ts";

type OidcFlags = Pick<Flags, Extract<keyof Flags, `oidc-${string}`>>;

/** Throws FlagError. */
export function checkOidcFlags(flags: OidcFlags): void {
  const issuer = flags["oidc-issuer-url"], client = flags["oidc-client-id"];
  if ((issuer ?? "") === "" && (client ?? "") === "") {
    if (flags["oidc-groups-claim"] !== undefined || flags["oidc-required-claim"].length > 0 || flags["oidc-ca-file"] !== undefined) throw new FlagError("oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flag is set");
    return;
  }
  if ((issuer ?? "") === "" || (client ?? "") === "") throw new FlagError("oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flag is set");
  if (!URL.canParse(issuer!) || new URL(issuer!).protocol !== "https:") throw new FlagError(`oidc-issuer-url ${JSON.stringify(issuer)} is not an https URL`);
  for (const each of flags["oidc-signing-algs"]) if (!(OIDC_ALGORITHMS as readonly string[]).includes(each)) throw new FlagError(`oidc-signing-algs: unsupported signing alg ${JSON.stringify(each)}, supported are ${OIDC_ALGORITHMS.join(", ")}`);
  requiredClaims(flags);
}

function requiredClaims(flags: OidcFlags): Record<string, string> {
  return Object.fromEntries(flags["oidc-required-claim"].map((pair) => {
    const equals = pair.indexOf("=");
    if (equals < 1) throw new FlagError(`oidc-required-claim ${JSON.stringify(pair)} must look like KEY=VALUE`);
    return [pair.slice(0, equals), pair.slice(equals + 1)];
  }));
}

/** undefined: no flag asks for it. Throws when the file of authorities cannot be read. */
export function oidcOptions(flags: OidcFlags): OidcOptions | undefined {
  const issuerUrl = flags["oidc-issuer-url"] ?? "", authorities = flags["oidc-ca-file"];
  if (issuerUrl === "") return undefined;
  return {
    issuerUrl, clientId: flags["oidc-client-id"]!, signingAlgorithms: flags["oidc-signing-algs"], authorityPem: authorities === undefined ? undefined : readFileSync(authorities, "utf8"),
    usernameClaim: flags["oidc-username-claim"], usernamePrefix: flags["oidc-username-prefix"], groupsClaim: flags["oidc-groups-claim"], groupsPrefix: flags["oidc-groups-prefix"], requiredClaims: requiredClaims(flags),
  };
}

/**
 * Bootstrap tokens: `id.secret`, held in Secrets of kube-system, with which a new node asks for its certificate.
 * Counterpart: `plugin/pkg/auth/authenticator/token/bootstrap`.
 */
import { timingSafeEqual } from "node:crypto";
import { secrets } from "../../api/schema/generated/references.ts";
import type { Clock } from "../../util/clock.ts";
import type { CacheReader } from "../contracts.ts";
import type { TokenAuthenticator, TokenIdentity } from "./token-authenticator.ts";

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/, GROUP = /^system:bootstrappers(:[a-z0-9:-]{0,255}[a-z0-9])?$/;

export class BootstrapTokenAuthenticator implements TokenAuthenticator {
  readonly #cache: CacheReader;
  readonly #clock: Pick<Clock, "now">;
  constructor(deps: { cache: CacheReader; clock: Pick<Clock, "now"> }) { this.#cache = deps.cache; this.#clock = deps.clock; }
  authenticateToken(token: string): TokenIdentity | undefined {
    const match = TOKEN.exec(token);
    if (match === null) return undefined;
    const [, id = "", secret = ""] = match, found = this.#cache.get(secrets, "kube-system", `bootstrap-token-${id}`);
    if (found?.type !== "bootstrap.kubernetes.io/token" || found.metadata?.deletionTimestamp !== undefined) return undefined;
    const field = (name: string): string => Buffer.from(found.data?.[name] ?? "", "base64").toString("utf8");
    const held = Buffer.from(field("token-secret")), given = Buffer.from(secret), expiration = field("expiration");
    if (held.length !== given.length || !timingSafeEqual(held, given) || field("token-id") !== id) return undefined;
    if (expiration !== "" && !(Date.parse(expiration) > this.#clock.now().getTime())) return undefined;
    if (field("usage-bootstrap-authentication") !== "true") return undefined;
    const groups = field("auth-extra-groups").split(",").map((group) => group.trim()).filter((group) => group !== "");
    if (!groups.every((group) => GROUP.test(group))) return undefined;
    return { user: { name: `system:bootstrap:${id}`, groups: ["system:bootstrappers", ...groups] } };
  }
}

/**
 * Who may read a daemon's metrics and other private paths: the API server is asked, as for its own.
 * A bearer token goes to a TokenReview; a client certificate is checked against `clientCaFile`; the user then to a SubjectAccessReview
 * of the path. Answers are kept for VERDICT_MS. While the API server cannot be asked, nobody may.
 * Counterpart: apiserver `DelegatingAuthenticationOptions` and `DelegatingAuthorizationOptions`.
 */
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { subjectaccessreviews, tokenreviews } from "../api/schema/generated/references.ts";
import type { SubjectAccessReviewSpec } from "../api/schema/generated/models.ts";
import type { Client } from "../client/client.ts";
import { readBundle, readCertificate } from "../pki/certificate.ts";
import { X509Certificate, createHash } from "node:crypto";
import type { Clock } from "../util/clock.ts";

export type Verdict = "allowed" | "unauthenticated" | "forbidden";
export interface DelegatedAuthOptions {
  /** Bundle that signs client certificates; without it only tokens count. Read anew for each handshake's certificate. */
  readonly clientCaFile?: string | undefined;
  /** What a request needs permission for; by default to get its path. */
  readonly attributes?: ((request: IncomingMessage, path: string) => Pick<SubjectAccessReviewSpec, "resourceAttributes" | "nonResourceAttributes">) | undefined;
}

type User = Pick<SubjectAccessReviewSpec, "user" | "groups" | "uid" | "extra">;

const VERDICT_MS = 10_000;
const VERDICTS_MAX = 512;

/** The function a HealthServer takes as `authorize`. */
export function delegatedAuth(deps: { client: Client; clock: Clock }, options: DelegatedAuthOptions = {}): (request: IncomingMessage, path: string) => Promise<Verdict> {
  const { client, clock } = deps, known = new Map<string, { verdict: Verdict; untilMs: number }>();
  return async (request, path) => {
    const token = /^bearer\s+(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
    const certificate = request.socket instanceof TLSSocket ? request.socket.getPeerX509Certificate() : undefined;
    if (token === undefined && certificate === undefined) return "unauthenticated";
    const who = createHash("sha256").update(token ?? certificate!.raw).digest("base64"), attributes = options.attributes?.(request, path) ?? { nonResourceAttributes: { path, verb: "get" } };
    const key = `${who} ${JSON.stringify(attributes)}`, nowMs = clock.monotonicMs();
    const cached = known.get(key);
    if (cached !== undefined && cached.untilMs > nowMs) return cached.verdict;
    const user = token === undefined ? certificateUser(certificate!, options.clientCaFile, clock.now()) : await tokenUser(client, token);
    const verdict = user === undefined ? "unauthenticated" : await may(client, user, attributes) ? "allowed" : "forbidden";
    if (known.size >= VERDICTS_MAX) known.clear();
    known.set(key, { verdict, untilMs: nowMs + VERDICT_MS });
    return verdict;
  };
}

async function tokenUser(client: Client, token: string): Promise<User | undefined> {
  const { status } = await client.create(tokenreviews, { metadata: { name: "" }, spec: { token } });
  if (status?.authenticated !== true) return undefined;
  const { username, groups, uid, extra } = status.user ?? {};
  return { user: username, groups, uid, extra };
}

function certificateUser(certificate: X509Certificate, caFile: string | undefined, now: Date): User | undefined {
  if (caFile === undefined || certificate.validFromDate > now || certificate.validToDate < now) return undefined;
  const authorities = readBundle(readFileSync(caFile, "utf8"));
  if (!authorities.some((authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey))) return undefined;
  const { subject, usages } = readCertificate(certificate.raw);
  return usages.includes("client") ? { user: subject.commonName, groups: [...subject.organizations, "system:authenticated"] } : undefined;
}

async function may(client: Client, user: User, attributes: Pick<SubjectAccessReviewSpec, "resourceAttributes" | "nonResourceAttributes">): Promise<boolean> {
  const { status } = await client.create(subjectaccessreviews, { metadata: { name: "" }, spec: { ...user, ...attributes } });
  return status?.allowed === true;
}

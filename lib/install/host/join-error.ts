/** Why joining did not work, in one message each: what was found and the next step. Pure. */
import { ConnectionError } from "../../client/client.ts";

/** Carries a whole message for the operator. */
export class JoinError extends Error { override readonly name = "JoinError"; }

const NEW_COMMAND = 'make a new join command on the master with "kaji token create --print-join-command"';
const REASONS: Readonly<Record<string, readonly [found: string, next: string]>> = {
  ECONNREFUSED: ["nothing listens there", 'check the port, and that the API server runs ("systemctl status kaji-kube-apiserver" on the master)'],
  ETIMEDOUT: ["it does not answer", "check the address, and that no firewall between the hosts drops the port"],
  EHOSTUNREACH: ["there is no way to that host", "check the address, that the host is up, and the routes"],
  ENETUNREACH: ["there is no way to that network", "check the address and this host's routes"],
  ENOTFOUND: ["the name is not known", "check the name, or use the address"],
  EAI_AGAIN: ["no name server answers", "use the address, or mend this host's /etc/resolv.conf"],
  ECONNRESET: ["the connection was cut", "check that it is the API server's port, and the firewalls between the hosts"],
  EPROTO: ["what answers there speaks no TLS", "check the port"],
};

/** The code of a failed connection, wherever in the chain of causes it is; "" when there is none. */
function codeOf(error: unknown): string {
  for (let each = error as { code?: unknown; cause?: unknown; errors?: unknown[] } | undefined; each !== undefined && each !== null; each = (each.errors?.[0] ?? each.cause) as typeof each) if (typeof each.code === "string" && each.code !== "") return each.code.startsWith("ERR_SSL") ? "EPROTO" : each.code;
  return "";
}

/** For any failure to reach the API server at `server`. */
export function unreachable(server: string, error: unknown): JoinError {
  const code = codeOf(error), [found, next] = REASONS[code] ?? [(error as Error).message, "check the address, that the master runs, and the firewalls between the hosts"];
  return new JoinError(`Cannot reach the API server at ${server}: ${found}${code in REASONS ? ` (${code})` : ""}: ${next}`, { cause: error });
}

/** For a token that the server does not take; `signedIds` are the tokens cluster-info is signed with, which are those in force. */
export function tokenRefused(tokenId: string, signedIds: readonly string[], cause: unknown): JoinError {
  const found = signedIds.includes(tokenId)
    ? `the cluster knows token ${tokenId}, but with another secret: copy the whole token, or`
    : `the cluster knows no token ${tokenId}: it has expired (24 h after it was made unless --ttl said otherwise), was deleted, or never was:`;
  return new JoinError(`Cannot join: ${found} ${NEW_COMMAND}`, { cause });
}

/** For a cluster whose authority is not the pinned one. */
export const pinDiffers = (server: string, found: string, wanted: readonly string[]): JoinError =>
  new JoinError(`Cannot trust ${server}: its authority has the pin ${found}, wanted ${wanted.join(" or ")}: check that the address is the right cluster's, then ${NEW_COMMAND}`);

/** For a certificate of the master that this host's clock finds not valid. */
export function clockRefused(error: unknown): JoinError | undefined {
  const code = codeOf(error);
  if (code !== "CERT_NOT_YET_VALID" && code !== "CERT_HAS_EXPIRED") return undefined;
  const found = code === "CERT_NOT_YET_VALID" ? "the master's certificate is not valid yet" : "the master's certificate has expired";
  return new JoinError(`Cannot join: by this host's clock ${found}, so one of the clocks is off: compare "date" on both hosts, and set the wrong one ("timedatectl set-ntp true")`, { cause: error });
}

export const certificateTimeout = (name: string, seconds: number): JoinError =>
  new JoinError(`Cannot join: nobody signed a certificate for ${name} within ${seconds} s: look at the controller manager on the master ("systemctl status kaji-kube-controller-manager"), then run join again`);

/** What talking to the master threw, as a message for the operator where there is one. */
export const explain = (server: string, error: unknown): unknown => (error instanceof JoinError ? error : clockRefused(error) ?? (error instanceof ConnectionError ? unreachable(server, error) : error));

/** What the network and ssh2 say when a connection fails, in the words of an operator. Pure. */
import { type HostTarget, RemoteError, type RemoteReason } from "./remote-host.ts";

/** What ssh2 adds to its errors. */
interface Ssh2Error extends Error { level?: string; code?: string | number; errors?: readonly Error[] }

interface Explanation { reason: RemoteReason; found: string; nextStep: string }

const NETWORK: Readonly<Record<string, readonly [RemoteReason, string]>> = {
  ECONNREFUSED: ["refused", "connection refused"],
  EHOSTUNREACH: ["unreachable", "no route to it"], ENETUNREACH: ["unreachable", "no route to its network"], EHOSTDOWN: ["unreachable", "the host is down"],
  ETIMEDOUT: ["unreachable", "no answer"], EADDRNOTAVAIL: ["unreachable", "its address cannot be reached from here"], EACCES: ["unreachable", "a firewall here forbids it"],
  EPERM: ["unreachable", "a firewall here forbids it"], ENOTFOUND: ["unresolved", "its name is not known"], EAI_AGAIN: ["unresolved", "the name servers do not answer"],
};

const NEXT: Partial<Record<RemoteReason, (target: HostTarget) => string>> = {
  refused: (target) => `check that sshd runs there and listens on port ${target.port}`,
  unreachable: () => "check that the host is up, its address, and the firewalls on the way",
  unresolved: (target) => `check "${target.address}" for a typing error, or give an IP address`,
};

/** The error for what went wrong before the connection stood. `detail` tells more where the code alone does not. */
export function connectError(target: HostTarget, error: Error): RemoteError {
  if (error instanceof RemoteError) return error;
  return new RemoteError(...parts(target, explain(target, error)), { cause: error });
}

const parts = (target: HostTarget, { reason, ...detail }: Explanation): [RemoteReason, HostTarget, { found: string; nextStep: string }] => [reason, target, detail];

function explain(target: HostTarget, error: Ssh2Error): Explanation {
  // Several addresses tried: the first failure that has a name of its own.
  const code = [error, ...(error.errors ?? [])].map((each) => (each as Ssh2Error).code).find((each): each is string => typeof each === "string" && each in NETWORK);
  if (code !== undefined) {
    const [reason, found] = NETWORK[code]!;
    return { reason, found, nextStep: NEXT[reason]!(target) };
  }
  if (/no matching/.test(error.message)) {
    return { reason: "no-common-algorithm", found: `its sshd shares no ${error.message.replace(/^.*no matching /, "")} with kaji`, nextStep: "update its OpenSSH, or allow what a current one does by default" };
  }
  if (/before handshake/.test(error.message) || error.code === "ECONNRESET") {
    return { reason: "not-ssh", found: "the connection was closed before a word of SSH", nextStep: `check that port ${target.port} is sshd's; a busy sshd (MaxStartups) or a ban there does this too` };
  }
  if (error.level === "protocol" || error.level === "handshake") {
    return { reason: "not-ssh", found: `what answers does not speak SSH as it should (${error.message})`, nextStep: `check that port ${target.port} is sshd's` };
  }
  return { reason: "lost", found: `the connection was lost while logging in (${error.message})`, nextStep: "run again; the log of sshd there tells why when it happens again" };
}

/** The host did not answer in time. */
export const noAnswer = (target: HostTarget, limitMs: number, doing: "connect" | "login"): RemoteError => new RemoteError("unreachable", target, doing === "connect"
  ? { found: `no answer within ${limitMs / 1000} s`, nextStep: NEXT["unreachable"]!(target) }
  : { found: `something answered, but did not finish the login within ${limitMs / 1000} s`, nextStep: `check that port ${target.port} is sshd's and that the host is not overloaded` });

/** The jump host could not go on to the target. Reasons: RFC 4254, section 5.1. */
export function forwardError(target: HostTarget, jump: HostTarget, error: Error & { reason?: number }): RemoteError {
  const said = error.message.replace(/^\(SSH\) Channel open failure: */, "").trim();
  const forbidden = error.reason === 1;
  return new RemoteError(forbidden ? "unreachable" : /refused/i.test(said) ? "refused" : "unreachable", target, {
    found: `jump host "${jump.name}" ${forbidden ? "forbids going further" : "cannot reach it"} (${said === "" ? "it gave no reason" : said})`,
    nextStep: forbidden ? `set "AllowTcpForwarding yes" in sshd_config of "${jump.name}"` : `check that sshd runs on the host, and its address as seen from "${jump.name}"`,
  }, { cause: error });
}

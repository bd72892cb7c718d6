/**
 * Who may be talked to: a known host; a new one when the operator says so; one whose key changed or was revoked never.
 */
import { fingerprint, judgeHostKey, type KnownHosts, knownHostName, type KnownKey, keyType } from "./known-hosts.ts";
import { describeTarget, type HostTarget, RemoteError } from "./remote-host.ts";
import { quoteWord } from "./shell-words.ts";

export interface HostKeyPolicyDeps {
  readonly knownHosts: KnownHosts;
  /** Asks the person at the terminal; left out where there is none. */
  readonly confirm?: ((question: string) => Promise<boolean>) | undefined;
}

const describe = (key: Buffer): string => `${keyType(key)} ${fingerprint(key)}`;
const place = (entry: KnownKey): string => `${entry.file}:${entry.line}`;
/** Where sshd keeps the public half of a key of this type. */
const onTheHost = (key: Buffer): string => `ssh-keygen -lf /etc/ssh/ssh_host_${keyType(key).replace(/^ssh-/, "").replace(/-.*/, "")}_key.pub`;

/** Resolves when the host may be talked to; its key is known from then on. Rejects with RemoteError. */
export async function verifyHostKey(deps: HostKeyPolicyDeps, target: HostTarget, key: Buffer, acceptNew: boolean): Promise<void> {
  const { knownHosts } = deps, verdict = judgeHostKey(knownHosts.read(), target.address, target.port, key);
  switch (verdict.kind) {
    case "known": return;
    case "revoked": throw new RemoteError("revoked-host-key", target, { found: `its host key ${describe(key)} is marked as revoked (${place(verdict.known)})`, nextStep: "give the host new keys, and take the line away only if it is wrong" });
    case "changed": throw changed(target, key, verdict.known);
    case "unknown":
      if (acceptNew || (await deps.confirm?.(`Host ${describeTarget(target)} is met for the first time. Its host key is\n  ${describe(key)}\n(on the host: ${onTheHost(key)})\nIs that the host? Type yes to go on: `)) === true) {
        knownHosts.add(target.address, target.port, key);
        return;
      }
      throw new RemoteError("unknown-host-key", target, {
        found: `its host key is not known yet: ${describe(key)}`,
        nextStep: `compare it with "${onTheHost(key)}" on the host, then run again with --accept-new-host-keys${deps.confirm === undefined ? ", or at a terminal to be asked" : ", or type yes when asked"}`,
      });
  }
}

function changed(target: HostTarget, key: Buffer, known: readonly KnownKey[]): RemoteError {
  const files = [...new Set(known.map((entry) => entry.file))];
  const forget = files.map((file) => `ssh-keygen -R ${quoteWord(knownHostName(target.address, target.port))} -f ${quoteWord(file)}`).join(" && ");
  return new RemoteError("changed-host-key", target, {
    found: `its host key has CHANGED: it shows ${describe(key)}, known is ${known.map((entry) => `${describe(entry.key)} (${place(entry)})`).join(", ")}`,
    nextStep: `somebody may be listening in between; if the host was installed anew, compare with "${onTheHost(key)}" on it and forget the old key: ${forget}`,
  });
}

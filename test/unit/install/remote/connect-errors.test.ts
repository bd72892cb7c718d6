import test from "ava";
import { connectError, forwardError } from "../../../../lib/install/remote/connect-errors.ts";
import { describeTarget, type HostTarget, RemoteError, type RemoteReason } from "../../../../lib/install/remote/remote-host.ts";

const target: HostTarget = { name: "vm1", address: "10.0.0.1", port: 22, user: "root", identityFiles: [] };
const withCode = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });

const CASES: readonly (readonly [Error, RemoteReason, RegExp])[] = [
  [withCode("ECONNREFUSED"), "refused", /^Cannot reach host "vm1" \(root@10\.0\.0\.1:22\): connection refused: check that sshd runs there/],
  [withCode("EHOSTUNREACH"), "unreachable", /no route to it: check that the host is up/],
  [withCode("ETIMEDOUT"), "unreachable", /no answer/],
  [withCode("ENOTFOUND"), "unresolved", /its name is not known: check "10\.0\.0\.1" for a typing error/],
  [withCode("EAI_AGAIN"), "unresolved", /the name servers do not answer/],
  [Object.assign(new AggregateError([withCode("ECONNREFUSED"), withCode("EHOSTUNREACH")], ""), { code: undefined }), "refused", /connection refused/],
  [withCode("ECONNRESET"), "not-ssh", /closed before a word of SSH/],
  [Object.assign(new Error("Handshake failed: no matching key exchange algorithm"), { level: "handshake" }), "no-common-algorithm", /shares no key exchange algorithm with kaji/],
  [Object.assign(new Error("Invalid identification string"), { level: "protocol" }), "not-ssh", /does not speak SSH/],
  [new Error("something else"), "lost", /lost while logging in \(something else\)/],
];
for (const [error, reason, message] of CASES) {
  test(`connectError() says ${reason} of ${error.message === "" ? "several failures" : error.message}`, (t) => {
    const told = connectError(target, error);
    t.is(told.reason, reason);
    t.regex(told.message, message);
    t.is(told.host, "vm1");
    t.is(told.cause, error);
  });
}

test("connectError() leaves an error alone that is told already", (t) => {
  const error = new RemoteError("refused", target, { found: "x", nextStep: "y" });
  t.is(connectError(target, error), error);
});

test("forwardError() tells a jump host that forbids from one that cannot", (t) => {
  const jump = { ...target, name: "bastion" };
  t.regex(forwardError(target, jump, Object.assign(new Error("(SSH) Channel open failure: administratively prohibited"), { reason: 1 })).message, /"bastion" forbids going further .*AllowTcpForwarding/);
  t.is(forwardError(target, jump, Object.assign(new Error("(SSH) Channel open failure: Connection refused"), { reason: 2 })).reason, "refused");
});

test("describeTarget() names the whole way, and puts brackets around IPv6", (t) => {
  t.is(describeTarget({ ...target, address: "fd00::1", jump: { ...target, name: "bastion" } }), '"vm1" (root@[fd00::1]:22) through "bastion" (root@10.0.0.1:22)');
});

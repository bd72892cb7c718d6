import test from "ava";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { createServer as createTcpServer } from "node:net";
import { certificateTimeout, explain, JoinError, pinDiffers, tokenRefused, unreachable } from "../../../../lib/install/host/join-error.ts";
import { discoverAuthority } from "../../../../lib/install/host/discovery.ts";
import { checkNameIsFree, isUsable } from "../../../../lib/install/host/enroll.ts";
import { masterAheadMs } from "../../../../lib/install/host/master-clock.ts";
import { sysctlsToRestore } from "../../../../lib/install/host/sysctls.ts";
import { ConnectionError } from "../../../../lib/client/client.ts";
import { createAuthority, issue } from "../../../../lib/pki/certificate.ts";
import { privateKeyPem } from "../../../../lib/pki/keys.ts";

const now = new Date("2026-06-01T00:00:00Z"), authority = createAuthority({ commonName: "kubernetes", now }), own = { machineId: "a".repeat(32), productUuid: "" };
const withCode = (code: string): Error => Object.assign(new Error(code), { code });

test("tokenRefused() tells a token that ended or never was from one with a wrong secret, and how to get another", (t) => {
  t.regex(tokenRefused("abcdef", ["aaaaaa"], undefined).message, /^Cannot join: the cluster knows no token abcdef: it has expired.*kaji token create --print-join-command/);
  t.regex(tokenRefused("abcdef", ["abcdef"], undefined).message, /knows token abcdef, but with another secret: copy the whole token/);
});
test("unreachable() says why, however deep the reason lies, and what to look at", (t) => {
  t.regex(unreachable("192.0.2.1:6443", new ConnectionError("x", { cause: withCode("ECONNREFUSED") })).message, /^Cannot reach the API server at 192\.0\.2\.1:6443: nothing listens there \(ECONNREFUSED\): .*systemctl status kaji-kube-apiserver/);
  t.regex(unreachable("m:1", withCode("ETIMEDOUT")).message, /does not answer.*firewall/);
  t.regex(unreachable("m:1", withCode("ENOTFOUND")).message, /name is not known/);
  t.regex(unreachable("m:1", withCode("ERR_SSL_WRONG_VERSION_NUMBER")).message, /speaks no TLS/);
  t.regex(unreachable("m:1", new Error("odd")).message, /: odd: check the address/);
});
test("explain() takes a certificate that is not valid yet for a clock that is off", (t) => {
  t.regex((explain("m:1", new ConnectionError("x", { cause: withCode("CERT_NOT_YET_VALID") })) as Error).message, /not valid yet, so one of the clocks is off.*timedatectl/);
  t.regex((explain("m:1", withCode("CERT_HAS_EXPIRED")) as Error).message, /has expired, so one of the clocks is off/);
  const other = new Error("not ours");
  t.is(explain("m:1", other), other);
  const ready = pinDiffers("m:1", "sha256:aa", ["sha256:bb"]);
  t.is(explain("m:1", ready), ready);
  t.regex(ready.message, /has the pin sha256:aa, wanted sha256:bb/);
  t.regex(certificateTimeout("system:node:n1", 120).message, /nobody signed.*120 s.*controller manager/);
});
test("discoverAuthority() says that nothing listens", async (t) => {
  const server = createTcpServer();
  const port = await new Promise<number>((resolve) => { server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)); });
  await new Promise((resolve) => { server.close(resolve); });
  const failed = await t.throwsAsync(discoverAuthority(`https://127.0.0.1:${port}`, ["sha256:00"], AbortSignal.timeout(20_000)));
  t.true(failed instanceof JoinError, failed?.message);
  t.regex(failed!.message, /nothing listens there \(ECONNREFUSED\)/);
});
test("isUsable() keeps what an earlier run got, not what has ended or is damaged, and refuses another cluster's or name's", (t) => {
  const pem = (commonName: string, issued = now) => issue(authority, { subject: { commonName }, usages: ["client"], now: issued }).certificatePem;
  const check = (text: string, name = "system:node:n1"): boolean => isUsable(text, authority.certificatePem, name, now);
  t.true(check(pem("system:node:n1")));
  t.false(check("nonsense"));
  t.false(check(pem("system:node:n1", new Date("2025-01-01T00:00:00Z"))));
  t.throws(() => check(pem("system:node:n2")), { instanceOf: JoinError, message: /is node n2 of the cluster already, wanted node n1.*kaji reset/ });
  t.throws(() => isUsable(pem("system:node:n1"), createAuthority({ commonName: "kubernetes", now }).certificatePem, "system:node:n1", now), { message: /another cluster.*kaji reset/ });
});
test("checkNameIsFree() lets a node that is gone be replaced, and tells two hosts with one name from a clone", (t) => {
  const node = (status: "True" | "False", machineID: string) => ({ status: { conditions: [{ type: "Ready", status }], nodeInfo: { machineID } as never } });
  t.notThrows(() => checkNameIsFree(node("False", "b"), "n1", own));
  t.throws(() => checkNameIsFree(node("True", "b"), "n1", own), { message: /^Cannot join as "n1".*hostnamectl set-hostname NAME/ });
  t.throws(() => checkNameIsFree(node("True", own.machineId), "n1", own), { message: /clone.*machine-id/ });
});
test("masterAheadMs() reads the master's clock from its first answer, whoever signed it", async (t) => {
  const pair = issue(authority, { subject: { commonName: "x" }, usages: ["server"], names: ["127.0.0.1"], now }), server = createServer({ cert: pair.certificatePem, key: privateKeyPem(pair.key) }, (_request, response) => {
    response.writeHead(401, { date: new Date("2026-06-02T00:00:00Z").toUTCString() }).end();
  });
  const port = await new Promise<number>((resolve) => { server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)); });
  const ahead = await masterAheadMs(`https://127.0.0.1:${port}`, { now: () => now });
  server.close();
  t.is(ahead, 86_400_000 + 500);
});
test("sysctlsToRestore() puts back what differs, but not what a container engine needs by now", (t) => {
  const before = { "net.ipv4.ip_forward": "0", "net.netfilter.nf_conntrack_max": "65536", gone: "1", same: "1" }, now_ = { "net.ipv4.ip_forward": "1", "net.netfilter.nf_conntrack_max": "131072", same: "1" };
  t.deepEqual(sysctlsToRestore(before, now_, false), [["net.ipv4.ip_forward", "0"], ["net.netfilter.nf_conntrack_max", "65536"]]);
  t.deepEqual(sysctlsToRestore(before, now_, true), [["net.netfilter.nf_conntrack_max", "65536"]]);
});

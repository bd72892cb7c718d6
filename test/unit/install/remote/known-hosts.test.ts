import test from "ava";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fingerprint, hostKeyAlgorithms, judgeHostKey, KnownHosts, knownHostLine, parseKnownHosts } from "../../../../lib/install/remote/known-hosts.ts";
import { generateKey, publicBlob } from "./test-sshd.ts";

const ed25519 = publicBlob(generateKey("ed25519").private), other = publicBlob(generateKey("ed25519").private);
const ecdsa = publicBlob(generateKey("ecdsa").private);
const line = (hosts: string, key: Buffer, type = "ssh-ed25519"): string => `${hosts} ${type} ${key.toString("base64")} a comment\n`;
const judge = (text: string, shown: Buffer, address = "vm1", port = 22): string => judgeHostKey(parseKnownHosts(text, "f"), address, port, shown).kind;

test("fingerprint() is what ssh-keygen prints for a key of RFC 4253's shape", (t) => {
  const key = Buffer.from("AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl", "base64"); // github.com's, published with its fingerprint.
  t.is(fingerprint(key), "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
});

test("judgeHostKey() knows a host by any of its keys, and takes another key as a change", (t) => {
  const text = line("vm1,10.0.0.1", ed25519) + line("vm1", ecdsa, "ecdsa-sha2-nistp384");
  t.is(judge(text, ed25519), "known");
  t.is(judge(text, ecdsa), "known");
  t.is(judge(text, ed25519, "10.0.0.1"), "known");
  t.is(judge(text, other), "changed");
  t.is(judge(text, other, "vm2"), "unknown");
});

test("judgeHostKey() takes a key of a type not known before as a change, where the host is known by another", (t) => {
  t.is(judge(line("vm1", ed25519), ecdsa), "changed");
});

test("judgeHostKey() reads ports, and takes a key kept without one only as a sign of the same host", (t) => {
  t.is(judge(line("[vm1]:2222", ed25519), ed25519, "vm1", 2222), "known");
  t.is(judge(line("[vm1]:2222", ed25519), ed25519, "vm1", 22), "unknown");
  t.is(judge(line("vm1", ed25519), ed25519, "vm1", 2222), "known");
  t.is(judge(line("vm1", ed25519), other, "vm1", 2222), "unknown");
});

test("judgeHostKey() reads hashed names", (t) => {
  const text = knownHostLine("vm1", 2222, ed25519, Buffer.alloc(20, 7));
  t.true(text.startsWith("|1|"));
  t.is(judge(text, ed25519, "vm1", 2222), "known");
  t.is(judge(text, other, "vm1", 2222), "changed");
  t.is(judge(text, ed25519, "vm2", 2222), "unknown");
});

test("judgeHostKey() reads patterns, exceptions and capitals", (t) => {
  const text = line("*.lab,!bad.lab,10.0.0.?", ed25519);
  t.is(judge(text, ed25519, "a.lab"), "known");
  t.is(judge(text, ed25519, "A.LAB"), "known");
  t.is(judge(text, ed25519, "bad.lab"), "unknown");
  t.is(judge(text, ed25519, "10.0.0.7"), "known");
  t.is(judge(text, ed25519, "10.0.0.77"), "unknown");
  t.is(judge(line("*a*a*a*a*a*a*a*b", ed25519), ed25519, "a".repeat(5_000)), "unknown"); // In time that does not explode.
});

test("judgeHostKey() refuses a revoked key, even where it is known too", (t) => {
  t.is(judge(line("vm1", ed25519) + line("@revoked *", ed25519), ed25519), "revoked");
  t.is(judge(line("@revoked *", ed25519), other), "unknown");
});

test("parseKnownHosts() skips comments, certificate authorities and what is no key", (t) => {
  const text = `# a comment\n\nvm1 ssh-ed25519\nvm1 ssh-ed25519 !!!!\nvm1 ssh-rsa ${ed25519.toString("base64")}\n@cert-authority * ssh-ed25519 ${ed25519.toString("base64")}\n${line("vm1", ed25519)}`;
  t.deepEqual(parseKnownHosts(text, "f").map((entry) => entry.line), [7]);
});

test("hostKeyAlgorithms() asks first for keys the host is known by, and never for SHA-1", (t) => {
  t.is(hostKeyAlgorithms(parseKnownHosts(line("vm1", ecdsa, "ecdsa-sha2-nistp384"), "f"), "vm1", 22)[0], "ecdsa-sha2-nistp384");
  t.is(hostKeyAlgorithms([], "vm1", 22)[0], "ssh-ed25519");
  t.false(hostKeyAlgorithms([], "vm1", 22).includes("ssh-rsa"));
});

test("KnownHosts.add() makes the folder and the file for the user alone, and leaves other lines whole", (t) => {
  const home = mkdtempSync(path.join(tmpdir(), "kaji-known-")), known = KnownHosts.ofUser(home);
  t.teardown(() => rmSync(home, { recursive: true }));
  known.add("vm1", 22, ed25519);
  t.is(statSync(known.file).mode & 0o777, 0o600);
  t.is(statSync(path.dirname(known.file)).mode & 0o777, 0o700);
  writeFileSync(known.file, "vm9 ssh-ed25519 AAAA"); // Somebody left out the line end.
  known.add("vm2", 2222, ed25519);
  t.is(readFileSync(known.file, "utf8"), `vm9 ssh-ed25519 AAAA\n[vm2]:2222 ssh-ed25519 ${ed25519.toString("base64")}\n`);
  t.is(judgeHostKey(known.read(), "vm2", 2222, ed25519).kind, "known");
});

test("KnownHosts.add() hashes names where the file keeps them hashed", (t) => {
  const home = mkdtempSync(path.join(tmpdir(), "kaji-known-")), known = new KnownHosts([path.join(home, "known_hosts")]);
  t.teardown(() => rmSync(home, { recursive: true }));
  writeFileSync(known.file, knownHostLine("vm1", 22, ed25519, Buffer.alloc(20, 1)));
  known.add("vm2", 22, other);
  t.false(readFileSync(known.file, "utf8").includes("vm2"));
  t.is(judgeHostKey(known.read(), "vm2", 22, other).kind, "known");
});

import test from "ava";
import { bareNames, parseStanzas, statusAfter } from "../../../../lib/install/bundle/debian-archives.ts";

const LISTS = `Package: dash
Version: 0.5
Essential: yes
Description: a shell

Package: tzdata
Version: 2026f
Priority: required

Package: curl
Version: 7.88
Priority: optional

Package: curl
Version: 7.89
Priority: optional
`;

test("bareNames() are the essential and the required packages, apt and systemd", (t) => {
  t.deepEqual(bareNames(parseStanzas(LISTS)), ["apt", "dash", "systemd-sysv", "tzdata"]);
});
test("statusAfter() describes what a simulation installs, in just that version, as installed", (t) => {
  const status = statusAfter("NOTE: simulation\nInst dash (0.5 Debian:12/stable [arm64])\nInst curl (7.88 Debian:12/stable [arm64]) []\nConf dash (0.5 Debian:12/stable [arm64])\n", parseStanzas(LISTS));
  t.is(status, "Package: dash\nVersion: 0.5\nEssential: yes\nDescription: a shell\nStatus: install ok installed\n\nPackage: curl\nVersion: 7.88\nPriority: optional\nStatus: install ok installed\n");
});
test("statusAfter() refuses a package its lists do not describe", (t) => {
  t.throws(() => statusAfter("Inst curl (7.90 Debian:12/stable [arm64])\n", parseStanzas(LISTS)), { message: /apt would install curl 7\.90, which its lists do not describe/ });
});

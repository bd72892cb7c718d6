import test from "ava";
import { atLeast, countRules, mixedBackendsMessage, parseVersion } from "../../../lib/node-iptables/backend.ts";

test("parseVersion() reads version and backend of old and new iptables", (t) => {
  t.deepEqual(parseVersion("iptables v1.8.9 (nf_tables)\n"), { backend: "nft", version: [1, 8, 9] });
  t.deepEqual(parseVersion("ip6tables v1.8.11 (legacy)\n"), { backend: "legacy", version: [1, 8, 11] });
  t.deepEqual(parseVersion("iptables v1.6.2"), { backend: "legacy", version: [1, 6, 2] });
  t.throws(() => parseVersion("no such thing"), { message: /version/ });
});

test("atLeast() compares numbers, not text", (t) => {
  t.true(atLeast({ backend: "nft", version: [1, 8, 11] }, [1, 8, 9]));
  t.true(atLeast({ backend: "nft", version: [1, 8, 9] }, [1, 8, 9]));
  t.false(atLeast({ backend: "nft", version: [1, 6, 1] }, [1, 6, 2]));
});

test("mixedBackendsMessage() speaks only when chains of ours are in the other backend too", (t) => {
  const own = parseVersion("iptables v1.8.9 (nf_tables)");
  const docker = countRules("*filter\n:INPUT ACCEPT [0:0]\n:DOCKER - [0:0]\n-A INPUT -j DOCKER\nCOMMIT\n");
  t.is(mixedBackendsMessage(own, { backend: "legacy", program: "iptables-legacy-save", ...docker }, /^OUR-/), undefined);
  const message = mixedBackendsMessage(own, { backend: "legacy", program: "iptables-legacy-save", rules: 1, chains: ["DOCKER", "OUR-A"] }, /^OUR-/);
  t.regex(message!, /1\.8\.9 uses the nft backend, but the legacy backend also holds 1 chains of ours \(e\.g\. OUR-A\)/);
  t.is(mixedBackendsMessage(own, undefined, /^OUR-/), undefined);
});

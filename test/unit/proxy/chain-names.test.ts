import test from "ava";
import { endpointChain, servicePortChains } from "../../../lib/proxy/chain-names.ts";

test("chain names are those upstream gives", (t) => {
  t.deepEqual(servicePortChains("ns1/svc1:p80", "tcp"), { cluster: "KUBE-SVC-XPGD46QRK7WJZT7O", local: "KUBE-SVL-XPGD46QRK7WJZT7O", external: "KUBE-EXT-XPGD46QRK7WJZT7O", firewall: "KUBE-FW-XPGD46QRK7WJZT7O" });
  t.is(endpointChain("ns1/svc1:p80", "tcp", "10.180.0.1:80"), "KUBE-SEP-SXIVWICOYRO3J4NJ");
  t.is(servicePortChains("default/kubernetes:https", "tcp").cluster, "KUBE-SVC-NPX46M4PTMTKRN6Y");
  t.is(servicePortChains("kube-system/kube-dns:dns", "udp").cluster, "KUBE-SVC-TCOU7JCQXEZGVUNU");
});

test("chain names fit the kernel's 28 characters", (t) => {
  t.true(endpointChain("n".repeat(63) + "/" + "s".repeat(63) + ":p", "sctp", "[fd00::1]:65535").length <= 28);
});

/**
 * Names of the chains of a Service's port: fixed-length, because a chain's name may have 28 characters at most.
 * The hash is SHA-256 of `namespace/name:port` and protocol (and endpoint), in base32, its first 16 letters.
 * Counterpart: kube-proxy `iptables/proxier.go`; the names are the same, so one proxy can follow the other on a node.
 */
import { hash } from "node:crypto";

export const FIXED_CHAINS = {
  services: "KUBE-SERVICES",
  externalServices: "KUBE-EXTERNAL-SERVICES",
  nodePorts: "KUBE-NODEPORTS",
  postrouting: "KUBE-POSTROUTING",
  markMasquerade: "KUBE-MARK-MASQ",
  forward: "KUBE-FORWARD",
  proxyFirewall: "KUBE-PROXY-FIREWALL",
  /** Also made by a kubelet of upstream; never deleted here. */
  kubeletFirewall: "KUBE-FIREWALL",
  canary: "KUBE-PROXY-CANARY",
} as const;

/** Chains made for one Service each; `XLB` is of old releases and only ever removed. */
export const SERVICE_CHAIN = /^KUBE-(SVC|SVL|SEP|FW|EXT|XLB)-/;

export interface ServicePortChains { readonly cluster: string; readonly local: string; readonly external: string; readonly firewall: string }

/** `servicePort` is `namespace/name` with `:port` when the port has a name; `protocol` is in lower case. */
export function servicePortChains(servicePort: string, protocol: string): ServicePortChains {
  const hash = hash16(servicePort + protocol);
  return { cluster: `KUBE-SVC-${hash}`, local: `KUBE-SVL-${hash}`, external: `KUBE-EXT-${hash}`, firewall: `KUBE-FW-${hash}` };
}

/** `endpoint` is `ip:port`. */
export const endpointChain = (servicePort: string, protocol: string, endpoint: string): string => `KUBE-SEP-${hash16(servicePort + protocol + endpoint)}`;

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const HASH_LETTERS = 16, HASH_BYTES = 10; // Ten bytes are sixteen letters of five bits.

function hash16(text: string): string {
  const digest = hash("sha256", text, "buffer");
  let letters = "", bits = 0, held = 0;
  for (let i = 0; i < HASH_BYTES; i++) {
    held = (held << 8) | digest[i]!;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      letters += BASE32[(held >> bits) & 31]!;
    }
    held &= (1 << bits) - 1;
  }
  return letters.slice(0, HASH_LETTERS);
}

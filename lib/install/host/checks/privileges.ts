/** Whether who asks may change this host, and whether the host is one we can install on: systemd, a processor there is a release for. */
import { findingsOf } from "./finding.ts";
import type { Check } from "./host-facts.ts";

const { error } = findingsOf("privileges"), ARCHITECTURES = ["x64", "arm64"];

export const checkPrivileges: Check = ({ uid, hasSudo, hasSystemd, architecture }) => [
  ...(uid === 0 ? [] : [error(`this is user ${uid}, not root, and much cannot be seen`, hasSudo ? 'run it with "sudo"' : 'sudo is not installed: become root ("su -") or install sudo')]),
  ...(hasSystemd ? [] : [error("systemd does not run this host", "use a distribution with systemd, and no container")]),
  ...(ARCHITECTURES.includes(architecture) ? [] : [error(`the processor is ${architecture}`, `use a host with ${ARCHITECTURES.join(" or ")}`)]),
];

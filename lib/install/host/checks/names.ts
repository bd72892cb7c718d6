/** The host's name: fit for a node, and known to the host itself. */
import { findingsOf, type HostFinding } from "./finding.ts";
import type { Check, NameFacts } from "./host-facts.ts";

const { error, warning, note } = findingsOf("name");
const NODE_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/, NAME_MAX = 63;

/** What is wrong with a node's name, or undefined. A node's name is a label of its pods' too, so 63 characters are the most. */
export function nameProblem(name: string): string | undefined {
  if (name.length > NAME_MAX) return `it has ${name.length} characters, at most ${NAME_MAX} are allowed`;
  if (!NODE_NAME.test(name)) return "it may hold only a to z, 0 to 9, - and ., and begins and ends with a letter or a digit";
  return name === "localhost" || name.startsWith("localhost.") ? "every host has that name" : undefined;
}

function checkResolution({ hostname, resolvesTo, hostsEntries }: NameFacts): HostFinding[] {
  const findings: HostFinding[] = [], loopback = hostsEntries.find((entry) => entry.address === "127.0.1.1" && entry.names.includes(hostname));
  if (loopback !== undefined) findings.push(note(`/etc/hosts says that ${hostname} is 127.0.1.1`, "harmless here, since addresses are chosen from interfaces; remove the line when other programs are misled by it"));
  if (resolvesTo.length === 0) findings.push(warning(`this host cannot resolve its own name "${hostname}"`, `add the line "127.0.1.1 ${hostname}" to /etc/hosts: sudo and others wait for it`));
  return findings;
}

export const checkNames: Check = ({ names, nodeName }) => {
  const name = (nodeName ?? names.hostname).toLowerCase(), problem = nameProblem(name);
  return [...(problem === undefined ? [] : [error(`"${name}" cannot be a node's name: ${problem}`, 'set another host name ("hostnamectl set-hostname NAME") or give --node-name')]), ...checkResolution(names)];
};

/** Rules of others that would keep hosts and pods from reaching us, and a host whose rules lie in two backends of iptables. */
import { chainsOf, mixedBackendsMessage, parseSave, splitArguments, type Chain } from "../../../node-iptables/index.ts";
import { findingsOf, type HostFinding } from "./finding.ts";
import type { Check, HostFacts } from "./host-facts.ts";
import { portsOf, type WantedPort } from "./ports.ts";

const firewall = findingsOf("firewall"), backend = findingsOf("iptables");
const OURS = /^(KUBE|KAJI)-/, NODE_PORTS = "30000:32767/tcp";

/** The ports a list of iptables such as `80,443,30000:32767` holds. */
const inList = (list: string, port: number): boolean => list.split(",").some((each) => { const [from, to = from] = each.split(":").map(Number); return port >= from! && port <= to!; });

/** Whether a rule's words let new connections to the port in. Rules with matches of other kinds (an interface, a source) do not count. */
function letsIn(words: readonly string[], { port, protocol }: WantedPort): boolean {
  const value = (...names: string[]): string | undefined => { const at = words.findIndex((word) => names.includes(word)); return at < 0 ? undefined : words[at + 1]; };
  if (value("-j") !== "ACCEPT" || words.includes("!") || value("-s", "-i", "-d") !== undefined) return false;
  const state = value("--ctstate", "--state");
  if (state !== undefined && !state.split(",").includes("NEW")) return false;
  const proto = value("-p"), ports = value("--dport", "--dports");
  return (proto === undefined || proto === "all" || proto === protocol) && (ports === undefined || inList(ports, port));
}

const refusesAll = (words: readonly string[]): boolean => words[0] === "-j" && (words[1] === "DROP" || words[1] === "REJECT");

/** Ports that INPUT refuses: its policy or a last rule drops what no rule accepts. Chains of the user's own are followed one level deep. */
export function refusedPorts(filterSave: string, ports: readonly WantedPort[]): WantedPort[] {
  const items = parseSave(filterSave), chains = chainsOf(items, "filter"), input = (chains.get("INPUT") ?? []).map(splitArguments);
  const policy = chainOf(items, "INPUT")?.policy;
  const rules = input.flatMap((words) => { const own = words[0] === "-j" ? chains.get(words[1] ?? "") : undefined; return own === undefined || OURS.test(words[1]!) ? [words] : own.map(splitArguments); });
  const end = rules.findIndex(refusesAll);
  if (policy !== "DROP" && end < 0) return [];
  const before = end < 0 ? rules : rules.slice(0, end);
  return ports.filter((port) => !before.some((words) => letsIn(words, port)));
}

const chainOf = (items: ReturnType<typeof parseSave>, name: string): Chain | undefined => items.flatMap((item) => (item.kind === "table" && item.table.name === "filter" ? item.table.chains : [])).find((chain) => chain.name === name);
const text = (ports: readonly WantedPort[]): string => ports.map(({ port, protocol }) => `${port}/${protocol}`).join(" ");

function checkUfw({ firewall: { ufw, ufwStatus } }: HostFacts, wanted: readonly WantedPort[]): HostFinding[] {
  if (!ufw) return [];
  const closed = wanted.filter(({ port, protocol }) => !new RegExp(`^${port}(/${protocol})?\\s+ALLOW`, "m").test(ufwStatus));
  return closed.length === 0 ? [] : [firewall.warning(`ufw is on and lets others not reach ${text(closed)}`, `${closed.map(({ port, protocol }) => `"ufw allow ${port}/${protocol}"`).join(", ")}; for NodePorts "ufw allow ${NODE_PORTS}"; for pods "ufw default allow routed"`)];
}

function checkFirewalld({ firewall: { firewalld, firewalldPorts } }: HostFacts, wanted: readonly WantedPort[]): HostFinding[] {
  if (!firewalld) return [];
  const closed = wanted.filter(({ port, protocol }) => !firewalldPorts.includes(`${port}/${protocol}`));
  return closed.length === 0 ? [] : [firewall.warning(`firewalld runs and lets others not reach ${text(closed)}`, `"firewall-cmd --permanent ${closed.map(({ port, protocol }) => `--add-port=${port}/${protocol}`).join(" ")}", the pod and Service ranges with "firewall-cmd --permanent --zone=trusted --add-source=RANGE", then "firewall-cmd --reload"`)];
}

export const checkFirewall = (apiPort: number): Check => (facts) => {
  const open = portsOf(facts.role, apiPort).filter((each) => each.open), { own, other, filter } = facts.iptables, findings = [...checkUfw(facts, open), ...checkFirewalld(facts, open)];
  if (!facts.firewall.ufw && !facts.firewall.firewalld) {
    const refused = refusedPorts(filter, open);
    if (refused.length > 0) findings.push(firewall.warning(`iptables lets others not reach ${text(refused)} (chain INPUT)`, refused.map(({ port, protocol }) => `"iptables -I INPUT -p ${protocol} --dport ${port} -j ACCEPT"`).join(", ")));
  }
  if (facts.role === "worker" && chainOf(parseSave(filter), "FORWARD")?.policy === "DROP") findings.push(firewall.note("the policy of chain FORWARD is DROP", "harmless: traffic of pods is accepted by rules of our own"));
  const mixed = own === undefined ? undefined : mixedBackendsMessage(own, other, OURS);
  if (mixed !== undefined) findings.push(backend.error("chains of ours lie in both backends of iptables", mixed));
  else if (other !== undefined && other.rules > 0) findings.push(backend.warning(`the ${other.backend} backend of iptables holds ${other.rules} rules beside those of the host's own ${own?.backend ?? ""} backend, and the kernel applies both`, `look at them with "${other.program}"; whoever made them should use the host's iptables`));
  return findings;
};

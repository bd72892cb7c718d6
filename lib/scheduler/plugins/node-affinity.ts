/** nodeSelector and node affinity: what a pod requires of its node's labels, and what it prefers. */
import { hasRequiredNodeAffinity, matchesRequiredNodeAffinity, preferredNodeAffinityScore } from "../../api/helpers/node-affinity.ts";
import type { NodeSelector } from "../../api/schema/generated/models.ts";
import { normalizeByMax, rejectForGood, type Plugin } from "../framework/plugin.ts";

const MISMATCH = rejectForGood("node(s) didn't match Pod's node affinity/selector");
const CONFLICT = rejectForGood("pod affinity terms conflict");

/** The names of the only nodes the terms allow; undefined when some term names none. */
function namedNodes({ nodeSelectorTerms }: NodeSelector): Set<string> | undefined {
  const names = new Set<string>();
  for (const { matchFields = [] } of nodeSelectorTerms) {
    let termNames: string[] | undefined;
    for (const { key, operator, values = [] } of matchFields) {
      if (key === "metadata.name" && operator === "In") termNames = termNames === undefined ? [...values] : termNames.filter((name) => values.includes(name));
    }
    if (termNames === undefined) return undefined;
    for (const name of termNames) names.add(name);
  }
  return nodeSelectorTerms.length === 0 ? undefined : names;
}

export const nodeAffinity: Plugin = {
  name: "NodeAffinity",
  beginFilter({ pod }) {
    if (!hasRequiredNodeAffinity(pod.spec)) return undefined;
    const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    const names = required === undefined ? undefined : namedNodes(required);
    if (names?.size === 0) return CONFLICT;
    return { ...(names === undefined ? {} : { only: names }), filter: ({ node }) => (matchesRequiredNodeAffinity(pod.spec, node) ? undefined : MISMATCH) };
  },
  beginScore({ pod }) {
    const preferred = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    if (preferred.length === 0) return undefined;
    return { score: ({ node }) => preferredNodeAffinityScore(preferred, node), normalize: (scores) => normalizeByMax(scores) };
  },
  mayHelp: (event, { pod }) => (event.kind === "node-added" || (event.kind === "node-updated" && event.aspects.has("labels"))) && matchesRequiredNodeAffinity(pod.spec, event.node),
};

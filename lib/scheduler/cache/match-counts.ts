/**
 * How many pods of a namespace match a selector, by node, kept exact as pods come and go.
 * Spreading asks this for the same few selectors in every cycle; counting anew would walk every pod of the cluster each time.
 * The longest unused selectors are dropped beyond SELECTORS_MAX. Terminating pods do not count, as upstream.
 */
import { formatSelector, matchesLabels, type LabelMatcher } from "../../api/helpers/label-selector.ts";
import type { PodInfo } from "./pod-info.ts";

export const SELECTORS_MAX = 256;

interface Counted { readonly namespace: string; readonly selector: LabelMatcher; readonly byNode: Map<string, number> }

export class MatchCounts {
  /** Insertion order is order of use. */
  readonly #counted = new Map<string, Counted>();
  readonly #all: () => Iterable<readonly [node: string, pods: Iterable<PodInfo>]>;

  /** `all` walks every pod by node, for a selector asked for the first time. */
  constructor(all: () => Iterable<readonly [node: string, pods: Iterable<PodInfo>]>) { this.#all = all; }

  /** Matching pods by name of node; nodes with none are absent. Live: do not keep it beyond the cycle. */
  byNode(namespace: string, selector: LabelMatcher): ReadonlyMap<string, number> {
    const key = `${namespace}\n${selector.nothing === true ? "nothing" : formatSelector(selector)}`;
    let counted = this.#counted.get(key);
    if (counted === undefined) {
      counted = { namespace, selector, byNode: new Map() };
      for (const [node, pods] of this.#all()) for (const pod of pods) this.#count(counted, node, pod, 1);
    } else this.#counted.delete(key);
    this.#counted.set(key, counted);
    if (this.#counted.size > SELECTORS_MAX) for (const oldest of this.#counted.keys()) { this.#counted.delete(oldest); break; }
    return counted.byNode;
  }

  added(node: string, pod: PodInfo): void { for (const counted of this.#counted.values()) this.#count(counted, node, pod, 1); }
  removed(node: string, pod: PodInfo): void { for (const counted of this.#counted.values()) this.#count(counted, node, pod, -1); }

  #count({ namespace, selector, byNode }: Counted, node: string, pod: PodInfo, sign: 1 | -1): void {
    if (pod.namespace !== namespace || pod.isTerminating || !matchesLabels(selector, pod.labels)) return;
    const count = (byNode.get(node) ?? 0) + sign;
    if (count === 0) byNode.delete(node);
    else byNode.set(node, count);
  }
}

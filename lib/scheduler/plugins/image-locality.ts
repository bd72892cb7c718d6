/**
 * Prefers nodes that have the pod's images already, by their size; an image on few nodes counts little, lest all pods follow it to one node.
 * Counterpart: scheduler `imagelocality`.
 */
import { SCORE_MAX, type Plugin } from "../framework/plugin.ts";

const MIB = 1024 * 1024;
const THRESHOLD_MIN_BYTES = 23 * MIB;
const THRESHOLD_MAX_BYTES_PER_CONTAINER = 1_000 * MIB;

/** As nodes list images: with a tag. */
export const imageName = (image: string): string => (image.lastIndexOf(":") <= image.lastIndexOf("/") ? `${image}:latest` : image);

export const imageLocality: Plugin = {
  name: "ImageLocality",
  beginScore({ pod }, nodes, { cache }) {
    const images = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map(({ image }) => imageName(image ?? ""));
    const shares = images.map((image) => [image, cache.nodesWithImage(image) / cache.nodes.length] as const).filter(([, share]) => share > 0);
    if (shares.length === 0) return undefined;
    const most = THRESHOLD_MAX_BYTES_PER_CONTAINER * images.length;
    return {
      score(node) {
        let sum = 0;
        for (const [image, share] of shares) sum += Math.trunc((node.images.get(image) ?? 0) * share);
        const bounded = Math.min(Math.max(sum, THRESHOLD_MIN_BYTES), most);
        return Math.trunc((SCORE_MAX * (bounded - THRESHOLD_MIN_BYTES)) / (most - THRESHOLD_MIN_BYTES));
      },
    };
  },
};

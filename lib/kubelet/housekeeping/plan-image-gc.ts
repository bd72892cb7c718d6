/** Which unused images to remove when the disk fills. Pure. Counterpart: kubelet `images/image_gc_manager.go`. */
export interface ImageRecord { readonly id: string; readonly sizeBytes: number; readonly pinned: boolean; /** When first seen, and when last used by a container; milliseconds. */ readonly firstSeenMs: number; readonly lastUsedMs: number }
export interface ImageGcPolicy { readonly highPercent: number; readonly lowPercent: number; readonly minimumAgeMs: number }
export interface DiskUse { readonly capacityBytes: number; readonly availableBytes: number }

/** How many bytes are to be freed: none below the high mark, else down to the low one. */
export function bytesToFree({ capacityBytes, availableBytes }: DiskUse, { highPercent, lowPercent }: ImageGcPolicy): number {
  if (capacityBytes <= 0) return 0;
  const usedPercent = 100 - Math.trunc((availableBytes * 100) / capacityBytes);
  return usedPercent >= highPercent ? Math.max(0, Math.trunc((capacityBytes * (100 - lowPercent)) / 100) - availableBytes) : 0;
}

/** Ids to remove, least recently used first, until `freeBytes` are gained. Images in use or pinned, and those younger than the minimum age, stay. */
export function planImageGc(images: readonly ImageRecord[], inUse: ReadonlySet<string>, freeBytes: number, minimumAgeMs: number, nowMs: number): string[] {
  const result: string[] = [];
  let left = freeBytes;
  const unused = images.filter((image) => !image.pinned && !inUse.has(image.id) && nowMs - image.firstSeenMs >= minimumAgeMs);
  for (const image of unused.toSorted((a, b) => a.lastUsedMs - b.lastUsedMs || a.firstSeenMs - b.firstSeenMs)) {
    if (left <= 0) break;
    result.push(image.id);
    left -= image.sizeBytes;
  }
  return result;
}

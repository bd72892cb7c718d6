/**
 * Which program this is: the commit it was built from, and the Node inside it.
 *
 * `cmd/kaji/build.ts` writes the commit into the release; a program run from source says "source".
 */
declare const KAJI_BUILD_COMMIT: string | undefined;

/** A commit's full hash, with "-dirty" behind it when files had been changed; "source" when nothing was built. */
export const BUILD_COMMIT: string = typeof KAJI_BUILD_COMMIT === "undefined" ? "source" : KAJI_BUILD_COMMIT;

/** E.g. "v26.10.0". */
export const NODE_VERSION: string = process.version;

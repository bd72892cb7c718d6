/** A directory that is made, and not opened to its pod yet: how a kubelet that was killed meanwhile knows it. */

/** Its mode; containers may set any other. */
export const UNFINISHED = 0o1000;

/** Below a directory that keeps its group a new one does so too. */
export const isUnfinished = ({ mode }: { readonly mode: number }): boolean => (mode & 0o5777) === UNFINISHED;

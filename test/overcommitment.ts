/** How much longer things take where more wants to run than the machine has cores for: limits that are told for a quiet machine stretch by it. */
import { availableParallelism, loadavg } from "node:os";

/** What two for each core are: a cluster with its tests alone. */
const USUAL_PER_CORE = 2;

/** 1 on a machine that is not overcommitted; over the last minute. */
export const overcommitment = (): number => Math.max(1, loadavg()[0]! / availableParallelism() / USUAL_PER_CORE);

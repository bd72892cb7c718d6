/** What every controller is given: narrow, and the same for all. Counterpart: kube-controller-manager's ControllerContext. */
import type { Client } from "../../client/client.ts";
import type { EventSink } from "../../runtime/event-recorder.ts";
import type { RuntimeMetrics } from "../../runtime/metrics.ts";
import type { SharedInformers } from "../../runtime/shared-informers.ts";
import type { Clock } from "../../util/clock.ts";
import type { Logger } from "../../util/logger.ts";

export interface ControllerContext {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  readonly informers: SharedInformers;
  /** A recorder whose events carry the controller's name. */
  readonly recorder: (component: string) => EventSink;
  readonly metrics?: RuntimeMetrics | undefined;
}

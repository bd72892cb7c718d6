/** Removes bootstrap tokens that have ended. Counterpart: kubernetes `pkg/controller/bootstrap/tokencleaner.go`. */
import { secrets } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import { Controller } from "../../runtime/controller.ts";
import { keyOf, splitKey } from "../../runtime/object-key.ts";
import { endsAtMs, TOKEN_TYPE } from "./bootstrap-tokens.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { Runnable } from "../../util/runnable.ts";

export function createTokenCleaner(context: ControllerContext): Runnable {
  const { client, clock } = context, tokens = context.informers.get(secrets, { fieldSelector: `type=${TOKEN_TYPE}` });
  const controller = new Controller(context, {
    name: "token-cleaner-controller", workers: 1, waitFor: [tokens],
    async reconcile(key, signal) {
      const secret = tokens.get(key), endsMs = secret === undefined ? undefined : endsAtMs(secret);
      if (secret === undefined || endsMs === undefined) return {};
      const leftMs = endsMs - clock.now().getTime(), { uid } = secret.metadata;
      if (leftMs > 0) return { requeueAfterMs: leftMs };
      try { await client.delete(secrets, splitKey(key), uid === undefined ? {} : { preconditions: { uid } }, signal); }
      catch (error) { if (!hasReason(error, "NotFound", "Conflict")) throw error; }
      return {};
    },
  });
  tokens.onChange(({ type, object }) => { if (type !== "deleted" && object.metadata.namespace === "kube-system") controller.queue.add(keyOf(object)); });
  return controller;
}

/** Signs ConfigMap `kube-public/cluster-info` with every bootstrap token. Counterpart: kubernetes `pkg/controller/bootstrap/bootstrapsigner.go`. */
import { configmaps, secrets } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import { Controller } from "../../runtime/controller.ts";
import { endsAtMs, planSignatures, TOKEN_TYPE } from "./bootstrap-tokens.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { Runnable } from "../../util/runnable.ts";

const KEY = "kube-public/cluster-info";

export function createBootstrapSigner(context: ControllerContext): Runnable {
  const { client, clock } = context, tokens = context.informers.get(secrets, { fieldSelector: `type=${TOKEN_TYPE}` }), infos = context.informers.get(configmaps, { fieldSelector: "metadata.name=cluster-info" });
  const controller = new Controller(context, {
    name: "bootstrap-signer-controller", workers: 1, waitFor: [tokens, infos],
    async reconcile(key, signal) {
      const info = infos.get(key), nowMs = clock.now().getTime(), known = tokens.list().filter((secret) => secret.metadata.namespace === "kube-system");
      if (info === undefined) return {};
      const wanted = planSignatures(info, known, nowMs);
      try { if (wanted !== undefined) await client.update(configmaps, wanted, {}, signal); }
      catch (error) { if (!hasReason(error, "NotFound")) throw error; }
      const next = Math.min(...known.map((secret) => endsAtMs(secret) ?? Infinity).filter((ms) => ms > nowMs));
      return Number.isFinite(next) ? { requeueAfterMs: next - nowMs } : {};
    },
  });
  tokens.onChange(() => controller.queue.add(KEY));
  infos.onChange(({ type, object }) => { if (type !== "deleted" && object.metadata.namespace === "kube-public") controller.queue.add(KEY); });
  return controller;
}

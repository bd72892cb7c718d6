/** Which container of a pod is meant, and where the pod runs. Pure; messages are upstream's. Counterpart: `pkg/registry/core/pod/strategy.go` `validateContainer`, `streamLocation`. */
import type { Pod } from "../../api/schema/generated/models.ts";
import { badRequest } from "../../api/status-error.ts";

/** Throws BadRequest when nothing fits, or too much. */
export function chooseContainer(pod: Pod, asked: string): string {
  const spec = pod.spec, regular = spec?.containers ?? [], name = pod.metadata.name;
  const all = [...(spec?.initContainers ?? []), ...regular, ...(spec?.ephemeralContainers ?? [])].map((container) => container.name);
  if (asked !== "") {
    if (!all.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${name}`);
    return asked;
  }
  if (regular.length === 1) return regular[0]!.name;
  throw badRequest(regular.length === 0 ? `a container name must be specified for pod ${name}` : `a container name must be specified for pod ${name}, choose one of: [${all.join(" ")}]`);
}

/** The node the pod is bound to. Throws BadRequest when it is bound to none. */
export function nodeOfPod(pod: Pod): string {
  const node = pod.spec?.nodeName ?? "";
  if (node === "") throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  return node;
}

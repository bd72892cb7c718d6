/** Words the tables of bootstrap roles are written in. */
import type { ClusterRole, ObjectMeta, PolicyRule } from "../../api/schema/generated/models.ts";

export const READ = "get list watch";
export const WRITE = "create delete deletecollection patch update";
export const READ_WRITE = `${WRITE} ${READ}`;
export const READ_UPDATE = `${READ} patch update`;

const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "").sort();

/** Verbs, groups (`core` is the core group) and resources, each separated by spaces; then names of single objects. */
export const rule = (verbs: string, groups: string, resources: string, ...resourceNames: string[]): PolicyRule => ({
  verbs: words(verbs), apiGroups: words(groups).map((group) => (group === "core" ? "" : group)).sort(), resources: words(resources),
  ...(resourceNames.length === 0 ? {} : { resourceNames: [...resourceNames].sort() }),
});
export const pathRule = (verbs: string, paths: string): PolicyRule => ({ verbs: words(verbs), nonResourceURLs: words(paths) });
/** Every component may record events. */
export const eventsRule = (): PolicyRule => rule("create patch update", "core events.k8s.io", "events");

export const BOOTSTRAP_LABELS = { "kubernetes.io/bootstrapping": "rbac-defaults" };
/** While it says "true", start-up adds what upgrades brought; people may set it to "false". */
export const AUTOUPDATE_ANNOTATION = "rbac.authorization.kubernetes.io/autoupdate";

export const bootstrapMeta = (name: string, options: { namespace?: string; labels?: Record<string, string> } = {}): ObjectMeta => ({
  name, ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
  annotations: { [AUTOUPDATE_ANNOTATION]: "true" }, labels: { ...BOOTSTRAP_LABELS, ...options.labels },
});

export const RBAC_API_VERSION = "rbac.authorization.k8s.io/v1", RBAC_GROUP = "rbac.authorization.k8s.io";
export const clusterRole = (name: string, rules: readonly PolicyRule[], labels: Record<string, string> = {}): ClusterRole =>
  ({ apiVersion: RBAC_API_VERSION, kind: "ClusterRole", metadata: bootstrapMeta(name, { labels }), rules: [...rules] });

/** Node: a machine that runs pods. Counterpart: kubernetes `registry/core/node`. */
import { ageColumn, column, nameColumn, orNone } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import type { FieldError } from "../field-error.ts";
import type { Node } from "../schema/generated/models.ts";
import { nodes } from "../schema/generated/references.ts";
import { checkNode, checkNodeUpdate } from "./node-validation.ts";

const ROLE_PREFIX = "node-role.kubernetes.io/";
const ROLE = "kubernetes.io/role";

function defaults(node: Node): void {
  node.spec ??= {};
  const status = (node.status ??= {});
  if (status.allocatable === undefined && status.capacity !== undefined) status.allocatable = { ...status.capacity };
  // Upstream writes these two even when nothing is known yet.
  status.daemonEndpoints ??= { kubeletEndpoint: { Port: 0 } };
  status.nodeInfo ??= {
    architecture: "", bootID: "", containerRuntimeVersion: "", kernelVersion: "", kubeProxyVersion: "", kubeletVersion: "", machineID: "", operatingSystem: "", osImage: "", systemUUID: "",
  };
}

function statusWords({ spec, status }: Node): string {
  const ready = status?.conditions?.findLast((condition) => condition.type === "Ready");
  const word = ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
  return spec?.unschedulable === true ? `${word},SchedulingDisabled` : word;
}

function roles({ metadata }: Node): string {
  const found = new Set<string>();
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (key.startsWith(ROLE_PREFIX)) found.add(key.slice(ROLE_PREFIX.length));
    else if (key === ROLE) found.add(value);
  }
  found.delete("");
  return orNone([...found].sort().join(","));
}

const address = (type: string) => ({ status }: Node): string => orNone(status?.addresses?.find((one) => one.type === type)?.address);
const orUnknown = (text: string | undefined): string => (text === undefined || text === "" ? "<unknown>" : text);

function validateUpdate(node: Node, old: Node): FieldError[] {
  const errors: FieldError[] = [];
  checkNode(errors, node);
  checkNodeUpdate(errors, node, old);
  return errors;
}

export const nodeDefinition = defineResource<Node>({
  reference: nodes,
  shortNames: ["no"],
  defaults,
  prepareForCreate: ({ spec, status }) => {
    delete spec?.configSource;
    delete status?.config;
  },
  prepareForUpdate: (node, old) => {
    node.status = old.status;
    if (old.spec?.configSource === undefined) delete node.spec?.configSource;
  },
  prepareForStatusUpdate: (node, old) => {
    node.spec = old.spec;
    if (old.status?.config === undefined) delete node.status?.config;
  },
  validate: (node) => {
    const errors: FieldError[] = [];
    checkNode(errors, node);
    return errors;
  },
  validateUpdate,
  validateStatusUpdate: (node, old) => {
    const errors: FieldError[] = [];
    checkNodeUpdate(errors, node, old);
    return errors;
  },
  warnings: ({ spec }) => [
    ...(spec?.configSource === undefined ? [] : ["spec.configSource: the feature is removed"]),
    ...((spec?.externalID ?? "") === "" ? [] : ["spec.externalID: this field is deprecated, and is unused by Kubernetes"]),
  ],
  columns: [
    nameColumn,
    column("Status", statusWords, { description: "The status of the node" }),
    column("Roles", roles, { description: "The roles of the node" }),
    ageColumn,
    column("Version", ({ status }) => status?.nodeInfo?.kubeletVersion ?? "", { description: "The version of the kubelet." }),
    column("Internal-IP", address("InternalIP"), { wide: true, description: "The address within the cluster." }),
    column("External-IP", address("ExternalIP"), { wide: true, description: "The address outside the cluster." }),
    column("OS-Image", ({ status }) => orUnknown(status?.nodeInfo?.osImage), { wide: true, description: "The operating system." }),
    column("Kernel-Version", ({ status }) => orUnknown(status?.nodeInfo?.kernelVersion), { wide: true, description: "The kernel." }),
    column("Container-Runtime", ({ status }) => orUnknown(status?.nodeInfo?.containerRuntimeVersion), { wide: true, description: "What runs the containers." }),
  ],
  selectableFields: ({ spec }) => ({ "spec.unschedulable": String(spec?.unschedulable === true) }),
});

/** Two pods cannot have the same port of a node. */
import { reject, type Plugin } from "../framework/plugin.ts";

const TAKEN = reject("node(s) didn't have free ports for the requested pod ports");

export const nodePorts: Plugin = {
  name: "NodePorts",
  beginFilter({ ports }) {
    if (ports.length === 0) return undefined;
    return { filter: (node) => (node.hasPortConflict(ports) ? TAKEN : undefined) };
  },
  mayHelp: (event, { ports }) => event.kind === "node-added"
    || (event.kind === "assigned-pod-deleted" && event.pod.ports.some((freed) => ports.some((wanted) => wanted.port === freed.port && wanted.protocol === freed.protocol))),
};

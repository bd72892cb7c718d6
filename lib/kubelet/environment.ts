/**
 * The environment of a container: envFrom, then env in order with `$(NAME)` expanded, then the Services' variables that nothing overrode.
 * Counterpart: kubelet `kubelet_pods.go` makeEnvironmentVariables.
 */
import type { ConfigMap, Container, EnvVar, Pod, Secret, Service } from "../api/schema/generated/models.ts";
import { fieldValue, resourceValue, type DownwardContext } from "./downward.ts";
import { expand } from "./expand.ts";
import { namespaceOf } from "./pod-facts.ts";
import { serviceVariables } from "./service-env.ts";

/** Reads of the objects a pod refers to; undefined when there is no such object, anything else is thrown. */
export interface ObjectReader {
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
}
export interface EnvironmentSources extends ObjectReader { services(): readonly Service[] }

/** A container that cannot be configured: shown as CreateContainerConfigError. The message is upstream's. */
export class ContainerConfigError extends Error { override readonly name = "ContainerConfigError"; }

const fromBase64 = (text: string): string => Buffer.from(text, "base64").toString("utf8");
const secretText = (secret: Secret, key: string): string | undefined => { const value = secret.data?.[key]; return value === undefined ? undefined : fromBase64(value); };
const VALID_NAME = /^[-._a-zA-Z][-._a-zA-Z0-9]*$|^[ -<>-~]+$/; // Printable ASCII but `=`.

async function addFrom(pod: Pod, container: Container, sources: EnvironmentSources, into: Map<string, string>): Promise<void> {
  const namespace = namespaceOf(pod);
  for (const from of container.envFrom ?? []) {
    let entries: [string, string][] = [];
    if (from.configMapRef !== undefined) {
      const map = await sources.configMap(namespace, from.configMapRef.name ?? "");
      if (map === undefined && from.configMapRef.optional !== true) throw new ContainerConfigError(`configmap "${from.configMapRef.name}" not found`);
      entries = Object.entries(map?.data ?? {});
    } else if (from.secretRef !== undefined) {
      const secret = await sources.secret(namespace, from.secretRef.name ?? "");
      if (secret === undefined && from.secretRef.optional !== true) throw new ContainerConfigError(`secret "${from.secretRef.name}" not found`);
      entries = Object.entries(secret?.data ?? {}).map(([key, value]) => [key, fromBase64(value)]);
    }
    for (const [key, value] of entries) {
      const name = `${from.prefix ?? ""}${key}`;
      if (VALID_NAME.test(name)) into.set(name, value);
    }
  }
}

async function valueOf(pod: Pod, container: Container, variable: EnvVar, sources: EnvironmentSources, context: DownwardContext, known: ReadonlyMap<string, string>): Promise<string | undefined> {
  const from = variable.valueFrom, namespace = namespaceOf(pod);
  if (from === undefined) return expand(variable.value ?? "", known);
  if (from.fieldRef !== undefined) return fieldValue(pod, from.fieldRef.fieldPath, context);
  if (from.resourceFieldRef !== undefined) return resourceValue(pod, from.resourceFieldRef, container, context);
  if (from.configMapKeyRef !== undefined) {
    const { name = "", key, optional } = from.configMapKeyRef, map = await sources.configMap(namespace, name);
    if (map === undefined) { if (optional === true) return undefined; throw new ContainerConfigError(`configmap "${name}" not found`); }
    const value = map.data?.[key];
    if (value === undefined && optional !== true) throw new ContainerConfigError(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`);
    return value;
  }
  if (from.secretKeyRef !== undefined) {
    const { name = "", key, optional } = from.secretKeyRef, secret = await sources.secret(namespace, name);
    if (secret === undefined) { if (optional === true) return undefined; throw new ContainerConfigError(`secret "${name}" not found`); }
    const value = secretText(secret, key);
    if (value === undefined && optional !== true) throw new ContainerConfigError(`couldn't find key ${key} in Secret ${namespace}/${name}`);
    return value;
  }
  throw new ContainerConfigError(`env variable ${variable.name}: this release cannot run valueFrom.${Object.keys(from)[0] ?? ""}`);
}

/** Builds the variables of `container`, in the order they are to be set. Throws ContainerConfigError. */
export async function buildEnvironment(pod: Pod, container: Container, sources: EnvironmentSources, context: DownwardContext): Promise<Map<string, string>> {
  const result = new Map<string, string>(), services = serviceVariables(sources.services(), namespaceOf(pod), pod.spec.enableServiceLinks ?? true);
  await addFrom(pod, container, sources, result);
  const known = new Map([...services, ...result]);
  for (const variable of container.env ?? []) {
    const value = await valueOf(pod, container, variable, sources, context, known);
    if (value === undefined) continue;
    result.set(variable.name, value);
    known.set(variable.name, value);
  }
  for (const [name, value] of services) if (!result.has(name)) result.set(name, value);
  return result;
}

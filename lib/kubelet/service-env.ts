/** Environment variables that tell a container where Services are. Pure. Counterpart: kubelet `envvars`. */
import type { Service } from "../api/schema/generated/models.ts";

const variableName = (text: string): string => text.toUpperCase().replaceAll("-", "_");

function variablesOf(service: Service): [string, string][] {
  const ip = service.spec.clusterIP!, prefix = variableName(service.metadata.name), ports = service.spec.ports ?? [];
  const host = ip.includes(":") ? `[${ip}]` : ip;
  const result: [string, string][] = [[`${prefix}_SERVICE_HOST`, ip], [`${prefix}_SERVICE_PORT`, String(ports[0]?.port ?? "")]];
  for (const port of ports) if (port.name !== undefined && port.name !== "") result.push([`${prefix}_SERVICE_PORT_${variableName(port.name)}`, String(port.port)]);
  ports.forEach((port, index) => {
    const protocol = (port.protocol ?? "TCP").toUpperCase(), url = `${protocol.toLowerCase()}://${host}:${port.port}`, base = `${prefix}_PORT_${port.port}_${protocol}`;
    if (index === 0) result.push([`${prefix}_PORT`, url]);
    result.push([base, url], [`${base}_PROTO`, protocol.toLowerCase()], [`${base}_PORT`, String(port.port)], [`${base}_ADDR`, ip]);
  });
  return result;
}

/** Variables for the Services a pod of `namespace` sees: with `enableLinks` those of its namespace, and the API server's always. */
export function serviceVariables(services: readonly Service[], namespace: string, enableLinks: boolean): Map<string, string> {
  const seen = new Map<string, Service>();
  for (const service of services) {
    const ip = service.spec.clusterIP;
    if (ip === undefined || ip === "" || ip === "None") continue;
    const isMaster = service.metadata.namespace === "default" && service.metadata.name === "kubernetes";
    if (service.metadata.namespace === namespace && (enableLinks || isMaster)) seen.set(service.metadata.name, service);
    else if (isMaster && !seen.has("kubernetes")) seen.set("kubernetes", service);
  }
  return new Map([...seen.values()].flatMap(variablesOf));
}

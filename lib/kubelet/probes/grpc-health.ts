/** The standard gRPC health check. Counterpart: `pkg/probe/grpc`; protocol: grpc.health.v1. */
import { Client, credentials, status, type ServiceError } from "@grpc/grpc-js";
import protobuf from "protobufjs";

const root = protobuf.Root.fromJSON({ nested: { Request: { fields: { service: { id: 1, type: "string" } } }, Response: { fields: { status: { id: 1, type: "int32" } } } } });
const request = root.lookupType("Request"), response = root.lookupType("Response");
const STATES = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

/** Resolves to undefined when the service serves, else to why not. */
export async function checkGrpcHealth(address: string, service: string, timeoutMs: number, signal: AbortSignal): Promise<string | undefined> {
  const client = new Client(address, credentials.createInsecure(), { "grpc.enable_retries": 0 });
  let cancel = (): void => {};
  try {
    const state = await new Promise<number>((resolve, reject) => {
      const call = client.makeUnaryRequest<string, number>("/grpc.health.v1.Health/Check",
        (value) => Buffer.from(request.encode(request.create({ service: value })).finish()), (bytes) => (response.decode(bytes).toJSON()["status"] as number | undefined) ?? 0,
        service, { deadline: Date.now() + timeoutMs }, (error, value) => { if (error === null) resolve(value!); else reject(error); });
      cancel = () => call.cancel();
      signal.addEventListener("abort", cancel, { once: true });
    });
    return state === 1 ? undefined : `service unhealthy (responded with "${STATES[state] ?? String(state)}")`;
  } catch (error) {
    const { code, details } = error as ServiceError;
    if (code === status.UNIMPLEMENTED) return `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${details}`;
    if (code === status.DEADLINE_EXCEEDED || code === status.UNAVAILABLE) return `timeout: failed to connect service "${address}" within ${timeoutMs / 1_000}s: ${details}`;
    return `error: health rpc probe failed: ${details}`;
  } finally {
    signal.removeEventListener("abort", cancel); // The signal outlives many probes.
    client.close();
  }
}

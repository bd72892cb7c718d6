/**
 * CriClient: the container runtime's CRI v1 services over its unix socket, one method a call, typed.
 *
 * Guarantees: every call has a deadline (an image pull ends by its signal only); a failure is a `CriError` with gRPC's code;
 * after the runtime restarts the next call reconnects (within a second), calls in flight fail with UNAVAILABLE and are the caller's to retry.
 * Counterpart: cri-client `remote_runtime.go` and `remote_image.go`.
 */
import { Client, credentials, Metadata, status, type ServiceError } from "@grpc/grpc-js";
import { decode, encode } from "./codec.ts";
import { CriError } from "./error.ts";
import type { CriInput, CriMessage, MessageName } from "./messages.ts";
import { methods, type MethodName } from "./methods.ts";

export interface CallOptions { deadlineMs?: number; signal?: AbortSignal }
type Request<N extends MethodName> = CriInput<(typeof methods)[N]["request"]>;
type Response<N extends MethodName> = CriMessage<(typeof methods)[N]["response"]>;

/** What users of the runtime depend on: narrow, so a fake is one function. */
export interface Cri {
  call<N extends MethodName>(method: N, request: Request<N>, options?: CallOptions): Promise<Response<N>>;
  /** CRI's container events; ends with UNIMPLEMENTED on runtimes without them (containerd before 1.7). */
  containerEvents(signal: AbortSignal): AsyncIterable<CriMessage<"ContainerEventResponse">>;
  /** containerd's own event stream, for runtimes whose CRI has none; ends with UNIMPLEMENTED on others. */
  containerdEvents(filters: readonly string[], signal: AbortSignal): AsyncIterable<CriMessage<"Envelope">>;
  close(): void;
}

const MESSAGE_MAX_BYTES = 16 * 1024 * 1024;

/** `unix:///run/x.sock`, `unix:/run/x.sock` or a bare path, as gRPC's target. Throws on anything that is no unix socket. */
export function socketTarget(endpoint: string): string {
  const path = endpoint.startsWith("unix://") ? endpoint.slice("unix://".length) : endpoint.startsWith("unix:") ? endpoint.slice("unix:".length) : endpoint;
  if (!path.startsWith("/")) throw new Error(`Cannot use container runtime endpoint ${JSON.stringify(endpoint)}: only unix sockets with an absolute path are supported`);
  return `unix:${path}`;
}

export class CriClient implements Cri {
  readonly #client: Client;

  constructor(endpoint: string) {
    this.#client = new Client(socketTarget(endpoint), credentials.createInsecure(), {
      "grpc.max_receive_message_length": MESSAGE_MAX_BYTES, "grpc.max_send_message_length": MESSAGE_MAX_BYTES,
      "grpc.initial_reconnect_backoff_ms": 100, "grpc.max_reconnect_backoff_ms": 1_000,
    });
  }

  call<N extends MethodName>(name: N, request: Request<N>, options: CallOptions = {}): Promise<Response<N>> {
    const method = methods[name], path = `/runtime.v1.${method.service}/${name}`;
    const deadlineMs = options.deadlineMs ?? method.deadlineMs;
    return new Promise((resolve, reject) => {
      options.signal?.throwIfAborted();
      const call = this.#client.makeUnaryRequest<Request<N>, Response<N>>(
        path, (value) => encode<MessageName>(method.request, value), (bytes) => decode<MessageName>(method.response, bytes) as Response<N>,
        request, new Metadata(), deadlineMs === Infinity ? {} : { deadline: Date.now() + deadlineMs },
        (error, response) => {
          options.signal?.removeEventListener("abort", onAbort);
          if (error === null) resolve(response!);
          else reject(options.signal?.aborted && error.code === status.CANCELLED ? (options.signal.reason as Error) : toCriError(name, error));
        });
      const onAbort = (): void => call.cancel();
      options.signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  containerEvents(signal: AbortSignal): AsyncIterable<CriMessage<"ContainerEventResponse">> {
    return this.#stream("/runtime.v1.RuntimeService/GetContainerEvents", "GetEventsRequest", {}, "ContainerEventResponse", signal);
  }

  containerdEvents(filters: readonly string[], signal: AbortSignal): AsyncIterable<CriMessage<"Envelope">> {
    return this.#stream("/containerd.services.events.v1.Events/Subscribe", "SubscribeRequest", { filters }, "Envelope", signal);
  }

  async *#stream<Q extends MessageName, R extends MessageName>(path: string, requestName: Q, request: CriInput<Q>, responseName: R, signal: AbortSignal): AsyncGenerator<CriMessage<R>> {
    signal.throwIfAborted();
    const call = this.#client.makeServerStreamRequest<CriInput<Q>, CriMessage<R>>(path, (value) => encode(requestName, value), (bytes) => decode(responseName, bytes), request);
    const onAbort = (): void => call.cancel();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      for await (const message of call) yield message as CriMessage<R>;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw toCriError(path, error as ServiceError);
    } finally {
      signal.removeEventListener("abort", onAbort);
      call.cancel();
    }
  }

  close(): void { this.#client.close(); }
}

function toCriError(method: string, error: ServiceError): CriError {
  return new CriError(method, error.code ?? status.UNKNOWN, error.details ?? error.message, error);
}

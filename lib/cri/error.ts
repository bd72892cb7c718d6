/** CriError: a failed call to the container runtime, with gRPC's code. Match by `code`, never by text. */
import { status } from "@grpc/grpc-js";

export class CriError extends Error {
  override readonly name = "CriError";
  readonly code: status;
  /** The runtime's own words, without gRPC's prefix. */
  readonly details: string;
  constructor(method: string, code: status, details: string, cause?: unknown) {
    // Upstream shows a runtime's error in Go's form; users search for it, so the message keeps it.
    super(`rpc error: code = ${goCodeName(code)} desc = ${details}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
    this.method = method;
  }
  readonly method: string;
}

/** `NOT_FOUND` is `NotFound` in Go's texts. */
function goCodeName(code: status): string {
  const name = status[code] ?? "UNKNOWN";
  return name === "OK" ? "OK" : name === "CANCELLED" ? "Canceled" : name.split("_").map((word) => word[0] + word.slice(1).toLowerCase()).join("");
}

export { status as CriCode };
export const isCriCode = (error: unknown, ...codes: status[]): error is CriError => error instanceof CriError && codes.includes(error.code);

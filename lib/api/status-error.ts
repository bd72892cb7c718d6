/**
 * StatusError: an API outcome as an exception, the same on both sides of the wire.
 * Counterpart: apimachinery `api/errors`. Match by reason, never by text.
 */
export interface StatusCause { reason?: string; message?: string; field?: string }
export interface StatusDetails { name?: string; group?: string; kind?: string; uid?: string; causes?: StatusCause[]; retryAfterSeconds?: number }
/** The body of a failed (or `Success`) answer. */
export interface Status {
  kind: "Status"; apiVersion: "v1"; metadata: { continue?: string; remainingItemCount?: number };
  status: "Failure" | "Success"; message?: string; reason?: string; details?: StatusDetails; code?: number;
}

export const REASON_CODES = {
  BadRequest: 400, Invalid: 422, Unauthorized: 401, Forbidden: 403, NotFound: 404, MethodNotAllowed: 405, NotAcceptable: 406,
  AlreadyExists: 409, Conflict: 409, Gone: 410, Expired: 410, RequestEntityTooLarge: 413, UnsupportedMediaType: 415,
  TooManyRequests: 429, InternalError: 500, ServiceUnavailable: 503, Timeout: 504, ServerTimeout: 500,
} as const;
export type Reason = keyof typeof REASON_CODES;

export class StatusError extends Error {
  override readonly name = "StatusError";
  /** One of REASON_CODES, or "" where upstream sends none. */
  readonly reason: string;
  readonly code: number;
  readonly details: StatusDetails | undefined;
  constructor(reason: Reason | (string & {}), message: string, options: { code?: number; details?: StatusDetails; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.code = options.code ?? (REASON_CODES as Record<string, number>)[reason] ?? 500;
    this.details = options.details;
  }
  toStatus(): Status {
    return {
      kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message: this.message,
      ...(this.reason === "" ? {} : { reason: this.reason }), ...(this.details === undefined ? {} : { details: this.details }), code: this.code,
    };
  }
  static fromStatus(status: Partial<Status>, httpCode: number): StatusError {
    return new StatusError(status.reason ?? "", status.message ?? `the server answered ${httpCode}`, { code: status.code ?? httpCode, ...(status.details === undefined ? {} : { details: status.details }) });
  }
}

export const hasReason = (error: unknown, ...reasons: Reason[]): error is StatusError => error instanceof StatusError && (reasons as string[]).includes(error.reason);

interface Named { group: string; plural: string }
const details = (resource: Named, name: string): StatusDetails => ({ name, ...(resource.group === "" ? {} : { group: resource.group }), kind: resource.plural });
const qualified = (resource: Named): string => (resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`);

export const notFound = (resource: Named, name: string): StatusError =>
  new StatusError("NotFound", `${qualified(resource)} ${JSON.stringify(name)} not found`, { details: details(resource, name) });
export const alreadyExists = (resource: Named, name: string): StatusError =>
  new StatusError("AlreadyExists", `${qualified(resource)} ${JSON.stringify(name)} already exists`, { details: details(resource, name) });
/** Every name the server made up for an object was taken. Source: apimachinery `errors.NewGenerateNameConflict`. */
export const noFreeName = (resource: Named, name: string): StatusError =>
  new StatusError("AlreadyExists", `${qualified(resource)} ${JSON.stringify(name)} already exists, the server was not able to generate a unique name for the object`, { details: { ...details(resource, name), retryAfterSeconds: 1 } });
export const conflict = (resource: Named, name: string, why: string): StatusError =>
  new StatusError("Conflict", `Operation cannot be fulfilled on ${qualified(resource)} ${JSON.stringify(name)}: ${why}`, { details: details(resource, name) });
export const forbidden = (resource: Named, name: string, why: string): StatusError =>
  new StatusError("Forbidden", `${qualified(resource)}${name === "" ? "" : ` ${JSON.stringify(name)}`} is forbidden: ${why}`, { details: details(resource, name) });
export const badRequest = (message: string): StatusError => new StatusError("BadRequest", message);

import { StatusError } from "../../api/status-error.ts";

/** The path exists, this method on it does not. */
export const methodNotAllowed = (): StatusError => new StatusError("MethodNotAllowed", "the server does not allow this method on the requested resource", { details: {} });

/** The 401 every authenticator throws for bad credentials: the client learns no more than that, `cause` is for the log. */
import { StatusError } from "../../api/status-error.ts";

export const unauthorized = (cause: unknown): StatusError => new StatusError("Unauthorized", "Unauthorized", { cause });

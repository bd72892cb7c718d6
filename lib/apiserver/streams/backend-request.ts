/** A plain request to a kubelet, pod or service, its failures as StatusErrors. Counterpart: apiserver `registry/generic/rest`. */
import http, { type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import https from "node:https";
import { isIP } from "node:net";
import type { Readable } from "node:stream";
import { badRequest, StatusError } from "../../api/status-error.ts";
import type { TlsOptions } from "./kubelet-connection.ts";

const BODY_MAX_BYTES = 50_000, CONNECT_TIMEOUT_MS = 30_000;

export interface BackendRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: Readable;
  readonly tls?: TlsOptions;
  readonly signal: AbortSignal;
}

/** The backend is held to its own name: without this Node takes the one of the Host header, which is the client's word for us. */
export const tlsTo = ({ hostname }: URL, tls: TlsOptions | undefined): TlsOptions & { servername: string } => ({ ...tls, servername: hostname.startsWith("[") || isIP(hostname) !== 0 ? "" : hostname });

/** Resolves with the head of the answer; its body is the message. Rejects with the plain error of the connection. */
export function requestBackend(request: BackendRequest): Promise<IncomingMessage> {
  const { url, method, headers, body, tls, signal } = request;
  return new Promise((resolve, reject) => {
    const options = { method, headers, agent: false, signal };
    const sent = url.protocol === "https:" ? https.request(url, { ...options, ...tlsTo(url, tls) }) : http.request(url, options);
    limitDial(sent, url);
    sent.on("error", reject);
    sent.on("response", resolve);
    if (body === undefined) sent.end();
    else body.on("error", () => sent.destroy()).pipe(sent);
  });
}

/** A host that was cut off answers nothing at all: the kernel would try for two minutes. */
export function limitDial(sent: ClientRequest, url: URL): void {
  const late = setTimeout(() => sent.destroy(new Error(`dial tcp ${url.host}: i/o timeout`)), CONNECT_TIMEOUT_MS);
  sent.on("socket", (socket) => socket.once(url.protocol === "https:" ? "secureConnect" : "connect", () => { clearTimeout(late); socket.setNoDelay(true); }));
  sent.on("close", () => clearTimeout(late));
}

/** What went wrong on the way, in the words Go uses for it. */
export function dialError(error: unknown, url: URL): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const words: Record<string, string> = { ECONNREFUSED: "connect: connection refused", EHOSTUNREACH: "connect: no route to host", ENETUNREACH: "connect: network is unreachable", ETIMEDOUT: "i/o timeout", ENOTFOUND: "no such host" };
  return code !== undefined && words[code] !== undefined ? `dial tcp ${url.host}: ${words[code]}` : message;
}

/** Reads a small body as text. */
export async function readText(message: Readable): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of message) {
    parts.push(part as Buffer);
    size += (part as Buffer).length;
    if (size >= BODY_MAX_BYTES) break;
  }
  return Buffer.concat(parts).subarray(0, BODY_MAX_BYTES).toString("utf8");
}

/** The StatusError for a backend's refusal. */
export function backendError(status: number, text: string, resource: string, name: string): StatusError {
  if (status === 400) return badRequest(text);
  if (status === 500) return new StatusError("InternalError", `Internal error occurred: ${text}`, { details: { causes: [{ message: text }] } });
  const reasons: Record<number, [reason: string, message: string]> = {
    401: ["Unauthorized", "the server has asked for the client to provide credentials"], 403: ["Forbidden", "access denied"], 404: ["NotFound", "the server could not find the requested resource"],
    405: ["MethodNotAllowed", "the server does not allow this method on the requested resource"], 422: ["Invalid", "the server rejected our request due to an error in our request"],
    429: ["TooManyRequests", "the server has received too many requests and has asked us to try again later"], 503: ["ServiceUnavailable", "the server is currently unable to handle the request"],
    504: ["Timeout", "the server was unable to return a response in the time allotted, but may still be processing the request"],
  };
  const [reason, message] = reasons[status] ?? (status >= 500 ? ["InternalError", `an error on the server (${JSON.stringify(text)}) has prevented the request from succeeding`] : ["", `the server responded with the status code ${status} but did not return more information`]);
  return new StatusError(reason, `${message} ( ${resource} ${name})`, { code: status, details: { name, kind: resource, causes: [{ reason: "UnexpectedServerResponse", message: text }] } });
}

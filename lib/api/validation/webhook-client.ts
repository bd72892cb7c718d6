/** Where a webhook is called: a URL, or a service. Counterpart: apiserver `util/webhook/validation.go`. */
import { invalid, required } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import type { Errors } from "./checks.ts";
import { isDns1123Subdomain, isValidPortNum } from "./names.ts";

export interface WebhookService { readonly name?: string | undefined; readonly namespace?: string | undefined; readonly path?: string | undefined; readonly port?: number | undefined }
export interface WebhookClient { readonly url?: string | undefined; readonly service?: WebhookService | undefined }

const FORM = "; desired format: https://host[/path]";
/** Scheme, authority, path, query, fragment: RFC 3986, appendix B. */
const urlRegexp = /^(?:([^:/?#]+):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;

export function checkWebhookClient(errors: Errors, path: FieldPath, client: WebhookClient | undefined): void {
  const { url, service } = client ?? {};
  if ((url === undefined) === (service === undefined)) errors.push(required(path, "exactly one of url or service is required"));
  else if (url !== undefined) checkUrl(errors, path.child("url"), url);
  else checkWebhookService(errors, path.child("service"), service!);
}

function checkUrl(errors: Errors, path: FieldPath, url: string): void {
  const [, scheme = "", authority = "", , query = "", fragment = ""] = urlRegexp.exec(url) ?? [];
  const at = authority.lastIndexOf("@"), host = authority.slice(at + 1);
  if (scheme.toLowerCase() !== "https") errors.push(invalid(path, scheme.toLowerCase(), `'https' is the only allowed URL scheme${FORM}`));
  if (host === "") errors.push(invalid(path, host, `host must be specified${FORM}`));
  if (at >= 0) errors.push(invalid(path, authority.slice(0, at), "user information is not permitted in the URL"));
  if (fragment !== "") errors.push(invalid(path, fragment, "fragments are not permitted in the URL"));
  if (query !== "") errors.push(invalid(path, query, "query parameters are not permitted in the URL"));
}

export function checkWebhookService(errors: Errors, path: FieldPath, { name = "", namespace = "", path: urlPath = "", port = 0 }: WebhookService): void {
  if (name === "") errors.push(required(path.child("name"), "service name is required"));
  if (namespace === "") errors.push(required(path.child("namespace"), "service namespace is required"));
  const portFaults = isValidPortNum(port);
  if (portFaults.length > 0) errors.push(invalid(path.child("port"), port, `port is not valid: ${portFaults.join(", ")}`));
  if (urlPath === "" || urlPath === "/") return;
  if (!urlPath.startsWith("/")) errors.push(invalid(path.child("path"), urlPath, "must start with a '/'"));
  const steps = urlPath.slice(1).replace(/\/$/, "").split("/");
  steps.forEach((step, i) => {
    if (step === "") errors.push(invalid(path.child("path"), urlPath, `segment[${i}] may not be empty`));
    else for (const fault of isDns1123Subdomain(step)) errors.push(invalid(path.child("path"), urlPath, `segment[${i}]: ${fault}`));
  });
}

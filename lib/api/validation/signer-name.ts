/** Names of signers: `example.com/some-signer`. Counterpart: `ValidateSignerName` in kubernetes `apis/core/validation`. */
import { invalid, required, tooLong } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import type { Errors } from "./checks.ts";
import { DNS_SUBDOMAIN_MAX, byteLength, isDns1123Label, isDns1123Subdomain } from "./names.ts";

/** A namespace and a name, or a name, fit into the path. */
const SIGNER_NAME_MAX = DNS_SUBDOMAIN_MAX + 1 + 2 * DNS_SUBDOMAIN_MAX + 1;

export function checkSignerName(errors: Errors, path: FieldPath, name: string): void {
  const [domain = "", signer, ...more] = name.split("/");
  if (name === "") errors.push(required(path));
  if (signer === undefined || more.length > 0) {
    errors.push(invalid(path, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'"));
    return;
  }
  const labels = domain.split(".");
  if (byteLength(domain) > DNS_SUBDOMAIN_MAX) errors.push(tooLong(path, DNS_SUBDOMAIN_MAX));
  checkParts(errors, path, domain, labels, isDns1123Label);
  if (labels.length < 2) errors.push(invalid(path, domain, "should be a domain with at least two segments separated by dots"));
  checkParts(errors, path, signer, signer.split("."), isDns1123Subdomain);
  if (byteLength(name) > SIGNER_NAME_MAX) errors.push(tooLong(path, SIGNER_NAME_MAX));
}

/** Tells the faults of the first part that has any. */
function checkParts(errors: Errors, path: FieldPath, whole: string, parts: readonly string[], check: (part: string) => readonly string[]): void {
  for (const part of parts) {
    const faults = check(part);
    for (const fault of faults) errors.push(invalid(path, whole, `validating label ${JSON.stringify(part)}: ${fault}`));
    if (faults.length > 0) return;
  }
}

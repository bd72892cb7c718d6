/**
 * The syntaxes names are held to: label keys and values, DNS labels and subdomains. Each check returns
 * upstream's messages, none when the value is fine.
 * Counterpart: apimachinery `api/validate/content`.
 */
const DNS_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const DNS_SUBDOMAIN = `${DNS_LABEL}(\\.${DNS_LABEL})*`;
const LABEL_KEY = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_VALUE = `(${LABEL_KEY})?`;

// Linear-time readings of the same languages: the texts above are what users are shown.
const dnsLabel = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const labelKey = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const isSubdomain = (value: string): boolean => value.length <= 4_096 && value.split(".").every((part) => dnsLabel.test(part));

/** "… (e.g. 'a',  or 'b', regex used for validation is '…')": the commas are upstream's. */
export function regexError(message: string, regex: string, ...examples: string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${regex}')`;
  return `${message} (e.g. ${examples.map((example) => `'${example}', `).join(" or ")}regex used for validation is '${regex}')`;
}
export const maxLengthError = (length: number): string => `must be no more than ${length} bytes`;
const byteLength = (value: string): number => Buffer.byteLength(value);

/** RFC 1123 label: `web-1`. */
export function checkDnsLabel(value: string): string[] {
  const errors = byteLength(value) > 63 ? [maxLengthError(63)] : [];
  if (value.length <= 4_096 && dnsLabel.test(value)) return errors;
  if (isSubdomain(value)) return [...errors, "must not contain dots"];
  const message = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
  return [...errors, regexError(message, DNS_LABEL, "my-name", "123-abc")];
}

/** RFC 1123 subdomain: `web-1.example.com`. */
export function checkDnsSubdomain(value: string): string[] {
  const errors = byteLength(value) > 253 ? [maxLengthError(253)] : [];
  if (isSubdomain(value)) return errors;
  const message = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
  return [...errors, regexError(message, DNS_SUBDOMAIN, "example.com")];
}

const KEY_MESSAGE = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

/** Label key, also called qualified name: `[example.com/]name`. */
export function checkLabelKey(value: string): string[] {
  const parts = value.split("/"), errors: string[] = [];
  if (parts.length > 2) {
    return [`a valid label key ${regexError(KEY_MESSAGE, LABEL_KEY, "MyName", "my.name", "123-abc")} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const name = parts.at(-1)!;
  if (parts.length === 2) {
    if (parts[0] === "") errors.push("prefix part must be non-empty");
    else errors.push(...checkDnsSubdomain(parts[0]!).map((message) => `prefix part ${message}`));
  }
  if (name === "") errors.push("name part must be non-empty");
  else if (byteLength(name) > 63) errors.push(`name part ${maxLengthError(63)}`);
  if (!labelKey.test(name)) errors.push(`name part ${regexError(KEY_MESSAGE, LABEL_KEY, "MyName", "my.name", "123-abc")}`);
  return errors;
}

/** Label value: empty, or at most 63 characters. */
export function checkLabelValue(value: string): string[] {
  const errors = byteLength(value) > 63 ? [maxLengthError(63)] : [];
  if (value === "" || labelKey.test(value)) return errors;
  const message = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  return [...errors, regexError(message, LABEL_VALUE, "MyValue", "my_value", "12345")];
}

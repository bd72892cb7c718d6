/**
 * Formats of names and short strings: DNS labels and subdomains, label keys and values, port and variable names.
 * Each check returns the faults in upstream's words; the shared empty list when there is none, so a good value allocates nothing.
 * Counterpart: apimachinery `util/validation` and `api/validate/content`. Its two packages differ in one word ("characters", "bytes"); so do we.
 */
export const NONE: readonly string[] = Object.freeze([]);

export const DNS_LABEL_MAX = 63;
export const DNS_SUBDOMAIN_MAX = 253;

const maxCharacters = (length: number): string => `must be no more than ${length} characters`;
const maxBytes = (length: number): string => `must be no more than ${length} bytes`;
/** Length in bytes, as Go's `len` counts it; ASCII is the common case. */
export function byteLength(value: string): number {
  return Buffer.byteLength(value);
}

/** Upstream's explanation of a failed pattern, with examples of what passes. */
export function regexError(message: string, pattern: string, ...examples: readonly string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${pattern}')`;
  return `${message} (e.g. ${examples.map((e) => `'${e}', `).join(" or ")}regex used for validation is '${pattern}')`;
}
export const inclusiveRangeError = (low: number, high: number): string => `must be between ${low} and ${high}, inclusive`;

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const LABEL_UNDERSCORE = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const SUBDOMAIN_UNDERSCORE = `${LABEL_UNDERSCORE}(\\.${LABEL_UNDERSCORE})*`;
const LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const WILDCARD = `\\*\\.${SUBDOMAIN}`;
const labelRegexp = new RegExp(`^${LABEL}$`);
const subdomainRegexp = new RegExp(`^${SUBDOMAIN}$`);
const subdomainCaselessRegexp = new RegExp(`^${SUBDOMAIN}$`, "i");
const subdomainUnderscoreRegexp = new RegExp(`^${SUBDOMAIN_UNDERSCORE}$`);
const label1035Regexp = new RegExp(`^${LABEL_1035}$`);
const wildcardRegexp = new RegExp(`^${WILDCARD}$`);

/** A DNS label of RFC 1123: at most 63 of a-z, 0-9 and `-`. */
export function isDns1123Label(value: string): readonly string[] {
  if (value.length <= DNS_LABEL_MAX && labelRegexp.test(value)) return NONE;
  const faults: string[] = [];
  if (byteLength(value) > DNS_LABEL_MAX) faults.push(maxCharacters(DNS_LABEL_MAX));
  if (labelRegexp.test(value)) return faults;
  if (subdomainRegexp.test(value)) faults.push("must not contain dots");
  else faults.push(regexError("a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character", LABEL, "my-name", "123-abc"));
  return faults;
}

const SUBDOMAIN_MESSAGE = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
/** A DNS subdomain of RFC 1123: labels joined by dots, at most 253 bytes. */
export function isDns1123Subdomain(value: string): readonly string[] {
  if (value.length <= DNS_SUBDOMAIN_MAX && subdomainRegexp.test(value)) return NONE;
  return subdomainFaults(value, subdomainRegexp, SUBDOMAIN_MESSAGE, SUBDOMAIN, "example.com", maxCharacters);
}

/** As `isDns1123Subdomain`, upper case allowed: driver names. */
export function isDns1123SubdomainCaseless(value: string): readonly string[] {
  if (value.length <= DNS_SUBDOMAIN_MAX && subdomainCaselessRegexp.test(value)) return NONE;
  return subdomainFaults(value, subdomainCaselessRegexp, "an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character", SUBDOMAIN, "Example.com", maxBytes);
}

/** As `isDns1123Subdomain`, underscores allowed: DNS search paths. */
export function isDns1123SubdomainWithUnderscore(value: string): readonly string[] {
  if (value.length <= DNS_SUBDOMAIN_MAX && subdomainUnderscoreRegexp.test(value)) return NONE;
  return subdomainFaults(value, subdomainUnderscoreRegexp, "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character", SUBDOMAIN_UNDERSCORE, "example.com", maxCharacters);
}

function subdomainFaults(value: string, regexp: RegExp, message: string, pattern: string, example: string, max: (length: number) => string): readonly string[] {
  const faults: string[] = [];
  if (byteLength(value) > DNS_SUBDOMAIN_MAX) faults.push(max(DNS_SUBDOMAIN_MAX));
  if (!regexp.test(value)) faults.push(regexError(message, pattern, example));
  return faults;
}

/** `*.` and a subdomain: hosts of an Ingress. */
export function isWildcardDns1123Subdomain(value: string): readonly string[] {
  return subdomainFaults(value, wildcardRegexp, "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character", WILDCARD, "*.example.com", maxCharacters);
}

/** A DNS label of RFC 1035: starts with a letter. */
export function isDns1035Label(value: string): readonly string[] {
  if (value.length <= DNS_LABEL_MAX && label1035Regexp.test(value)) return NONE;
  const faults: string[] = [];
  if (byteLength(value) > DNS_LABEL_MAX) faults.push(maxCharacters(DNS_LABEL_MAX));
  if (!label1035Regexp.test(value)) faults.push(regexError("a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character", LABEL_1035, "my-name", "abc-123"));
  return faults;
}

const KEY_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const keyNameRegexp = new RegExp(`^${KEY_NAME}$`), prefixedKeyRegexp = new RegExp(`^${SUBDOMAIN}/${KEY_NAME}$`);
const KEY_MESSAGE = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const labelValueRegexp = new RegExp(`^(${KEY_NAME})?$`);

/** A label key (upstream's "qualified name"): an optional DNS prefix and `/`, then a name. */
export function isLabelKey(value: string): readonly string[] {
  const slash = value.indexOf("/");
  if (slash < 0 ? value.length <= DNS_LABEL_MAX && keyNameRegexp.test(value)
    : slash <= DNS_SUBDOMAIN_MAX && value.length - slash - 1 <= DNS_LABEL_MAX && prefixedKeyRegexp.test(value)) return NONE;
  const keyError = regexError(KEY_MESSAGE, KEY_NAME, "MyName", "my.name", "123-abc");
  const parts = value.split("/");
  if (parts.length > 2) return [`a valid label key ${keyError} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  const faults: string[] = [];
  const name = parts.at(-1)!;
  if (parts.length === 2) {
    if (parts[0] === "") faults.push("prefix part must be non-empty");
    else for (const fault of subdomainFaults(parts[0]!, subdomainRegexp, SUBDOMAIN_MESSAGE, SUBDOMAIN, "example.com", maxBytes)) faults.push(`prefix part ${fault}`);
  }
  if (name === "") faults.push("name part must be non-empty");
  else if (byteLength(name) > DNS_LABEL_MAX) faults.push(`name part ${maxBytes(DNS_LABEL_MAX)}`);
  if (!keyNameRegexp.test(name)) faults.push(`name part ${keyError}`);
  return faults.length === 0 ? NONE : faults;
}

/** Upstream's other name for a label key, used for resources, finalizers, conditions. */
export const isQualifiedName = isLabelKey;

/** A label value: empty, or at most 63 of letters, digits, `-`, `_` and `.`. */
export function isLabelValue(value: string): readonly string[] {
  if (value.length <= DNS_LABEL_MAX && labelValueRegexp.test(value)) return NONE;
  const faults: string[] = [];
  if (byteLength(value) > DNS_LABEL_MAX) faults.push(maxBytes(DNS_LABEL_MAX));
  if (!labelValueRegexp.test(value)) faults.push(regexError("a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character", `(${KEY_NAME})?`, "MyValue", "my_value", "12345"));
  return faults;
}

const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const httpPathRegexp = new RegExp(`^${HTTP_PATH}$`);
/** What may follow the host in a domain-prefixed path: `acme.io/foo`. */
export const isHttpPath = (value: string): readonly string[] => (httpPathRegexp.test(value) ? NONE : [regexError("Invalid path", HTTP_PATH)]);

const portCharsetRegexp = /^[-a-z0-9]+$/;
/** A port's name: at most 15 of a-z, 0-9 and single inner hyphens, with a letter. */
export function isValidPortName(port: string): readonly string[] {
  const faults: string[] = [];
  if (byteLength(port) > 15) faults.push(maxCharacters(15));
  if (!portCharsetRegexp.test(port)) faults.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  if (!/[a-z]/.test(port)) faults.push("must contain at least one letter (a-z)");
  if (port.includes("--")) faults.push("must not contain consecutive hyphens");
  if (port.startsWith("-") || port.endsWith("-")) faults.push("must not begin or end with a hyphen");
  return faults.length === 0 ? NONE : faults;
}

export const isValidPortNum = (port: number): readonly string[] => isInRange(port, 1, 65535);
export const isInRange = (value: number, low: number, high: number): readonly string[] => (value >= low && value <= high ? NONE : [inclusiveRangeError(low, high)]);
/** User and group ids fit in 31 bits. */
export const isValidUserId = (id: number): readonly string[] => isInRange(id, 0, 2_147_483_647);

const percentRegexp = /^[0-9]+%$/;
export const isValidPercent = (value: string): readonly string[] =>
  percentRegexp.test(value) ? NONE : [regexError("a valid percent string must be a numeric string followed by an ending '%'", "[0-9]+%", "1%", "93%")];

const headerRegexp = /^[-A-Za-z0-9]+$/;
export const isHttpHeaderName = (value: string): readonly string[] =>
  headerRegexp.test(value) ? NONE : [regexError("a valid HTTP header must consist of alphanumeric characters or '-'", "[-A-Za-z0-9]+", "X-Header-Name")];

const identifierRegexp = /^[A-Za-z_][A-Za-z0-9_]*$/;
export const isCIdentifier = (value: string): readonly string[] =>
  identifierRegexp.test(value) ? NONE : [regexError("a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'", "[A-Za-z_][A-Za-z0-9_]*", "my_name", "MY_NAME", "MyName")];

const printableNoEquals = /^[\x20-\x3c\x3e-\x7e]+$/;
/** A variable's name as 1.34 and later take it: printable ASCII other than `=`. */
export function isEnvVarName(value: string): readonly string[] {
  if (printableNoEquals.test(value)) return NONE;
  return value === "" ? ["environment variable name must be non-empty"] : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

const configKeyRegexp = /^[-._a-zA-Z0-9]+$/;
/** A key of a ConfigMap or Secret: also a file name. */
export function isConfigMapKey(value: string): readonly string[] {
  if (value.length <= DNS_SUBDOMAIN_MAX && configKeyRegexp.test(value) && !value.startsWith(".")) return NONE;
  const faults: string[] = [];
  if (byteLength(value) > DNS_SUBDOMAIN_MAX) faults.push(maxCharacters(DNS_SUBDOMAIN_MAX));
  if (!configKeyRegexp.test(value)) faults.push(regexError("a valid config key must consist of alphanumeric characters, '-', '_' or '.'", "[-._a-zA-Z0-9]+", "key.name", "KEY_NAME", "key-name"));
  if (value === ".") faults.push("must not be '.'");
  else if (value === "..") faults.push("must not be '..'");
  else if (value.startsWith("..")) faults.push("must not start with '..'");
  return faults.length === 0 ? NONE : faults;
}

/** A name that can be one segment of a URL path. */
export function isPathSegmentName(name: string): readonly string[] {
  if (name === "." || name === "..") return [`may not be '${name}'`];
  return isPathSegmentPrefix(name);
}
function isPathSegmentPrefix(name: string): readonly string[] {
  const faults = ["/", "%"].filter((illegal) => name.includes(illegal)).map((illegal) => `may not contain '${illegal}'`);
  return faults.length === 0 ? NONE : faults;
}

/** How `metadata.name` of a kind is checked; `prefix`: the value is a generateName. */
export type NameValidator = (name: string, prefix: boolean) => readonly string[];

/** Upstream drops two characters here and so do we: a generated suffix follows, only the format matters. */
const maskTrailingDash = (name: string): string => (name.length > 1 && name.endsWith("-") ? `${name.slice(0, -2)}a` : name);
export const nameIsDnsSubdomain: NameValidator = (name, prefix) => isDns1123Subdomain(prefix ? maskTrailingDash(name) : name);
export const nameIsDnsLabel: NameValidator = (name, prefix) => isDns1123Label(prefix ? maskTrailingDash(name) : name);
export const nameIsDns1035Label: NameValidator = (name, prefix) => isDns1035Label(prefix ? maskTrailingDash(name) : name);
export const nameIsPathSegment: NameValidator = (name, prefix) => (prefix ? isPathSegmentPrefix(name) : isPathSegmentName(name));

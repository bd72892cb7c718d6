/** Reading of image references. Counterpart: kubernetes `util/parsers`. */

/** The tag of `registry:5000/name:tag@digest`; "latest" when it has neither tag nor digest, "" when it is no reference. */
export function imageTag(image: string): string {
  if (!/^[A-Za-z0-9][\w.:/@+-]*$/.test(image)) return "";
  const at = image.indexOf("@"), named = at < 0 ? image : image.slice(0, at);
  const colon = named.indexOf(":", named.lastIndexOf("/") + 1);
  if (/[A-Z]/.test(repositoryOf(colon < 0 ? named : named.slice(0, colon)))) return "";
  if (colon >= 0) return named.slice(colon + 1);
  return at < 0 ? "latest" : "";
}

/** What follows the registry's host; only that must be lower case. */
function repositoryOf(name: string): string {
  const slash = name.indexOf("/"), first = name.slice(0, slash);
  return slash > 0 && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase()) ? name.slice(slash + 1) : name;
}

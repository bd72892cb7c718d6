/** Names of images: default tag, full name. Pure. Counterpart: distribution `reference` as the kubelet uses it. */
const REFERENCE = /^(?:(?<host>[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d+)?|\[[0-9a-fA-F:]+\](?::\d+)?)\/)?(?<path>[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)(?::(?<tag>\w[\w.-]{0,127}))?(?:@(?<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$/;

/** The image with `:latest` added where it names neither tag nor digest. Throws with upstream's words on what is no reference. */
export function withDefaultTag(image: string): string {
  const match = REFERENCE.exec(image);
  if (match === null) throw new Error(`couldn't parse image name ${JSON.stringify(image)}: ${whyInvalid(image)}`);
  return match.groups!["tag"] === undefined && match.groups!["digest"] === undefined ? `${image}:latest` : image;
}

/** Whether the part before the first slash is a host: it looks like one, or could be no path for its capitals. */
const isHost = (first: string): boolean => /[.:A-Z]/.test(first) || first === "localhost";

function whyInvalid(image: string): string {
  const slash = image.indexOf("/"), named = slash >= 0 && isHost(image.slice(0, slash));
  const rest = (named ? image.slice(slash + 1) : image).replace(/[:@].*$/s, ""), remote = named || rest.includes("/") ? rest : `library/${rest}`;
  return /[A-Z]/.test(remote) ? `invalid reference format: repository name (${remote}) must be lowercase` : "invalid reference format";
}

/** The registry host an image is pulled from. */
export function registryOf(image: string): string {
  const host = REFERENCE.exec(image)?.groups?.["host"];
  return host === undefined || !isHost(host) ? "docker.io" : host;
}

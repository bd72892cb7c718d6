/** Which credentials of a pod's pull secrets fit an image. Pure. Counterpart: `pkg/credentialprovider`. */
import type { Secret } from "../api/schema/generated/models.ts";
import type { CriInput } from "../cri/messages.ts";
import { registryOf } from "./image-name.ts";

interface DockerAuth { username?: string; password?: string; auth?: string; identitytoken?: string; registrytoken?: string }

const DOCKER_HUB = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

function entriesOf(secret: Secret): [string, DockerAuth][] {
  const encoded = secret.data?.[".dockerconfigjson"] ?? secret.data?.[".dockercfg"];
  if (encoded === undefined) return [];
  try {
    const parsed = JSON.parse(Buffer.from(encoded, "base64").toString("utf8")) as { auths?: Record<string, DockerAuth> } & Record<string, DockerAuth>;
    return Object.entries(secret.data?.[".dockerconfigjson"] === undefined ? parsed : parsed.auths ?? {});
  } catch { return []; }
}

function matches(key: string, image: string): boolean {
  const bare = key.replace(/^https?:\/\//, "").replace(/\/v[12]\/?$/, "").replace(/\/$/, "");
  const [host = "", ...rest] = bare.split("/"), registry = registryOf(image);
  if (DOCKER_HUB.has(host) ? !DOCKER_HUB.has(registry) : !globMatches(host, registry)) return false;
  if (rest.length === 0) return true;
  const name = image.startsWith(`${registry}/`) ? image.slice(registry.length + 1) : image, path = rest.join("/");
  return name === path || name.startsWith(`${path}/`) || name.startsWith(`${path}:`) || name.startsWith(`${path}@`);
}

function globMatches(pattern: string, host: string): boolean {
  const wanted = pattern.split("."), given = host.split(".");
  return wanted.length === given.length && wanted.every((part, index) => part === "*" || part === given[index] || (part.startsWith("*") && given[index]!.endsWith(part.slice(1))));
}

function toAuth(auth: DockerAuth): CriInput<"AuthConfig"> {
  const [user, ...rest] = auth.auth === undefined ? [] : Buffer.from(auth.auth, "base64").toString("utf8").split(":");
  return {
    username: auth.username ?? user ?? "", password: auth.password ?? rest.join(":"),
    ...(auth.identitytoken === undefined ? {} : { identityToken: auth.identitytoken }), ...(auth.registrytoken === undefined ? {} : { registryToken: auth.registrytoken }),
  };
}

/** Credentials to try for `image`, most specific first; empty means pull without. */
export function credentialsFor(image: string, secrets: readonly Secret[]): CriInput<"AuthConfig">[] {
  return secrets.flatMap(entriesOf).filter(([key]) => matches(key, image)).sort(([a], [b]) => b.length - a.length).map(([, auth]) => toAuth(auth));
}

/**
 * The files of configMap, secret, downwardAPI and projected volumes.
 * Counterpart: kubelet `volume/configmap`, `volume/secret`, `volume/downwardapi`, `volume/projected`; the messages are upstream's.
 */
import type { ConfigMap, DownwardAPIVolumeFile, KeyToPath, Pod, ProjectedVolumeSource, Secret, Volume, VolumeProjection } from "../../api/schema/generated/models.ts";
import { fieldValue, resourceValue, type DownwardContext } from "../downward.ts";
import type { ObjectReader } from "../environment.ts";
import { namespaceOf } from "../pod-facts.ts";
import type { Payload, PayloadFile } from "./atomic-writer.ts";

export interface TokenSource { token(pod: Pod, audience: string | undefined, expirationSeconds: number): Promise<string> }
export interface PayloadSources extends ObjectReader, TokenSource {}

const DEFAULT_MODE = 0o644, TOKEN_EXPIRATION_SECONDS = 3_600;
type Data = Record<string, Buffer>;

const configMapData = (map: ConfigMap): Data => ({
  ...Object.fromEntries(Object.entries(map.data ?? {}).map(([key, value]) => [key, Buffer.from(value)])),
  ...Object.fromEntries(Object.entries(map.binaryData ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64")])),
});
const secretData = (secret: Secret): Data => Object.fromEntries(Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64")]));

function select(data: Data, items: readonly KeyToPath[] | undefined, defaultMode: number, optional: boolean, what: string): [string, PayloadFile][] {
  if (items === undefined || items.length === 0) return Object.entries(data).map(([key, value]) => [key, { data: value, mode: defaultMode }]);
  return items.flatMap((item): [string, PayloadFile][] => {
    const value = data[item.key];
    if (value !== undefined) return [[item.path, { data: value, mode: item.mode ?? defaultMode }]];
    if (optional) return [];
    throw new Error(`${what} references non-existent ${what === "configmap" ? "config" : "secret"} key: ${item.key}`);
  });
}

function downwardFiles(pod: Pod, items: readonly DownwardAPIVolumeFile[] | undefined, defaultMode: number, context: DownwardContext): [string, PayloadFile][] {
  return (items ?? []).map((item) => {
    const text = item.fieldRef !== undefined ? fieldValue(pod, item.fieldRef.fieldPath, context) : item.resourceFieldRef !== undefined ? resourceValue(pod, item.resourceFieldRef, undefined, context) : "";
    return [item.path, { data: Buffer.from(text), mode: item.mode ?? defaultMode }];
  });
}

/** A token's file: readable by its owner alone where the pod says who that is. */
function tokenFile(pod: Pod, token: string, defaultMode: number): PayloadFile {
  const users = new Set([...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map((container) => container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser));
  const [user] = users;
  if (pod.spec.securityContext?.fsGroup !== undefined) return { data: Buffer.from(token), mode: 0o600 };
  return users.size === 1 && user !== undefined ? { data: Buffer.from(token), mode: 0o600, uid: user } : { data: Buffer.from(token), mode: defaultMode };
}

class PayloadBuilder {
  readonly #pod: Pod;
  readonly #sources: PayloadSources;
  readonly #context: DownwardContext;
  constructor(pod: Pod, sources: PayloadSources, context: DownwardContext) {
    this.#pod = pod;
    this.#sources = sources;
    this.#context = context;
  }

  async configMap(source: { name?: string | undefined; items?: KeyToPath[] | undefined; optional?: boolean | undefined }, mode: number): Promise<[string, PayloadFile][]> {
    const map = await this.#sources.configMap(namespaceOf(this.#pod), source.name ?? "");
    if (map === undefined && source.optional !== true) throw new Error(`configmap "${source.name}" not found`);
    return select(map === undefined ? {} : configMapData(map), source.items, mode, source.optional === true, "configmap");
  }

  async secret(source: { name?: string | undefined; items?: KeyToPath[] | undefined; optional?: boolean | undefined }, mode: number): Promise<[string, PayloadFile][]> {
    const secret = await this.#sources.secret(namespaceOf(this.#pod), source.name ?? "");
    if (secret === undefined && source.optional !== true) throw new Error(`secret "${source.name}" not found`);
    return select(secret === undefined ? {} : secretData(secret), source.items, mode, source.optional === true, "secret");
  }

  async projected(source: ProjectedVolumeSource): Promise<[string, PayloadFile][]> {
    const mode = source.defaultMode ?? DEFAULT_MODE;
    return (await Promise.all((source.sources ?? []).map((projection) => this.#projection(projection, mode)))).flat();
  }

  async #projection(projection: VolumeProjection, mode: number): Promise<[string, PayloadFile][]> {
    if (projection.configMap !== undefined) return this.configMap(projection.configMap, mode);
    if (projection.secret !== undefined) return this.secret(projection.secret, mode);
    if (projection.downwardAPI !== undefined) return this.downward(projection.downwardAPI.items, mode);
    if (projection.serviceAccountToken !== undefined) {
      const { audience, expirationSeconds, path } = projection.serviceAccountToken;
      return [[path, tokenFile(this.#pod, await this.#sources.token(this.#pod, audience, expirationSeconds ?? TOKEN_EXPIRATION_SECONDS), mode)]];
    }
    throw new Error(`projected source ${Object.keys(projection)[0] ?? ""} is not supported by this release`);
  }

  downward(items: readonly DownwardAPIVolumeFile[] | undefined, mode: number): [string, PayloadFile][] { return downwardFiles(this.#pod, items, mode, this.#context); }
}

/** Builds the files of a volume, or undefined when the volume is not made of files. Throws with the reason FailedMount shows. */
export async function buildPayload(pod: Pod, volume: Volume, sources: PayloadSources, context: DownwardContext): Promise<Payload | undefined> {
  const builder = new PayloadBuilder(pod, sources, context);
  if (volume.configMap !== undefined) return new Map(await builder.configMap(volume.configMap, volume.configMap.defaultMode ?? DEFAULT_MODE));
  if (volume.secret !== undefined) return new Map(await builder.secret({ ...volume.secret, name: volume.secret.secretName }, volume.secret.defaultMode ?? DEFAULT_MODE));
  if (volume.downwardAPI !== undefined) return new Map(builder.downward(volume.downwardAPI.items, volume.downwardAPI.defaultMode ?? DEFAULT_MODE));
  if (volume.projected !== undefined) return new Map(await builder.projected(volume.projected));
  return undefined;
}

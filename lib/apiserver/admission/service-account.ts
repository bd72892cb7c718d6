/**
 * ServiceAccount: every pod runs as an account that exists, with the account's token mounted where clients look for it.
 * Counterpart: `plugin/pkg/admission/serviceaccount`.
 */
import type { ResourceDefinition } from "../../api/resource-definition.ts";
import { serviceaccounts } from "../../api/schema/generated/references.ts";
import type { Container, Pod, ServiceAccount as Account, Volume } from "../../api/schema/generated/models.ts";
import { podReferences, referenceKey } from "../authorization/pod-references.ts";
import type { AdmissionAttributes, AdmissionOperation, AdmissionPlugin, CacheReader } from "../contracts.ts";
import { admissionForbidden } from "./admission-error.ts";

export const TOKEN_MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";
export const TOKEN_VOLUME_PREFIX = "kube-api-access-";
/** Asked for exactly this long, tokens are known as pods' own and extended. */
export const TOKEN_EXPIRATION_SECONDS = 3_607;
const MIRROR_ANNOTATION = "kubernetes.io/config.mirror", ENFORCE_MOUNTABLE_ANNOTATION = "kubernetes.io/enforce-mountable-secrets";
/** No vowels and no digits that look like letters: upstream's alphabet for generated names. */
const ALPHABET = "bcdfghjklmnpqrstvwxz2456789", SUFFIX_LENGTH = 5;

export class ServiceAccount implements AdmissionPlugin {
  readonly name = "ServiceAccount";
  readonly #cache: CacheReader;
  readonly #random: () => number;
  constructor(cache: CacheReader, random: () => number = Math.random) { this.#cache = cache; this.#random = random; }

  handles(operation: AdmissionOperation, definition: ResourceDefinition, subresource: string): boolean {
    return definition.group === "" && definition.plural === "pods" && ((operation === "CREATE" && subresource === "") || (operation === "UPDATE" && subresource === "ephemeralcontainers"));
  }

  admit(attributes: AdmissionAttributes): void {
    if (attributes.operation !== "CREATE") return;
    const pod = attributes.object as Pod, spec = pod.spec;
    // A mirror pod shows what a node runs already: nothing is added to it.
    if (spec === undefined || pod.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined) return;
    if ((spec.serviceAccountName ?? "") === "") spec.serviceAccountName = spec.serviceAccount ?? "default";
    if (spec.serviceAccountName === "") spec.serviceAccountName = "default";
    spec.serviceAccount = spec.serviceAccountName;
    const account = this.#account(attributes, spec.serviceAccountName!);
    if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(pod, this.#random);
    if ((spec.imagePullSecrets ?? []).length === 0 && (account.imagePullSecrets ?? []).length > 0) spec.imagePullSecrets = account.imagePullSecrets!.map((secret) => ({ ...secret }));
  }

  validate(attributes: AdmissionAttributes): void {
    const pod = attributes.object as Pod;
    if (pod.metadata.annotations?.[MIRROR_ANNOTATION] !== undefined) return refuseMirrorReferences(attributes, pod);
    const account = this.#account(attributes, pod.spec?.serviceAccountName ?? "default");
    if (/^(1|t|true)$/i.test(account.metadata.annotations?.[ENFORCE_MOUNTABLE_ANNOTATION] ?? "")) refuseUnmountable(attributes, pod, account);
  }

  #account(attributes: AdmissionAttributes, name: string): Account {
    const account = this.#cache.get(serviceaccounts, attributes.namespace, name);
    if (account === undefined) throw admissionForbidden(attributes, `error looking up service account ${attributes.namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`);
    return account;
  }
}

function refuseMirrorReferences(attributes: AdmissionAttributes, pod: Pod): void {
  if ((pod.spec?.serviceAccountName ?? "") !== "") throw admissionForbidden(attributes, "a mirror pod may not reference service accounts");
  if (podReferences(pod).some((reference) => reference.startsWith("secret:"))) throw admissionForbidden(attributes, "a mirror pod may not reference secrets");
  if ((pod.spec?.volumes ?? []).some((volume) => (volume.projected?.sources ?? []).some((source) => source.serviceAccountToken !== undefined))) throw admissionForbidden(attributes, "a mirror pod may not use ServiceAccountToken volume projections");
}

function refuseUnmountable(attributes: AdmissionAttributes, pod: Pod, account: Account): void {
  const namespace = attributes.namespace, allowed = new Set([...(account.secrets ?? []), ...(account.imagePullSecrets ?? [])].map((secret) => referenceKey("secret", namespace, secret.name ?? "")));
  for (const reference of podReferences(pod)) {
    if (!reference.startsWith("secret:") || allowed.has(reference)) continue;
    const name = reference.slice(reference.indexOf("/") + 1);
    throw admissionForbidden(attributes, `references secret.secretName=${JSON.stringify(name)} is not allowed because service account ${account.metadata.name} does not reference that secret`);
  }
}

function freshName(random: () => number): string {
  let name = TOKEN_VOLUME_PREFIX;
  for (let i = 0; i < SUFFIX_LENGTH; i++) name += ALPHABET[Math.floor(random() * ALPHABET.length)]!;
  return name;
}

/** Mounts the token into every container that has nothing at its path; adds the volume when one needed it. */
function mountToken(pod: Pod, random: () => number): void {
  const spec = pod.spec!, existing = (spec.volumes ?? []).find((volume) => (volume.name ?? "").startsWith(TOKEN_VOLUME_PREFIX)); // One without a name is for validation to refuse.
  const name = existing?.name ?? freshName(random);
  let mounted = false;
  const mount = (container: Container): void => {
    if ((container.volumeMounts ?? []).some((each) => each.mountPath === TOKEN_MOUNT_PATH)) return;
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: TOKEN_MOUNT_PATH }];
    mounted = true;
  };
  for (const container of spec.initContainers ?? []) mount(container);
  for (const container of spec.containers ?? []) mount(container);
  if (mounted && existing === undefined) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)];
}

/** The token, the cluster's CA and the namespace, as clients in pods expect them. */
const tokenVolume = (name: string): Volume => ({
  name,
  projected: {
    sources: [
      { serviceAccountToken: { expirationSeconds: TOKEN_EXPIRATION_SECONDS, path: "token" } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      { downwardAPI: { items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }] } },
    ],
    defaultMode: 0o644,
  },
});

/** The certificates a kubelet keeps fresh itself: the one it is a client with, and the one it serves with. */
import { existsSync } from "node:fs";
import path from "node:path";
import type { Client } from "../../lib/client/client.ts";
import type { ClientConfig } from "../../lib/client/client-config.ts";
import type { KubeletConfiguration } from "../../lib/kubelet/kubelet-configuration.ts";
import { createAuthority, issue } from "../../lib/pki/certificate.ts";
import { privateKeyPem } from "../../lib/pki/keys.ts";
import { writeKeyFile } from "../../lib/pki/write-file.ts";
import { CertificateKeeper } from "../../lib/runtime/certificate-keeper.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { FlagError } from "../../lib/util/flags.ts";
import type { Logger } from "../../lib/util/logger.ts";
import type { Runnable } from "../../lib/util/runnable.ts";
import type { Flags } from "./flags.ts";

type Rotation = Pick<KubeletConfiguration, "rotateCertificates" | "serverTLSBootstrap">;
interface Self { readonly nodeName: string; readonly addresses: readonly string[] }
const subjectOf = (name: string): { commonName: string; organizations: string[] } => ({ commonName: `system:node:${name}`, organizations: ["system:nodes"] });

/** A pair nobody trusts yet, to serve with until there is a better one. PEM. */
export function selfSigned({ nodeName, addresses }: Self): { certificate: string; key: string } {
  const now = systemClock.now(), stamp = Math.floor(now.getTime() / 1_000), authority = createAuthority({ commonName: `${nodeName}-ca@${stamp}`, now });
  const pair = issue(authority, { subject: { commonName: `${nodeName}@${stamp}` }, usages: ["server"], names: [nodeName, "localhost", "127.0.0.1", ...addresses], now });
  return { certificate: pair.certificatePem + authority.certificatePem, key: privateKeyPem(pair.key) };
}

/** The file of the serving certificate the cluster signs, or undefined when it is given by hand. Made, not yet trusted, when it is missing. */
export function servingFile(flags: Flags, rotation: Rotation, self: Self): string | undefined {
  if (!rotation.serverTLSBootstrap) return undefined;
  const file = path.join(flags["cert-dir"], "kubelet-server-current.pem");
  if (!existsSync(file)) {
    // Signed by itself alone, which is how the keeper knows that it is due.
    const now = systemClock.now(), placeholder = createAuthority({ commonName: `${self.nodeName}@${Math.floor(now.getTime() / 1_000)}`, now });
    writeKeyFile(file, placeholder.certificatePem + privateKeyPem(placeholder.key));
  }
  return file;
}

/** What renews them. Throws FlagError when the kubeconfig does not name one file for certificate and key. */
export function certificateKeepers(flags: Flags, rotation: Rotation, config: ClientConfig, self: Self, deps: { client: Client; log: Logger }): Runnable[] {
  const keeperDeps = { ...deps, clock: systemClock }, serving = servingFile(flags, rotation, self), keepers: Runnable[] = [];
  if (rotation.rotateCertificates) {
    if (config.certificateFile === undefined || config.certificateFile !== config.keyFile) throw new FlagError("--rotate-certificates needs a kubeconfig whose client-certificate and client-key are one file");
    keepers.push(new CertificateKeeper(keeperDeps, config.certificateFile, () => ({ signerName: "kubernetes.io/kube-apiserver-client-kubelet", subject: subjectOf(self.nodeName), usage: "client auth", prefix: "csr-" })));
  }
  if (serving !== undefined) {
    // Asked for anew when an address changes, too.
    keepers.push(new CertificateKeeper(keeperDeps, serving, () => ({ signerName: "kubernetes.io/kubelet-serving", subject: subjectOf(self.nodeName), names: [self.nodeName, ...self.addresses], usage: "server auth", prefix: "csr-" })));
  }
  return keepers;
}

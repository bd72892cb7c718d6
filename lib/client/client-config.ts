/**
 * How to reach one API server and who to be there. Data wins over files; files are re-read when they change, so rotated
 * certificates and tokens are used without a restart. Counterpart: client-go `rest.Config`.
 */
export interface ClientConfig {
  /** `https://host:port`; a path prefix is kept. */
  readonly server: string;
  /** PEM. With neither, the system's certificate authorities are trusted. */
  readonly caData?: string | undefined;
  readonly caFile?: string | undefined;
  readonly certificateData?: string | undefined;
  readonly certificateFile?: string | undefined;
  readonly keyData?: string | undefined;
  readonly keyFile?: string | undefined;
  /** Where certificate and key data came from: read again when it changes, as the other files are. */
  readonly kubeconfigFile?: string | undefined;
  readonly kubeconfigContext?: string | undefined;
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  /** Asked at every request, before `token`; whoever gives it keeps it fresh. */
  readonly tokenSource?: (() => string) | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Name the server's certificate must carry, when it is not the host of `server`. */
  readonly serverName?: string | undefined;
  readonly insecureSkipVerify?: boolean | undefined;
  readonly impersonate?: { readonly user: string; readonly uid?: string | undefined; readonly groups?: readonly string[] | undefined; readonly extra?: Readonly<Record<string, readonly string[]>> | undefined } | undefined;
  /** Namespace of the kubeconfig's context, or the pod's own. */
  readonly namespace?: string | undefined;
  /** First word of User-Agent and so the default field manager, e.g. `kube-scheduler`. */
  readonly component?: string | undefined;
}

/** The Kubernetes version this release speaks; part of User-Agent as upstream's components send it. */
export const CLIENT_API_VERSION = "v1.36.0";

/** `kube-scheduler/v1.36.0 (linux/amd64) kajitori`. */
export function userAgent(component: string): string {
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  return `${component}/${CLIENT_API_VERSION} (${process.platform}/${architecture}) kajitori`;
}

/**
 * Kubeconfig files: reading into a ClientConfig, making and writing.
 *
 * Promises: relative file names are resolved against the kubeconfig's own folder; what this client cannot do (exec and auth-provider
 * plugins, proxies) is refused by name; files are written 0600 and replaced at once, so a reader never sees half.
 * Counterpart: client-go `tools/clientcmd`. Differs: no merging of several files into one view; `KUBECONFIG` lists are searched in order.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { parse, stringify } from "yaml";
import type { ClientConfig } from "./client-config.ts";

export interface NamedCluster { name: string; cluster: { server: string; "certificate-authority"?: string; "certificate-authority-data"?: string; "insecure-skip-tls-verify"?: boolean; "tls-server-name"?: string; "proxy-url"?: string } }
export interface NamedUser {
  name: string;
  user: {
    "client-certificate"?: string; "client-certificate-data"?: string; "client-key"?: string; "client-key-data"?: string;
    token?: string; tokenFile?: string; username?: string; password?: string; as?: string; "as-uid"?: string; "as-groups"?: string[]; "as-user-extra"?: Record<string, string[]>;
    exec?: unknown; "auth-provider"?: unknown;
  };
}
export interface NamedContext { name: string; context: { cluster: string; user: string; namespace?: string } }
export interface Kubeconfig { apiVersion: "v1"; kind: "Config"; "current-context": string; clusters: NamedCluster[]; users: NamedUser[]; contexts: NamedContext[]; preferences?: object; extensions?: unknown }

/** Where a pod finds its service account. */
export const SERVICE_ACCOUNT_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";

/** Reads and checks the shape of a kubeconfig file. Throws an Error naming the file. */
export function readKubeconfig(file: string): Kubeconfig {
  try { return parseKubeconfig(readFileSync(file, "utf8")); }
  catch (error) { throw new Error(`Cannot load kubeconfig "${file}": ${(error as Error).message}`, { cause: error }); }
}

/** Parses the YAML or JSON text of a kubeconfig. Throws an Error that says what is wrong. */
export function parseKubeconfig(text: string): Kubeconfig {
  const raw: unknown = parse(text);
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) throw new Error("it is not a mapping");
  const value = raw as Partial<Kubeconfig>;
  if (value.kind !== undefined && value.kind !== "Config") throw new Error(`kind is ${JSON.stringify(value.kind)}, wanted "Config"`);
  const list = <T>(name: "clusters" | "users" | "contexts"): T[] => {
    const items = value[name] ?? [];
    if (!Array.isArray(items)) throw new Error(`${name} is not a list`);
    return items as T[];
  };
  return { ...value, apiVersion: "v1", kind: "Config", "current-context": value["current-context"] ?? "", clusters: list("clusters"), users: list("users"), contexts: list("contexts") };
}

/** The ClientConfig of a context (the current one by default) of a kubeconfig that lives in `directory`. Throws on unknown names and on what is not supported. */
export function configFromKubeconfig(kubeconfig: Kubeconfig, directory: string, contextName?: string): ClientConfig {
  const wanted = contextName ?? kubeconfig["current-context"];
  const context = kubeconfig.contexts.find((c) => c.name === wanted)?.context;
  if (context === undefined) throw new Error(wanted === "" ? "no current-context is set" : `context "${wanted}" does not exist`);
  const cluster = kubeconfig.clusters.find((c) => c.name === context.cluster)?.cluster;
  if (cluster === undefined) throw new Error(`cluster "${context.cluster}" does not exist`);
  const user = context.user === "" || context.user === undefined ? {} : kubeconfig.users.find((u) => u.name === context.user)?.user;
  if (user === undefined) throw new Error(`user "${context.user}" does not exist`);
  if (user.exec !== undefined) throw new Error(`user "${context.user}" asks for an exec plugin, which is not supported: use a certificate or a token`);
  if (user["auth-provider"] !== undefined) throw new Error(`user "${context.user}" asks for an auth-provider plugin, which is not supported: use a certificate or a token`);
  if (cluster["proxy-url"] !== undefined) throw new Error(`cluster "${context.cluster}" asks for a proxy, which is not supported`);
  if (typeof cluster.server !== "string" || !URL.canParse(cluster.server)) throw new Error(`cluster "${context.cluster}" has no valid server: got ${JSON.stringify(cluster.server)}`);
  const file = (name: string | undefined): string | undefined => (name === undefined || name === "" ? undefined : path.resolve(directory, name));
  const data = (text: string | undefined): string | undefined => (text === undefined || text === "" ? undefined : Buffer.from(text, "base64").toString("utf8"));
  return {
    server: cluster.server,
    caData: data(cluster["certificate-authority-data"]), caFile: file(cluster["certificate-authority"]),
    certificateData: data(user["client-certificate-data"]), certificateFile: file(user["client-certificate"]),
    keyData: data(user["client-key-data"]), keyFile: file(user["client-key"]),
    token: user.token, tokenFile: file(user.tokenFile), username: user.username, password: user.password,
    serverName: cluster["tls-server-name"], insecureSkipVerify: cluster["insecure-skip-tls-verify"],
    impersonate: user.as === undefined ? undefined : { user: user.as, uid: user["as-uid"], groups: user["as-groups"], extra: user["as-user-extra"] },
    namespace: context.namespace,
  };
}

/** What a daemon does with its `--kubeconfig`: the file's current context, with the daemon's name. Throws an Error naming the file. */
export function loadKubeconfig(file: string, options: { context?: string; component?: string } = {}): ClientConfig {
  const kubeconfig = readKubeconfig(file);
  try {
    const config = configFromKubeconfig(kubeconfig, path.dirname(path.resolve(file)), options.context);
    return { ...config, component: options.component, ...(config.certificateData === undefined ? {} : { kubeconfigFile: path.resolve(file), kubeconfigContext: options.context }) };
  }
  catch (error) { throw new Error(`Cannot use kubeconfig "${file}": ${(error as Error).message}`, { cause: error }); }
}

/** The file a command line tool uses without a flag: the first existing of `KUBECONFIG`, else `~/.kube/config`; undefined when there is none. */
export function defaultKubeconfigFile(environment: NodeJS.ProcessEnv = process.env, home: string = homedir()): string | undefined {
  const listed = (environment["KUBECONFIG"] ?? "").split(path.delimiter).filter((f) => f !== "");
  return (listed.length > 0 ? listed : [path.join(home, ".kube", "config")]).find((f) => existsSync(f));
}

/** The configuration of a process inside a pod; undefined outside one. */
export function inClusterConfig(component?: string, environment: NodeJS.ProcessEnv = process.env, directory: string = SERVICE_ACCOUNT_DIRECTORY): ClientConfig | undefined {
  const host = environment["KUBERNETES_SERVICE_HOST"], port = environment["KUBERNETES_SERVICE_PORT"];
  const tokenFile = path.join(directory, "token");
  if (!host || !port || !existsSync(tokenFile)) return undefined;
  const namespaceFile = path.join(directory, "namespace");
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`, caFile: path.join(directory, "ca.crt"), tokenFile, component,
    namespace: existsSync(namespaceFile) ? readFileSync(namespaceFile, "utf8").trim() : undefined,
  };
}

export interface NewKubeconfig { cluster: string; server: string; user: string; ca?: string; certificate?: string; key?: string; certificateFile?: string; keyFile?: string; token?: string; context?: string }

/** A kubeconfig with one cluster, user and context; PEM texts are embedded, files are named. */
export function makeKubeconfig(options: NewKubeconfig): Kubeconfig {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const context = options.context ?? `${options.user}@${options.cluster}`;
  return {
    apiVersion: "v1", kind: "Config", "current-context": context,
    clusters: [{ name: options.cluster, cluster: { ...(options.ca === undefined ? {} : { "certificate-authority-data": base64(options.ca) }), server: options.server } }],
    contexts: [{ name: context, context: { cluster: options.cluster, user: options.user } }],
    users: [{
      name: options.user,
      user: {
        ...(options.certificate === undefined ? {} : { "client-certificate-data": base64(options.certificate) }), ...(options.key === undefined ? {} : { "client-key-data": base64(options.key) }),
        ...(options.certificateFile === undefined ? {} : { "client-certificate": options.certificateFile }), ...(options.keyFile === undefined ? {} : { "client-key": options.keyFile }),
        ...(options.token === undefined ? {} : { token: options.token }),
      },
    }],
    preferences: {},
  };
}

/** Adds or replaces `added`'s entries in `base` by name and makes its context the current one. */
export function mergeKubeconfig(base: Kubeconfig, added: Kubeconfig): Kubeconfig {
  const merge = <T extends { name: string }>(old: T[], fresh: T[]): T[] => [...old.filter((o) => !fresh.some((f) => f.name === o.name)), ...fresh];
  return {
    ...base, "current-context": added["current-context"],
    clusters: merge(base.clusters, added.clusters), users: merge(base.users, added.users), contexts: merge(base.contexts, added.contexts),
  };
}

/** Replaces `file` at once, mode 0600. The folder must exist. */
export function writeKubeconfig(file: string, kubeconfig: Kubeconfig): void {
  const temporary = `${file}.${randomBytes(4).toString("hex")}.tmp`;
  writeFileSync(temporary, stringify(kubeconfig, { lineWidth: 0 }), { mode: 0o600 });
  chmodSync(temporary, 0o600);
  renameSync(temporary, file);
}

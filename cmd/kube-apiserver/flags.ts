/** Flags of kube-apiserver: upstream's names and defaults; what is ours alone says so. */
import { DAEMON_FLAGS, parseDaemonFlags } from "../../lib/util/daemon.ts";
import { FlagError, type FlagValues } from "../../lib/util/flags.ts";
import { checkOidcFlags } from "./oidc-flags.ts";

export const FLAGS = {
  config: { type: "string", help: "a YAML file of these flags by their names; the command line's win (ours alone)" },
  "advertise-address": { type: "string", help: "address on which members of the cluster reach this server" },
  "bind-address": { type: "string", default: "0.0.0.0", help: "address to listen on for --secure-port" },
  "secure-port": { type: "int", default: 6443, help: "port to serve HTTPS on" },
  "tls-cert-file": { type: "string", help: "certificate for HTTPS, intermediates behind it; read again when it changes" },
  "tls-private-key-file": { type: "string", help: "key of --tls-cert-file" },
  "client-ca-file": { type: "string", help: "authorities whose client certificates name users; read again when it changes" },
  "service-account-key-file": { type: "list", help: "keys that verify ServiceAccount tokens" },
  "service-account-signing-key-file": { type: "string", help: "key that signs ServiceAccount tokens" },
  "service-account-issuer": { type: "list", help: "issuer of ServiceAccount tokens; the first signs, all are accepted" },
  "service-account-max-token-expiration": { type: "duration", default: "0s", help: "longest validity a token may ask for; 0 is no limit" },
  "service-account-extend-token-expiration": { type: "bool", default: true, help: "tokens of pods live a year, so that old clients get time to change" },
  "service-account-jwks-uri": { type: "string", help: "where the signing keys can be fetched; follows from the issuer when absent" },
  "api-audiences": { type: "list", help: "what tokens must be for; the issuers when absent" },
  "service-cluster-ip-range": { type: "string", default: "10.0.0.0/24", help: "range of Service addresses" },
  "service-node-port-range": { type: "string", default: "30000-32767", help: "ports of NodePort Services" },
  "kubelet-client-certificate": { type: "string", help: "client certificate to speak to kubelets with" },
  "kubelet-client-key": { type: "string", help: "key of --kubelet-client-certificate" },
  "kubelet-certificate-authority": { type: "string", help: "authorities of kubelets' serving certificates" },
  "kubelet-preferred-address-types": { type: "list", default: ["Hostname", "InternalDNS", "InternalIP", "ExternalDNS", "ExternalIP"], help: "kinds of node addresses, most wanted first" },
  "authorization-mode": { type: "list", default: ["AlwaysAllow"], help: "Node, RBAC, AlwaysAllow, AlwaysDeny: asked in this order" },
  "enable-admission-plugins": { type: "list", help: "admission plugins beside the default ones" },
  "disable-admission-plugins": { type: "list", help: "default admission plugins to leave out" },
  "requestheader-client-ca-file": { type: "string", help: "authorities of front proxies; read again when it changes" },
  "requestheader-allowed-names": { type: "list", help: "common names of front proxies; any when empty" },
  "requestheader-username-headers": { type: "list", default: ["X-Remote-User"], help: "headers that name the user" },
  "requestheader-uid-headers": { type: "list", help: "headers that name the uid" },
  "requestheader-group-headers": { type: "list", default: ["X-Remote-Group"], help: "headers that name groups" },
  "requestheader-extra-headers-prefix": { type: "list", default: ["X-Remote-Extra-"], help: "prefixes of headers with extra facts" },
  "proxy-client-cert-file": { type: "string", help: "client certificate to speak to aggregated servers and webhooks with" },
  "proxy-client-key-file": { type: "string", help: "key of --proxy-client-cert-file" },
  "allow-privileged": { type: "bool", default: true, help: "privileged containers; only true is supported" },
  "etcd-servers": { type: "list", help: "not supported by this release, which stores in --data-file" },
  "anonymous-auth": { type: "bool", default: true, help: "requests without credentials are those of system:anonymous" },
  "enable-bootstrap-token-auth": { type: "bool", default: true, help: "tokens in Secrets of kube-system let nodes join" },
  "token-auth-file": { type: "string", help: "CSV file of tokens and whom they name" },
  "oidc-issuer-url": { type: "string", help: "issuer of ID tokens that name users, https only" },
  "oidc-client-id": { type: "string", help: "whom ID tokens must be for; needed with --oidc-issuer-url" },
  "oidc-username-claim": { type: "string", default: "sub", help: "claim that names the user" },
  "oidc-username-prefix": { type: "string", help: "put before user names; the issuer and # when absent, except for e-mail addresses; - for none" },
  "oidc-groups-claim": { type: "string", help: "claim that names groups: a string or a list of them" },
  "oidc-groups-prefix": { type: "string", default: "", help: "put before group names" },
  "oidc-required-claim": { type: "list", help: "KEY=VALUE a token must carry; may be given several times" },
  "oidc-signing-algs": { type: "list", default: ["RS256"], help: "how ID tokens may be signed: RS256, RS384, RS512, ES256, ES384, ES512, PS256, PS384, PS512" },
  "oidc-ca-file": { type: "string", help: "authorities of the issuer's certificate; the system's when absent" },
  "max-requests-inflight": { type: "int", default: 400, help: "reads at once; 0 is no limit" },
  "max-mutating-requests-inflight": { type: "int", default: 200, help: "writes at once; 0 is no limit" },
  "event-ttl": { type: "duration", default: "1h0m0s", help: "how long events are kept; 0 is for ever" },
  "default-not-ready-toleration-seconds": { type: "int", default: 30, help: "how long pods stay on a node that is not ready (upstream: 300)" },
  "default-unreachable-toleration-seconds": { type: "int", default: 30, help: "how long pods stay on a node that is unreachable (upstream: 300)" },
  "data-file": { type: "string", default: "/var/lib/kaji/state.db", help: "the store's file (ours alone)" },
  ...DAEMON_FLAGS,
} as const;
export type Flags = FlagValues<typeof FLAGS>;

/** Parses and checks. Throws FlagError. */
export function parse(argv: readonly string[]): Flags {
  const flags = parseDaemonFlags("kube-apiserver", argv, FLAGS);
  if (flags["etcd-servers"].length > 0) throw new FlagError("--etcd-servers is not supported by this release: it stores in one SQLite file, see --data-file");
  if (!flags["allow-privileged"]) throw new FlagError("--allow-privileged=false is not supported by this release");
  if (flags["tls-cert-file"] === undefined || flags["tls-private-key-file"] === undefined) throw new FlagError("--tls-cert-file and --tls-private-key-file are required");
  if (flags["service-account-signing-key-file"] === undefined) throw new FlagError("service-account-signing-key-file is a required flag");
  if (flags["service-account-issuer"].length === 0) throw new FlagError("service-account-issuer is a required flag");
  checkOidcFlags(flags);
  if (!(flags["secure-port"] >= 1 && flags["secure-port"] <= 65535)) throw new FlagError(`--secure-port ${flags["secure-port"]} must be between 1 and 65535, inclusive. It cannot be turned off with 0`);
  return flags;
}

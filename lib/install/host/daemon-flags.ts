/** Which daemons a host runs, and their flags: pure. Each becomes `/etc/kaji/NAME.env`, read by its unit. */
import { apiServiceNames, type HostPaths } from "./host-paths.ts";
import { type ClusterSettings, dnsOf, kubernetesServiceOf } from "./cluster-settings.ts";

export const MASTER_DAEMONS = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;
export const NODE_DAEMONS = ["kubelet", "kube-proxy"] as const;
export type HostDaemon = (typeof MASTER_DAEMONS)[number] | (typeof NODE_DAEMONS)[number];

/** Names and addresses the API server answers to. */
export function servingNames(settings: ClusterSettings, address: string, more: readonly string[]): { dns: string[]; addresses: string[] } {
  return { dns: [...apiServiceNames(settings.clusterDomain), ...more], addresses: [address, kubernetesServiceOf(settings)] };
}

/** `asNode`: kube-proxy runs there too, and keeps the routes to pods itself. */
export function masterFlags(settings: ClusterSettings, address: string, paths: HostPaths, { asNode = false } = {}): Record<(typeof MASTER_DAEMONS)[number], string[]> {
  const pki = (file: string): string => `${paths.pki}/${file}`, upstream = settings.profile === "upstream";
  return {
    "kube-apiserver": [
      `--advertise-address=${address}`, `--secure-port=${new URL(settings.server).port}`, `--data-file=${paths.store}`,
      `--tls-cert-file=${pki("apiserver.crt")}`, `--tls-private-key-file=${pki("apiserver.key")}`, `--client-ca-file=${pki("ca.crt")}`,
      `--kubelet-client-certificate=${pki("apiserver-kubelet-client.crt")}`, `--kubelet-client-key=${pki("apiserver-kubelet-client.key")}`, `--kubelet-certificate-authority=${pki("ca.crt")}`,
      "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
      `--service-account-key-file=${pki("sa.pub")}`, `--service-account-signing-key-file=${pki("sa.key")}`, `--service-account-issuer=https://kubernetes.default.svc.${settings.clusterDomain}`,
      `--requestheader-client-ca-file=${pki("front-proxy-ca.crt")}`, "--requestheader-allowed-names=front-proxy-client", "--requestheader-username-headers=X-Remote-User",
      "--requestheader-group-headers=X-Remote-Group", "--requestheader-extra-headers-prefix=X-Remote-Extra-",
      `--proxy-client-cert-file=${pki("front-proxy-client.crt")}`, `--proxy-client-key-file=${pki("front-proxy-client.key")}`,
      `--service-cluster-ip-range=${settings.serviceCidr}`, "--authorization-mode=Node,RBAC", "--enable-bootstrap-token-auth=true",
      ...(upstream ? ["--default-not-ready-toleration-seconds=300", "--default-unreachable-toleration-seconds=300"] : []),
    ],
    "kube-controller-manager": [
      `--kubeconfig=${paths.config}/controller-manager.conf`, "--leader-elect=false", "--allocate-node-cidrs=true", `--cluster-cidr=${settings.podCidr}`, `--service-cluster-ip-range=${settings.serviceCidr}`,
      `--root-ca-file=${pki("ca.crt")}`, `--cluster-signing-cert-file=${pki("ca.crt")}`, `--cluster-signing-key-file=${pki("ca.key")}`, `--configure-host-routes=${!asNode}`, `--profile=${settings.profile}`, `--renew-certificates=${paths.config}`,
    ],
    "kube-scheduler": [`--kubeconfig=${paths.config}/scheduler.conf`, "--leader-elect=false"],
  };
}

export interface NodeFacts { readonly name: string; readonly address: string; /** A resolver file that names no resolver on loopback; "" for none. */ readonly resolvConf: string }

export function nodeFlags(settings: ClusterSettings, node: NodeFacts, paths: HostPaths): Record<(typeof NODE_DAEMONS)[number], string[]> {
  return {
    kubelet: [
      `--kubeconfig=${paths.config}/kubelet.conf`, `--hostname-override=${node.name}`, `--node-ip=${node.address}`, `--container-runtime-endpoint=unix://${paths.containerdSocket}`,
      `--cluster-dns=${dnsOf(settings)}`, `--cluster-domain=${settings.clusterDomain}`, "--cgroup-driver=systemd", `--client-ca-file=${paths.pki}/ca.crt`, `--cert-dir=${paths.certificates}`,
      "--rotate-certificates=true", "--rotate-server-certificates=true", `--resolv-conf=${node.resolvConf}`, "--fail-swap-on=false", `--profile=${settings.profile}`,
    ],
    "kube-proxy": [
      `--kubeconfig=${paths.config}/proxy.conf`, "--rotate-certificates=true", `--hostname-override=${node.name}`, `--cluster-cidr=${settings.podCidr}`, "--pod-network=true", "--pod-network-backend=auto",
      `--cluster-dns=${dnsOf(settings)}`, `--cluster-domain=${settings.clusterDomain}`, ...(node.resolvConf === "" ? [] : [`--dns-resolv-conf=${node.resolvConf}`]),
    ],
  };
}

/** The text of `/etc/kaji/DAEMON.env`. A flag never holds a blank: systemd splits there. */
export function environmentFile(daemon: HostDaemon, flags: readonly string[]): string {
  const odd = flags.find((flag) => /[\s"'\\$]/.test(flag));
  if (odd !== undefined) throw new Error(`Cannot write ${daemon}'s flags: ${JSON.stringify(odd)} holds a character that systemd would split or replace`);
  return `# Flags of ${daemon}; after a change: systemctl restart kaji-${daemon}\nFLAGS=${flags.join(" ")}\n`;
}

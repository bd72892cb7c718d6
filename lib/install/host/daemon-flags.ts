/**
 * Which daemons a host runs, and their configuration: pure. Each becomes `/etc/kaji/NAME.yaml`, which its unit names with `--config`:
 * flags by their names, and where upstream has a kind of configuration, that as a second document.
 */
import { stringify } from "yaml";
import { apiServiceNames, type HostPaths, unitName } from "./host-paths.ts";
import { type ClusterSettings, dnsOf, kubernetesServiceOf } from "./cluster-settings.ts";

export const MASTER_DAEMONS = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;
export const NODE_DAEMONS = ["kubelet", "kube-proxy"] as const;
export type HostDaemon = (typeof MASTER_DAEMONS)[number] | (typeof NODE_DAEMONS)[number];

// The daemons themselves are siblings of this folder: what they call their kinds is upstream's, and a test holds these to what they read.
const SCHEDULER_KIND = { apiVersion: "kubescheduler.config.k8s.io/v1", kind: "KubeSchedulerConfiguration" };
const KUBELET_KIND = { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration" };
const PROXY_KIND = { apiVersion: "kubeproxy.config.k8s.io/v1alpha1", kind: "KubeProxyConfiguration" };

/** Names and addresses the API server answers to. */
export function servingNames(settings: ClusterSettings, address: string, more: readonly string[]): { dns: string[]; addresses: string[] } {
  return { dns: [...apiServiceNames(settings.clusterDomain), ...more], addresses: [address, kubernetesServiceOf(settings)] };
}

/** Documents of one daemon's file. */
export interface DaemonConfig { readonly flags: Readonly<Record<string, string | number | boolean | readonly string[]>>; readonly kind?: Readonly<Record<string, unknown>> }

/** `asNode`: kube-proxy runs there too, and keeps the routes to pods itself. */
export function masterConfig(settings: ClusterSettings, address: string, paths: HostPaths, { asNode = false } = {}): Record<(typeof MASTER_DAEMONS)[number], DaemonConfig> {
  const pki = (file: string): string => `${paths.pki}/${file}`, upstream = settings.profile === "upstream";
  return {
    "kube-apiserver": {
      flags: {
        "advertise-address": address, "secure-port": Number(new URL(settings.server).port), "data-file": paths.store,
        "tls-cert-file": pki("apiserver.crt"), "tls-private-key-file": pki("apiserver.key"), "client-ca-file": pki("ca.crt"),
        "kubelet-client-certificate": pki("apiserver-kubelet-client.crt"), "kubelet-client-key": pki("apiserver-kubelet-client.key"), "kubelet-certificate-authority": pki("ca.crt"),
        "kubelet-preferred-address-types": ["InternalIP", "ExternalIP", "Hostname"],
        "service-account-key-file": [pki("sa.pub")], "service-account-signing-key-file": pki("sa.key"), "service-account-issuer": [`https://kubernetes.default.svc.${settings.clusterDomain}`],
        "requestheader-client-ca-file": pki("front-proxy-ca.crt"), "requestheader-allowed-names": ["front-proxy-client"], "requestheader-username-headers": ["X-Remote-User"],
        "requestheader-group-headers": ["X-Remote-Group"], "requestheader-extra-headers-prefix": ["X-Remote-Extra-"],
        "proxy-client-cert-file": pki("front-proxy-client.crt"), "proxy-client-key-file": pki("front-proxy-client.key"),
        "service-cluster-ip-range": settings.serviceCidr, "authorization-mode": ["Node", "RBAC"], "enable-bootstrap-token-auth": true,
        ...(upstream ? { "default-not-ready-toleration-seconds": 300, "default-unreachable-toleration-seconds": 300 } : {}),
      },
    },
    "kube-controller-manager": {
      flags: {
        kubeconfig: `${paths.config}/controller-manager.conf`, "leader-elect": false, "allocate-node-cidrs": true, "cluster-cidr": settings.podCidr, "service-cluster-ip-range": settings.serviceCidr,
        "root-ca-file": pki("ca.crt"), "service-account-private-key-file": pki("sa.key"), "cluster-signing-cert-file": pki("ca.crt"), "cluster-signing-key-file": pki("ca.key"), "configure-host-routes": !asNode, profile: settings.profile, "renew-certificates": paths.config,
      },
    },
    "kube-scheduler": {
      flags: {},
      kind: { ...SCHEDULER_KIND, clientConnection: { kubeconfig: `${paths.config}/scheduler.conf` }, leaderElection: { leaderElect: false } },
    },
  };
}

export interface NodeFacts { readonly name: string; readonly address: string; /** A resolver file that names no resolver on loopback; "" for none. */ readonly resolvConf: string }

export function nodeConfig(settings: ClusterSettings, node: NodeFacts, paths: HostPaths): Record<(typeof NODE_DAEMONS)[number], DaemonConfig> {
  return {
    kubelet: {
      flags: { kubeconfig: `${paths.config}/kubelet.conf`, "hostname-override": node.name, "node-ip": [node.address], "cert-dir": paths.certificates, profile: settings.profile },
      kind: {
        ...KUBELET_KIND, containerRuntimeEndpoint: `unix://${paths.containerdSocket}`, cgroupDriver: "systemd", clusterDNS: [dnsOf(settings)], clusterDomain: settings.clusterDomain, resolvConf: node.resolvConf,
        authentication: { x509: { clientCAFile: `${paths.pki}/ca.crt` } }, rotateCertificates: true, serverTLSBootstrap: true, failSwapOn: false,
      },
    },
    "kube-proxy": {
      flags: {
        "pod-network": true, "pod-network-backend": "auto", "rotate-certificates": true, "cluster-dns": dnsOf(settings), "cluster-domain": settings.clusterDomain,
        ...(node.resolvConf === "" ? {} : { "dns-resolv-conf": node.resolvConf }),
      },
      kind: { ...PROXY_KIND, clientConnection: { kubeconfig: `${paths.config}/proxy.conf` }, hostnameOverride: node.name, clusterCIDR: settings.podCidr },
    },
  };
}

/** The text of `/etc/kaji/DAEMON.yaml`. */
export function configFile(daemon: HostDaemon, { flags, kind }: DaemonConfig): string {
  const documents = [...(Object.keys(flags).length === 0 ? [] : [`# Flags by their names; "kaji ${daemon} --help" lists them.\n${stringify(flags, { lineWidth: 0 })}`]), ...(kind === undefined ? [] : [stringify(kind, { lineWidth: 0 })])];
  return `# ${daemon} of this host. After a change: systemctl restart ${unitName(daemon)}\n${documents.join("---\n")}`;
}

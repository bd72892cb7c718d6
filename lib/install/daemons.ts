/**
 * Which processes make up a cluster on this machine, with their command lines: a pure function of the configuration.
 */
import path from "node:path";
import { selfCommand } from "../util/self.ts";
import { apiServiceAddress, type ClusterConfig, dnsAddress, type HostConfig, masterAddress } from "./cluster-config.ts";
import { enterHost } from "./hosts.ts";
import { CONFIG_DIR, hostDir, kubeconfigFile, PKI_DIR, STORE_FILE } from "./paths.ts";

export interface DaemonSpec {
  /** Unique, e.g. `kube-apiserver` or `kubelet@worker-1`. */
  readonly name: string;
  readonly host: string | undefined;
  readonly command: readonly string[];
  /** Stopped in rising order: what writes first, what others lean on last. */
  readonly stopOrder: number;
}

export const CLUSTER_DOMAIN = "cluster.local";
export const HOST_CGROUP_ROOT = "/kaji";
export const hostCgroup = (host: string): string => `${HOST_CGROUP_ROOT}/${host}`;

/** How to start one of our own daemons. */
function daemonCommand(daemon: string): string[] {
  const self = selfCommand([daemon]);
  return [self.command, ...self.args];
}

const pki = (file: string): string => path.join(PKI_DIR, file);

function masters(config: ClusterConfig): DaemonSpec[] {
  return [
    {
      name: "kube-apiserver", host: undefined, stopOrder: 3,
      command: [
        ...daemonCommand("kube-apiserver"),
        `--advertise-address=${masterAddress(config)}`, `--secure-port=${config.apiPort}`, `--data-file=${STORE_FILE}`,
        `--tls-cert-file=${pki("apiserver.crt")}`, `--tls-private-key-file=${pki("apiserver.key")}`, `--client-ca-file=${pki("ca.crt")}`,
        `--kubelet-client-certificate=${pki("apiserver-kubelet-client.crt")}`, `--kubelet-client-key=${pki("apiserver-kubelet-client.key")}`, `--kubelet-certificate-authority=${pki("ca.crt")}`,
        "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname", // As kubeadm: host names need not resolve here.
        `--service-account-key-file=${pki("sa.pub")}`, `--service-account-signing-key-file=${pki("sa.key")}`, `--service-account-issuer=https://kubernetes.default.svc.${CLUSTER_DOMAIN}`,
        `--requestheader-client-ca-file=${pki("front-proxy-ca.crt")}`, "--requestheader-allowed-names=front-proxy-client", "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group", "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        `--proxy-client-cert-file=${pki("front-proxy-client.crt")}`, `--proxy-client-key-file=${pki("front-proxy-client.key")}`,
        `--service-cluster-ip-range=${config.serviceCidr}`, "--authorization-mode=Node,RBAC", "--allow-privileged=true",
        ...(config.profile === "upstream" ? ["--default-not-ready-toleration-seconds=300", "--default-unreachable-toleration-seconds=300"] : []),
      ],
    },
    {
      // One master, one supervisor: nobody to elect against, and a killed daemon need not wait for its own lease to end.
      name: "kube-controller-manager", host: undefined, stopOrder: 2,
      command: [
        ...daemonCommand("kube-controller-manager"), `--kubeconfig=${kubeconfigFile("controller-manager")}`, "--leader-elect=false",
        "--allocate-node-cidrs=true", `--cluster-cidr=${config.podCidr}`, `--service-cluster-ip-range=${config.serviceCidr}`, `--root-ca-file=${pki("ca.crt")}`,
        `--service-account-private-key-file=${pki("sa.key")}`, `--cluster-signing-cert-file=${pki("ca.crt")}`, `--cluster-signing-key-file=${pki("ca.key")}`,
        "--configure-host-routes=true", `--profile=${config.profile}`, `--renew-certificates=${CONFIG_DIR}`,
      ],
    },
    { name: "kube-scheduler", host: undefined, stopOrder: 2, command: [...daemonCommand("kube-scheduler"), `--kubeconfig=${kubeconfigFile("scheduler")}`, "--leader-elect=false"] },
  ];
}

function worker(config: ClusterConfig, host: HostConfig): DaemonSpec[] {
  const inside = (...command: string[]): string[] => ["nsenter", ...enterHost(host.name), ...command];
  const resolver = path.join(hostDir(host.name), "resolv.conf");
  return [
    { name: `containerd@${host.name}`, host: host.name, stopOrder: 4, command: inside("containerd", "--config", path.join(hostDir(host.name), "containerd.toml")) },
    {
      name: `kubelet@${host.name}`, host: host.name, stopOrder: 1,
      command: inside(
        ...daemonCommand("kubelet"), `--kubeconfig=${kubeconfigFile(`kubelet-${host.name}`)}`, `--hostname-override=${host.name}`, `--node-ip=${host.address}`,
        `--cluster-dns=${dnsAddress(config)}`, `--cluster-domain=${CLUSTER_DOMAIN}`, `--cgroup-root=${hostCgroup(host.name)}`, "--cgroup-driver=cgroupfs",
        `--client-ca-file=${pki("ca.crt")}`, `--tls-cert-file=${pki(`kubelet-${host.name}.crt`)}`, `--tls-private-key-file=${pki(`kubelet-${host.name}.key`)}`,
        `--resolv-conf=${resolver}`, "--fail-swap-on=false", `--profile=${config.profile}`,
      ),
    },
    {
      name: `kube-proxy@${host.name}`, host: host.name, stopOrder: 1,
      command: inside(
        ...daemonCommand("kube-proxy"), `--kubeconfig=${kubeconfigFile(`proxy-${host.name}`)}`, `--hostname-override=${host.name}`, `--cluster-cidr=${config.podCidr}`,
        "--pod-network=true", "--pod-network-backend=auto", `--cluster-dns=${dnsAddress(config)}`, `--cluster-domain=${CLUSTER_DOMAIN}`, `--dns-resolv-conf=${resolver}`,
        // The connection table is the kernel's, shared by all hosts on it.
        "--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0s", "--conntrack-tcp-timeout-close-wait=0s",
      ),
    },
  ];
}

/** Every daemon of the cluster, in the order to start them. */
export const daemonSpecs = (config: ClusterConfig): DaemonSpec[] => [...masters(config), ...config.workers.flatMap((host) => worker(config, host))];

/** Names and addresses the API server answers to. */
export function apiServerNames(config: ClusterConfig): { dns: string[]; addresses: string[] } {
  return {
    dns: ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", `kubernetes.default.svc.${CLUSTER_DOMAIN}`],
    addresses: ["127.0.0.1", masterAddress(config), apiServiceAddress(config)],
  };
}


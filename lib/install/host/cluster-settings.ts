/**
 * What every host of a cluster must agree on. The master writes it into ConfigMap `kube-system/kaji-config`; joining hosts read it there.
 * Counterpart: kubeadm's ClusterConfiguration in `kubeadm-config`.
 */
import { addressAt, parseRange, rangesOverlap } from "../cluster-config.ts";

export interface ClusterSettings {
  /** `https://ADDRESS:PORT` as hosts reach the API server. */
  readonly server: string;
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly clusterDomain: string;
  readonly profile: "small" | "upstream";
}
export const SETTINGS_DEFAULTS = { podCidr: "10.244.0.0/16", serviceCidr: "10.96.0.0/16", clusterDomain: "cluster.local", profile: "small", port: 6443 } as const;
export const SETTINGS_CONFIG_MAP = "kaji-config";

export const dnsOf = (settings: ClusterSettings): string => addressAt(settings.serviceCidr, 10);
export const kubernetesServiceOf = (settings: ClusterSettings): string => addressAt(settings.serviceCidr, 1);

/** Throws RangeError that names the flag. */
export function checkSettings(settings: ClusterSettings, hostAddress: string): ClusterSettings {
  const pods = parseRange(settings.podCidr, "--pod-cidr"), services = parseRange(settings.serviceCidr, "--service-cidr"), host = parseRange(`${hostAddress}/32`, "--advertise-address");
  if (rangesOverlap(pods, services)) throw new RangeError(`Cannot use --pod-cidr=${settings.podCidr} with --service-cidr=${settings.serviceCidr}: the ranges overlap`);
  for (const [flag, range, text] of [["--pod-cidr", pods, settings.podCidr], ["--service-cidr", services, settings.serviceCidr]] as const) {
    if (rangesOverlap(range, host)) throw new RangeError(`Cannot use ${flag}=${text}: this host's own address ${hostAddress} lies in it`);
  }
  if (settings.profile !== "small" && settings.profile !== "upstream") throw new RangeError(`Cannot use --profile=${String(settings.profile)}: expected small or upstream`);
  return settings;
}

/** Reads what `JSON.stringify` wrote. Throws when a field is missing. */
export function parseSettings(text: string): ClusterSettings {
  const value = JSON.parse(text) as Partial<ClusterSettings>;
  for (const field of ["server", "podCidr", "serviceCidr", "clusterDomain", "profile"] as const) if (typeof value[field] !== "string") throw new Error(`Cannot use the cluster's settings: ${field} is missing`);
  return value as ClusterSettings;
}

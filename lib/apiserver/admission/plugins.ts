/**
 * The admission plugins in upstream's order, which of them are on, and how the flags change that.
 * Counterpart: `pkg/kubeapiserver/options/plugins.go`.
 */
import { systemClock, type Clock } from "../../util/clock.ts";
import type { AdmissionPlugin, Authorizer, CacheReader, InternalWriter } from "../contracts.ts";
import { AdmissionChain } from "./admission-chain.ts";
import { CertificateApproval, CertificateSigning, CertificateSubjectRestriction } from "./certificates.ts";
import { DefaultIngressClass, DefaultStorageClass } from "./default-classes.ts";
import { DEFAULT_TOLERATION_SECONDS, DefaultTolerationSeconds } from "./default-toleration-seconds.ts";
import { LimitRanger } from "./limit-ranger.ts";
import { NamespaceLifecycle } from "./namespace-lifecycle.ts";
import { NodeRestriction } from "./node-restriction.ts";
import { PersistentVolumeClaimResize } from "./persistent-volume-claim-resize.ts";
import { PodSecurity } from "./pod-security/pod-security.ts";
import { Priority } from "./priority.ts";
import { ResourceQuota } from "./resource-quota.ts";
import { RuntimeClass } from "./runtime-class.ts";
import { ServiceAccount } from "./service-account.ts";
import { StorageObjectInUseProtection } from "./storage-object-in-use-protection.ts";
import { TaintNodesByCondition } from "./taint-nodes-by-condition.ts";

export interface AdmissionOptions {
  /** `--enable-admission-plugins`: all there are are on already, so only their names are checked. */
  readonly enable?: readonly string[];
  /** `--disable-admission-plugins`. */
  readonly disable?: readonly string[];
  readonly notReadyTolerationSeconds?: number;
  readonly unreachableTolerationSeconds?: number;
  /** Asked by plugins that need more than the right to write; without it nobody has more. */
  readonly authorizer?: Authorizer;
  /** Keeps what quotas are used of; without it a write that would be counted is refused. */
  readonly writer?: InternalWriter;
  readonly clock?: Pick<Clock, "now">;
  /** Last of all, after what others may have changed: the RBAC escalation check. */
  readonly last?: readonly AdmissionPlugin[];
  readonly random?: () => number;
}

const refuse = (): Promise<never> => Promise.reject(new Error("Cannot write as the server itself: nobody was named to do so"));
const NO_WRITER: InternalWriter = { create: refuse, update: refuse, remove: refuse };
const NOBODY: Authorizer = { authorize: () => ({ decision: "no-opinion", reason: "" }) };

/** The plugins that are on. Throws Error for a name that does not exist. */
export function admissionPlugins(cache: CacheReader, options: AdmissionOptions = {}): AdmissionPlugin[] {
  const { authorizer = NOBODY, writer = NO_WRITER, clock = systemClock } = options;
  const all: AdmissionPlugin[] = [
    new NamespaceLifecycle(cache),
    new LimitRanger(cache),
    new ServiceAccount(cache, options.random),
    new NodeRestriction(cache),
    new TaintNodesByCondition(),
    new PodSecurity(cache),
    new Priority(cache),
    new DefaultTolerationSeconds({
      notReadySeconds: options.notReadyTolerationSeconds ?? DEFAULT_TOLERATION_SECONDS, unreachableSeconds: options.unreachableTolerationSeconds ?? DEFAULT_TOLERATION_SECONDS,
    }),
    new DefaultStorageClass(cache),
    new StorageObjectInUseProtection(),
    new PersistentVolumeClaimResize(cache),
    new RuntimeClass(cache),
    new CertificateApproval(authorizer),
    new CertificateSigning(authorizer),
    new CertificateSubjectRestriction(),
    new DefaultIngressClass(cache),
    new ResourceQuota({ cache, writer, clock }),
  ];
  const names = all.map((plugin) => plugin.name), enable = options.enable ?? [], disable = options.disable ?? [];
  for (const name of [...enable, ...disable]) if (!names.includes(name)) throw new Error(`enable-admission-plugins/disable-admission-plugins: unknown admission plugin ${JSON.stringify(name)}, known are ${names.join(", ")}`);
  return [...all.filter(({ name }) => !disable.includes(name)), ...(options.last ?? [])];
}

/** The chain of the plugins that are on. Throws Error for a name that does not exist. */
export const createAdmissionChain = (cache: CacheReader, options: AdmissionOptions = {}): AdmissionChain => new AdmissionChain(admissionPlugins(cache, options));

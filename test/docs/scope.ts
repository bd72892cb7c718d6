/**
 * Renders docs/SCOPE.md from the code: the definitions the API server serves, the lists of controllers and plugins, and the sentences in
 * which things are refused. `node test/docs/scope.ts` writes it, a test compares it.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { CONTROLLERS, NOT_BUILT } from "../../cmd/kube-controller-manager/controllers.ts";
import type { ResourceDefinition } from "../../lib/api/resource-definition.ts";
import { apiVersionOf } from "../../lib/api/reference.ts";
import { resources } from "../../lib/api/resources.ts";
import { admissionPlugins } from "../../lib/apiserver/admission/plugins.ts";
import type { CacheReader } from "../../lib/apiserver/contracts.ts";
import { NOT_USED } from "../../lib/kubelet/kubelet-configuration.ts";
import { PLUGINS as VOLUME_PLUGINS } from "../../lib/kubelet/volumes/volume-manager.ts";
import { DEFAULT_PROFILE } from "../../lib/scheduler/framework/profile.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
export const SCOPE_FILE = path.join(ROOT, "docs/SCOPE.md");

const HEAD = `# What of Kubernetes 1.36 works

Written from the code by \`node test/docs/scope.ts\`; a test fails when the two differ. Every resource of the groups that are generally
available is served with the verbs below. "stored only" means that objects are kept and answered like upstream's, but no loop of this release acts on
them: creating one answers with a \`Warning\` header that says so. What is not there at all is named [below the table](#what-is-not-there-yet).

| group/version | kind | verbs | subresources | defaults | validation | columns | runs |
|---|---|---|---|---|---|---|---|
`;

const mark = (present: boolean): string => (present ? "yes" : "names only");
function row(d: ResourceDefinition): string {
  const cells = [
    apiVersionOf(d), d.kind, d.verbs.join(" "), d.subresources.toSorted().join(" ") || "–", d.defaults === undefined ? "none needed" : "yes", mark(d.validate !== undefined),
    d.columns.map((c) => (c.priority === 1 ? `(${c.name})` : c.name)).join(", "), d.notRunYet === true ? "stored only" : "yes",
  ];
  return `| ${cells.join(" | ")} |`;
}

/** Plugins upstream has on by default in 1.36, without those that wait for a feature gate that is off. */
const UPSTREAM_ADMISSION = [
  "NamespaceLifecycle", "LimitRanger", "ServiceAccount", "TaintNodesByCondition", "PodSecurity", "Priority", "DefaultTolerationSeconds", "DefaultStorageClass", "StorageObjectInUseProtection",
  "PersistentVolumeClaimResize", "RuntimeClass", "CertificateApproval", "CertificateSigning", "ClusterTrustBundleAttest", "CertificateSubjectRestriction", "DefaultIngressClass", "PodTopologyLabels",
  "MutatingAdmissionPolicy", "MutatingAdmissionWebhook", "ValidatingAdmissionPolicy", "ValidatingAdmissionWebhook", "ResourceQuota",
];
/** Of upstream's default profile, without sorting, preemption and binding, which are no plugins here. */
const UPSTREAM_SCHEDULING = [
  "SchedulingGates", "NodeUnschedulable", "NodeName", "TaintToleration", "NodeAffinity", "NodePorts", "NodeResourcesFit", "VolumeRestrictions", "NodeVolumeLimits", "VolumeBinding", "VolumeZone",
  "PodTopologySpread", "InterPodAffinity", "DynamicResources", "NodeResourcesBalancedAllocation", "ImageLocality",
];

const SENTENCES = [/"([^"\n]*)"/g, /`([^`\n]*)`/g];
/** What the code of a folder says it refuses, in its own words, with "…" for a value it fills in. */
function refusals(folder: string): string[] {
  const found = new Set<string>();
  for (const file of readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" }).toSorted()) {
    if (!file.endsWith(".ts")) continue;
    const text = readFileSync(path.join(ROOT, folder, file), "utf8");
    for (const [, sentence] of SENTENCES.flatMap((quoted) => [...text.matchAll(quoted)])) {
      if (!/^(?!not ).*\bnot (?:supported|set up) by this (?:release|runtime)/.test(sentence!)) continue;
      found.add(sentence!.replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, "…").replace(/^…: /, "").replace(/^MountVolume\.SetUp failed .* : /, ""));
    }
  }
  return [...found];
}

const list = (names: Iterable<string>): string => [...names].map((name) => `\`${name}\``).join(", ");
const bullets = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join("\n");

function notThere(): string {
  const noCache = {} as CacheReader, allAdmission = admissionPlugins(noCache).map((plugin) => plugin.name);
  const scheduling = DEFAULT_PROFILE.plugins.map(([plugin]) => plugin.name);
  return `
## What is not there yet

**kube-apiserver.** One server over one SQLite file; no etcd, no second server beside it. No audit log, no priority and fairness (two limits of
requests in flight instead), no webhooks of any kind, no aggregated APIs, no custom resources, no expressions (CEL) in policies.
Admission plugins there: ${list(allAdmission)}.
Not there: ${list(UPSTREAM_ADMISSION.filter((name) => !allAdmission.includes(name)))}. Refused by name:

${bullets([...refusals("cmd/kube-apiserver"), ...refusals("lib/apiserver")])}

**kube-controller-manager.** There: ${list(CONTROLLERS.map((controller) => controller.name).toSorted())}.
Not there, and refused when \`--controllers\` turns one on: ${list([...NOT_BUILT].filter((name) => name.endsWith("-controller")).toSorted())}.
Cloud controllers do not exist.

**kube-scheduler.** One profile, the default one: ${list(scheduling)}, with preemption.
Not there: ${list(UPSTREAM_SCHEDULING.filter((name) => !scheduling.includes(name)))}, extenders, other profiles. \`VolumeBinding\` respects claims that are bound and binds none.

**kubelet.** Volumes: \`hostPath\`, ${list(Object.keys(VOLUME_PLUGINS))}. Refused by name, with an event and status on the pod or an error at start:

${bullets([...refusals("lib/kubelet"), ...refusals("cmd/kubelet")])}

Fields of KubeletConfiguration that are accepted with a warning and do nothing: ${list([...NOT_USED].toSorted())}.

**kube-proxy, pod network, DNS.** iptables mode only. Pods have IPv4 addresses; Services of both families are served where the host's ip6tables works.
NetworkPolicies are stored and not enforced. Topology mode \`Auto\` is answered with an event; \`spec.trafficDistribution\` works.
`;
}

export const renderScope = (): string => `${HEAD}${resources.map(row).join("\n")}\n${notThere()}`;

if (import.meta.main) writeFileSync(SCOPE_FILE, renderScope());

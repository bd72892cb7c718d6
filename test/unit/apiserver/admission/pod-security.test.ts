import test from "ava";
import type { ResourceDefinition } from "../../../../lib/api/resource-definition.ts";
import { deployments, namespaces, pods } from "../../../../lib/api/schema/generated/references.ts";
import type { Container, PodSpec } from "../../../../lib/api/schema/generated/models.ts";
import { PodSecurity, podViolations, violationsText, type SecurityLevel } from "../../../../lib/apiserver/admission/pod-security/pod-security.ts";
import type { AdmissionAttributes } from "../../../../lib/apiserver/contracts.ts";
import { FakeCache } from "../fake-cache.ts";

const text = (level: SecurityLevel, spec: Partial<PodSpec>, annotations: Record<string, string> = {}): string => violationsText(podViolations({ metadata: { name: "p", annotations }, spec: { containers: [{ name: "c" }], ...spec } }, level));
const container = (securityContext: Container["securityContext"], name = "c"): Container => ({ name, securityContext });
const HARDENED: Partial<PodSpec> = { securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } }, containers: [container({ allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } })] };

test("podViolations() says of an ordinary pod what upstream says at the restricted level, in its order", (t) => {
  t.is(text("restricted", {}), 'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")');
  t.is(text("restricted", HARDENED), "");
  t.is(text("baseline", {}), "");
  t.is(text("privileged", { hostNetwork: true }), "");
});

const BASELINE: [Partial<PodSpec>, string][] = [
  [{ hostNetwork: true, hostPID: true }, "host namespaces (hostNetwork=true, hostPID=true)"],
  [{ containers: [container({ privileged: true }), container({ privileged: true }, "d")] }, 'privileged (containers "c", "d" must not set securityContext.privileged=true)'],
  [{ containers: [container({ capabilities: { add: ["NET_ADMIN", "CHOWN"] } })] }, 'non-default capabilities (container "c" must not include "NET_ADMIN" in securityContext.capabilities.add)'],
  [{ volumes: [{ name: "v", hostPath: { path: "/" } }] }, 'hostPath volumes (volume "v")'],
  [{ containers: [{ name: "c", ports: [{ containerPort: 1, hostPort: 80 }, { containerPort: 2, hostPort: 443 }] }] }, 'hostPort (container "c" uses hostPorts 443, 80)'],
  [{ containers: [container({ procMount: "Unmasked" })] }, 'procMount (container "c" must not set securityContext.procMount to "Unmasked")'],
  [{ securityContext: { seccompProfile: { type: "Unconfined" } } }, 'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")'],
  [{ securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }, { name: "net.ipv4.tcp_syncookies", value: "1" }] } }, "forbidden sysctls (kernel.msgmax)"],
  [{ securityContext: { seLinuxOptions: { type: "spc_t", user: "u" } } }, 'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set)'],
  [{ initContainers: [container({ windowsOptions: { hostProcess: true } }, "i")] }, 'hostProcess (container "i" must not set securityContext.windowsOptions.hostProcess=true)'],
  [{ containers: [{ name: "c", livenessProbe: { httpGet: { port: 1, host: "10.0.0.1" } } }] }, 'probe or lifecycle host (container "c" uses probe or lifecycle host "10.0.0.1")'],
];
for (const [spec, wanted] of BASELINE) test(`podViolations() at baseline: ${wanted}`, (t) => { t.is(text("baseline", spec), wanted); });

const RESTRICTED: [Partial<PodSpec>, string][] = [
  [{ volumes: [{ name: "v", nfs: { path: "/", server: "s" } }, { name: "ok", emptyDir: {} }] }, 'restricted volume types (volume "v" uses restricted volume type "nfs")'],
  [{ containers: [container({ allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"], add: ["CHOWN"] } })] }, 'unrestricted capabilities (container "c" must not include "CHOWN" in securityContext.capabilities.add)'],
  [{ containers: [container({ ...HARDENED.containers![0]!.securityContext, runAsUser: 0, runAsNonRoot: false })] }, 'runAsNonRoot != true (container "c" must not set securityContext.runAsNonRoot=false), runAsUser=0 (container "c" must not set runAsUser=0)'],
];
for (const [spec, wanted] of RESTRICTED) test(`podViolations() at restricted: ${wanted}`, (t) => { t.is(text("restricted", { ...HARDENED, ...spec }), wanted); });

test("podViolations() knows the old AppArmor annotations", (t) => {
  t.is(text("baseline", {}, { "container.apparmor.security.beta.kubernetes.io/c": "unconfined" }), 'forbidden AppArmor profile (annotation container.apparmor.security.beta.kubernetes.io/c="unconfined")');
});

test("PodSecurity refuses pods where the namespace enforces, and warns authors of workloads", (t) => {
  const cache = new FakeCache(), plugin = new PodSecurity(cache), warnings: string[] = [];
  const write = (reference: typeof pods | typeof deployments, object: object): void => {
    const attributes = { operation: "CREATE", definition: { ...reference } as unknown as ResourceDefinition, subresource: "", namespace: "a", name: "web", object, oldObject: undefined, user: { name: "", groups: [] }, dryRun: false, addWarning: (warning: string) => warnings.push(warning) } as unknown as AdmissionAttributes;
    t.true(plugin.handles("CREATE", attributes.definition, ""));
    plugin.validate(attributes);
  };
  const pod = { metadata: { name: "web" }, spec: { containers: [{ name: "c" }], hostNetwork: true } };
  cache.put(namespaces, { metadata: { name: "a" } });
  t.notThrows(() => write(pods, pod));
  cache.put(namespaces, { metadata: { name: "a", labels: { "pod-security.kubernetes.io/enforce": "baseline", "pod-security.kubernetes.io/warn": "baseline", "pod-security.kubernetes.io/warn-version": "v1.30" } } });
  t.throws(() => write(pods, pod), { message: 'pods "web" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)' });
  t.notThrows(() => write(deployments, { metadata: { name: "web" }, spec: { template: pod } }));
  t.deepEqual(warnings, ['would violate PodSecurity "baseline:v1.30": host namespaces (hostNetwork=true)']);
});

/** What holds of requests, limits and classes of service on hosts of `kaji up` also holds under cgroup v2 with systemd. */
import type { TestFn } from "ava";
import { cgroupPath } from "../../../lib/host/cgroup-name.ts";
import { type ControlGroups, limitsHold, tooMuchIsKilled } from "../../e2e/workloads/cgroup-claims.ts";
import { Lab } from "../../e2e/workloads/lab.ts";
import { clientProgram, kubectlFor } from "../../kubectl.ts";
import { KUBECONFIG } from "../hosts.ts";
import { vmTest, type VmLab } from "../lab.ts";
import { STATE } from "../machines.ts";

const groupsOf = (lab: VmLab): ControlGroups => ({
  v2: true,
  directory: (pod, qos, containerId) => `${cgroupPath(["kubepods", ...(qos === "" ? [] : [qos]), `pod${pod.metadata.uid}`], "systemd")}${containerId === undefined ? "" : `/cri-containerd-${containerId}.scope`}`,
  read: async (node, _controller, file) => (await lab.sh(lab.named(node), `cat /sys/fs/cgroup${file}`)).trim(),
});

export function registerCgroups(test: TestFn, lab: () => VmLab): void {
  const inLab = (title: string, namespace: string, body: (t: Parameters<typeof limitsHold>[0], inner: Lab, groups: ControlGroups) => Promise<void>): void => vmTest(test, lab, title, async (t, vms) => {
    await clientProgram("kubectl");
    const inner = await Lab.open(namespace, { client: vms.client(), kubectl: await kubectlFor(KUBECONFIG, STATE), scale: vms.scale });
    try { await body(t, inner, groupsOf(vms)); }
    finally { await inner.close(); }
  });
  vmTest(test, lab, "the machines have cgroup v2, systemd, and slices made by it", async (t, vms) => {
    t.is((await vms.sh(vms.workers[0]!, "stat -f -c %T /sys/fs/cgroup; systemctl show --property=Slice --value kaji-kubelet; systemctl is-active kubepods.slice")).trim(), "cgroup2fs\nsystem.slice\nactive");
  });
  inLab("cgroup v2: requests and limits stand in the kernel's files, pods below their class of service", "wl-limits", limitsHold);
  inLab("cgroup v2: a container beyond its memory limit is killed and reported as OOMKilled", "wl-oom", (t, inner) => tooMuchIsKilled(t, inner));
}

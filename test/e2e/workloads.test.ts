/**
 * Workloads on one real cluster: what kubelet, kube-proxy, pod network and DNS promise to pods, as pods see it.
 * Tests that disturb others (restarts, rule counts) are serial and come first; the rest run side by side, each in a namespace of its own.
 */
import test from "ava";
import { expectSuccess, kaji, requireRoot } from "./cluster/cluster.ts";
import { registerApiAccess } from "./workloads/api-access.ts";
import { registerBadInput } from "./workloads/bad-input.ts";
import { registerClients, registerDrains } from "./workloads/clients.ts";
import { registerDns } from "./workloads/dns.ts";
import { registerEnvironment } from "./workloads/environment.ts";
import { loadToolsImage, registerImages } from "./workloads/images.ts";
import { registerLifecycle } from "./workloads/lifecycle.ts";
import { registerProbes } from "./workloads/probes.ts";
import { registerResources } from "./workloads/resources.ts";
import { registerRestarts } from "./workloads/restarts.ts";
import { registerSecurity } from "./workloads/security.ts";
import { registerServices } from "./workloads/services.ts";
import { registerTraffic } from "./workloads/traffic.ts";
import { registerUdp } from "./workloads/udp.ts";

test.before(async () => {
  requireRoot();
  await kaji("down", "--keep-cache"); // What an interrupted run left.
  expectSuccess(await kaji("up", "--no-egress"), "kaji up");
  await loadToolsImage();
});

registerRestarts(test);
registerDrains(test);
registerEnvironment(test);
registerLifecycle(test);
registerProbes(test);
registerResources(test);
registerSecurity(test);
registerImages(test);
registerApiAccess(test);
registerClients(test);
registerDns(test);
registerServices(test);
registerTraffic(test);
registerUdp(test);
registerBadInput(test);

test.after.always(async () => { await kaji("down", "--keep-cache"); });

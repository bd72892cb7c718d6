/** kube-proxy: Services on this node; with it, in its process, the pod network and cluster DNS. */
import { writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { createClient } from "../../lib/client/http-client.ts";
import { findProgram } from "../../lib/install/packages.ts";
import { Iptables } from "../../lib/node-iptables/index.ts";
import { IpRoute } from "../../lib/network/iproute.ts";
import { cleanupNetwork } from "../../lib/network/cleanup.ts";
import { removeLocalAddress } from "../../lib/network/local-address.ts";
import { removeDnsRules } from "../../lib/dns/local-rules.ts";
import { cleanupProxy } from "../../lib/proxy/cleanup.ts";
import { PROXY_CONFIGURATION, readProxyConfiguration, type ProxyConfig } from "../../lib/proxy/config.ts";
import type { Client } from "../../lib/client/client.ts";
import type { ClientConfig } from "../../lib/client/client-config.ts";
import { clientConfigOf } from "../../lib/runtime/component.ts";
import { CertificateKeeper } from "../../lib/runtime/certificate-keeper.ts";
import { RuntimeMetrics } from "../../lib/runtime/metrics.ts";
import { SharedInformers } from "../../lib/runtime/shared-informers.ts";
import { aborted, shutdownSignal } from "../../lib/util/abort.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { readConfigKind } from "../../lib/util/config-flags.ts";
import { runDaemon } from "../../lib/util/daemon.ts";
import { FlagError } from "../../lib/util/flags.ts";
import type { Logger } from "../../lib/util/logger.ts";
import { runAll, type Runnable } from "../../lib/util/runnable.ts";
import { readyOnce, type Readiness } from "../../lib/util/service-notifier.ts";
import { FLAGS, configFromFlags, parse, unusedFlags, type Flags } from "./flags.ts";
import { wireDns, wireNetwork, wireProxy, type Wiring } from "./wire.ts";

/** Runs until SIGTERM; the rules stay. Returns the exit code. */
export const main = (argv: readonly string[]): Promise<number> => runDaemon({
  name: "kube-proxy", flags: FLAGS, configKind: PROXY_CONFIGURATION, parse,
  async run(flags, log, readiness) {
    const unused = unusedFlags(argv), config = readConfig(flags, log);
    if (unused.length > 0) log.warn({ flags: unused }, "these flags do nothing in this release");
    await (flags.cleanup ? cleanup(flags, log) : run(flags, config, log, readiness));
  },
}, argv);

function readConfig(flags: Flags, log: Logger): ProxyConfig {
  const document = flags.config === undefined ? undefined : readConfigKind(flags.config, PROXY_CONFIGURATION);
  if (document === undefined) return configFromFlags(flags);
  const { config, unused } = readProxyConfiguration(document);
  if (unused.length > 0) log.warn({ fields: unused }, "these fields of the configuration do nothing in this release");
  return { ...config, hostnameOverride: flags["hostname-override"] ?? config.hostnameOverride, kubeconfig: config.kubeconfig ?? flags.kubeconfig };
}

async function run(flags: Flags, config: ProxyConfig, log: Logger, readiness: Readiness): Promise<void> {
  if (config.oomScoreAdj !== undefined) {
    try { writeFileSync("/proc/self/oom_score_adj", String(config.oomScoreAdj)); }
    catch (error) { log.warn({ oomScoreAdj: config.oomScoreAdj, error: (error as Error).message }, "cannot set the OOM score"); }
  }
  const clock = systemClock, metrics = new RuntimeMetrics();
  const clientConfig = clientConfigOf("kube-proxy", config.kubeconfig, flags.master), client = createClient(clientConfig, { clock, onRequest: metrics.onRequest });
  const informers = new SharedInformers({ client, clock, log });
  const wiring: Wiring = {
    flags, config, log, clock, client, informers, metrics, ip: new IpRoute(), iptables: new Iptables({ family: 4 }),
    nodeName: (config.hostnameOverride ?? hostname()).trim().toLowerCase(),
  };
  const dns = flags["cluster-dns"] === undefined ? { runnables: [], farewell: async () => {} } : wireDns(wiring, flags["cluster-dns"]);
  // Ready without the API server too: the rules that are there go on while it is away.
  const saying = readyOnce(() => wiring.iptables.listChain("nat", "POSTROUTING"), readiness, clock);
  const runnables = [saying, ...wireProxy(wiring), ...(flags["pod-network"] ? wireNetwork(wiring) : []), ...dns.runnables, informers, ...certificateKeeper(flags, clientConfig, client, log)];
  const stop = new AbortController();
  void aborted(shutdownSignal()).then(dns.farewell).then(() => stop.abort());
  try { await runAll(runnables, stop.signal); }
  finally { client.close(); }
}

/** Renews the client certificate, when asked to. */
function certificateKeeper(flags: Flags, config: ClientConfig, client: Client, log: Logger): Runnable[] {
  if (!flags["rotate-certificates"]) return [];
  if (config.certificateFile === undefined || config.certificateFile !== config.keyFile) throw new FlagError("--rotate-certificates needs a kubeconfig whose client-certificate and client-key are one file");
  return [new CertificateKeeper({ client, clock: systemClock, log }, config.certificateFile, () => ({ signerName: "kubernetes.io/kube-apiserver-client", subject: { commonName: "system:kube-proxy" }, usage: "client auth", prefix: "csr-" }))];
}

/** Takes back everything a kube-proxy of ours (or upstream's, in iptables mode) ever made on this host. */
async function cleanup(flags: Flags, log: Logger): Promise<void> {
  const ip = new IpRoute(), hasIptables = (await findProgram("iptables")) !== undefined; // Without it there are no rules, but a master has routes.
  for (const family of [4, 6] as const) {
    const iptables = new Iptables({ family });
    const removed = !hasIptables ? 0 : await cleanupProxy(iptables).catch((error: unknown) => {
      if (family === 4) throw error;
      log.debug({ error }, "no IPv6 rules to remove");
      return 0;
    });
    log.info({ family, removed }, "removed the proxy's chains");
    if (family === 6) continue;
    if (hasIptables) await removeDnsRules(iptables);
    await cleanupNetwork({ ip, iptables: hasIptables ? iptables : undefined, log }, { cniDir: flags["pod-network-config-dir"] });
  }
  for (const address of [flags["cluster-dns"] ?? "10.96.0.10"]) if (await removeLocalAddress(ip, address)) log.info({ address }, "removed the DNS address");
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));

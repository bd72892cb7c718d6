/** A real API server and real kube-proxies in namespaces, without kubelets: Nodes and endpoints are made by the test, pods by the CNI plugins. */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { dnsAccess } from "../../../lib/api/helpers/cluster-dns.ts";
import type { Node } from "../../../lib/api/schema/generated/models.ts";
import { nodes, rolebindings, roles } from "../../../lib/api/schema/generated/references.ts";
import { createClient } from "../../../lib/client/http-client.ts";
import type { Client } from "../../../lib/client/client.ts";
import { loadKubeconfig, makeKubeconfig, writeKubeconfig } from "../../../lib/client/kubeconfig.ts";
import { issue } from "../../../lib/pki/certificate.ts";
import { ensureClusterPki } from "../../../lib/pki/cluster-pki.ts";
import { privateKeyPem } from "../../../lib/pki/keys.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { Namespaces, eventually } from "./namespaces.ts";

const ROOT = path.resolve(import.meta.dirname, "../../.."), MASTER = "10.90.0.10", PORT = 6443;
const NODE_BIN = path.join(ROOT, "node_modules/.bin/node");

/** How fast daemons start is no claim of these tests: they wait while the process lives, and this long at most. */
const START_MAX_MS = 180_000;

async function started(what: string, child: ChildProcess, isReady: () => Promise<boolean>): Promise<void> {
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const ready = await eventually(async () => await isReady() || ended(), START_MAX_MS, 100);
  if (!ready || ended()) throw new Error(`Cannot test: ${what} ${ended() ? `ended with code ${child.exitCode}` : "does not become ready"}`);
}

export class SmallCluster {
  readonly spaces: Namespaces;
  readonly dir: string;
  client!: Client;
  readonly #children: ChildProcess[] = [];
  readonly #proxies = new Map<string, ChildProcess>();

  constructor(tag: string) {
    this.spaces = new Namespaces(tag);
    this.dir = mkdtempSync(path.join(tmpdir(), `kaji-${tag}-`));
  }

  /** Starts the API server on a host of its own; `relayPort` on 127.0.0.1 leads to it from here. */
  async start(relayPort: number): Promise<void> {
    const pki = path.join(this.dir, "pki"), file = (name: string): string => path.join(pki, name);
    mkdirSync(pki);
    const { ca } = ensureClusterPki({ dir: pki, advertiseAddresses: [MASTER, "10.96.0.1"], serviceNames: ["kubernetes"], clock: systemClock });
    const kubeconfig = (name: string, server: string, user: string, organizations: string[]): string => {
      const pair = issue(ca, { subject: { commonName: user, ...(organizations.length === 0 ? {} : { organizations }) }, usages: ["client"], now: new Date() }), target = path.join(this.dir, `${name}.conf`);
      writeKubeconfig(target, makeKubeconfig({ cluster: "kaji", server, user, ca: ca.certificatePem, certificate: pair.certificatePem, key: privateKeyPem(pair.key) }));
      return target;
    };
    kubeconfig("proxy", `https://${MASTER}:${PORT}`, "system:kube-proxy", []);
    const admin = kubeconfig("admin", `https://127.0.0.1:${relayPort}`, "admin", ["system:masters"]);
    this.spaces.addHost("m", 10, { bridge: false });
    const server = this.#spawn("m", [NODE_BIN, "--no-warnings", path.join(ROOT, "cmd/kube-apiserver/main.ts"), `--advertise-address=${MASTER}`, `--data-file=${path.join(this.dir, "state.db")}`,
      `--tls-cert-file=${file("apiserver.crt")}`, `--tls-private-key-file=${file("apiserver.key")}`, `--client-ca-file=${file("ca.crt")}`,
      `--service-account-key-file=${file("sa.pub")}`, `--service-account-signing-key-file=${file("sa.key")}`, "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
      "--service-cluster-ip-range=10.96.0.0/16", "--authorization-mode=Node,RBAC", "--log-level=warn"]);
    this.#children.push(spawn("socat", [`TCP-LISTEN:${relayPort},bind=127.0.0.1,fork,reuseaddr`, `EXEC:${this.spaces.prefix("m").join(" ")} socat STDIO TCP\\:${MASTER}\\:${PORT}`], { stdio: "ignore" }));
    this.client = createClient(loadKubeconfig(admin, { component: "test" }));
    await started("the API server", server, () => this.client.raw("GET", "/readyz").then(({ status }) => status === 200, () => false));
    const [role, binding] = dnsAccess();
    await eventually(() => this.client.create(roles, role).then(() => true, () => false), 10_000); // Its namespace may not be there yet.
    await this.client.create(rolebindings, binding);
  }

  /** A host with its Node. */
  async addNode(name: string, n: number, subnet: 90 | 91 = 90): Promise<void> {
    this.spaces.addHost(name, n, { bridge: false, subnet });
    const node: Node = { apiVersion: "v1", kind: "Node", metadata: { name }, spec: { podCIDR: `10.244.${n}.0/24`, podCIDRs: [`10.244.${n}.0/24`] } };
    const made = await this.client.create(nodes, node);
    await this.client.update(nodes, { ...made, status: { addresses: [{ type: "InternalIP", address: `10.${subnet}.0.${n}` }] } }, { subresource: "status" });
  }

  cniDir(name: string): string { return path.join(this.dir, `cni-${name}`); }

  proxyCommand(name: string, more: readonly string[] = []): string[] {
    return [NODE_BIN, "--no-warnings", path.join(ROOT, "cmd/kube-proxy/main.ts"), `--kubeconfig=${path.join(this.dir, "proxy.conf")}`, `--hostname-override=${name}`, "--cluster-cidr=10.244.0.0/16", "--pod-network=true",
      `--pod-network-config-dir=${this.cniDir(name)}`, "--cluster-dns=10.96.0.10", `--dns-resolv-conf=${path.join(this.dir, "none.conf")}`, "--log-level=warn",
      "--conntrack-max-per-core=0", "--conntrack-tcp-timeout-established=0s", "--conntrack-tcp-timeout-close-wait=0s", ...more];
  }

  async startProxy(name: string, more: readonly string[] = []): Promise<void> {
    const child = this.#spawn(name, this.proxyCommand(name, more));
    this.#proxies.set(name, child);
    await started(`kube-proxy on ${name}`, child, async () => (await this.spaces.script(name, "curl -s -m 1 http://127.0.0.1:10256/healthz")).code === 0 && (await this.spaces.script(name, "iptables-save")).out.includes("KUBE-SERVICES"));
  }

  /** Ends a proxy; resolves with its exit code. */
  async stopProxy(name: string, how: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    const child = this.#proxies.get(name)!, gone = new Promise<number | null>((resolve) => child.once("exit", resolve));
    child.kill(how);
    return gone;
  }

  /** A pod's namespace, joined by the very plugins and configuration the proxy wrote; returns its address. */
  addCniPod(pod: string, host: string): string {
    this.spaces.add(pod);
    const list = JSON.parse(readFileSync(path.join(this.cniDir(host), "10-kaji.conflist"), "utf8")) as { cniVersion: string; name: string; plugins: Record<string, unknown>[] };
    const bridge = list.plugins[0]!;
    const config = { ...bridge, cniVersion: list.cniVersion, name: list.name, ipam: { ...(bridge["ipam"] as object), dataDir: path.join(this.dir, `ipam-${host}`) } };
    const [program, ...args] = [...this.spaces.prefix(host), "env", "CNI_COMMAND=ADD", `CNI_CONTAINERID=${pod}`, `CNI_NETNS=/run/netns/${this.spaces.name(pod)}`, "CNI_IFNAME=eth0", "CNI_PATH=/usr/lib/cni", "/usr/lib/cni/bridge"];
    const result = JSON.parse(execFileSync(program!, args, { input: JSON.stringify(config), encoding: "utf8" })) as { ips: { address: string }[] };
    return result.ips[0]!.address.split("/")[0]!;
  }

  #spawn(host: string, argv: readonly string[]): ChildProcess {
    const [program, ...args] = [...this.spaces.prefix(host), ...argv], child = spawn(program!, args, { stdio: ["ignore", "inherit", "inherit"] });
    this.#children.push(child);
    return child;
  }

  async close(): Promise<void> {
    this.client?.close();
    for (const child of this.#children) child.kill("SIGKILL");
    await this.spaces.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

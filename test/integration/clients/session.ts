/** A cluster without containers (real API server, real controllers, hollow kubelets) and a terminal on it with programs of one version. */
import type { TestFn } from "ava";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { makeKubeconfig, writeKubeconfig } from "../../../lib/client/kubeconfig.ts";
import { namespaces, pods, serviceaccounts } from "../../../lib/api/schema/generated/references.ts";
import type { ClientVersion } from "../../kubectl.ts";
import { linkPrograms, type SessionProgram } from "../../terminal.ts";
import { replay } from "../../transcript.ts";
import { processProgram, startFakeKubelet, type FakeKubelet } from "../apiserver-streams/fake-kubelet.ts";
import { World } from "../controllers/world.ts";

const GOLDEN = path.resolve(import.meta.dirname, "../../golden/clients");

/** Of this process's PATH: kubectl speaks of every folder that is not there. */
const readableFolders = (): string[] => (process.env["PATH"] ?? "").split(":").filter((folder) => existsSync(folder));

export class ClientSession {
  readonly world: World;
  readonly kubelet: FakeKubelet;
  /** A folder of the test's own: HOME, and where commands run in containers. */
  readonly directory: string;
  private constructor(world: World, kubelet: FakeKubelet, directory: string) { this.world = world; this.kubelet = kubelet; this.directory = directory; }

  /** `programs` are those on the terminal's PATH. */
  static async start(programs: readonly SessionProgram[], version: ClientVersion): Promise<ClientSession> {
    const directory = mkdtempSync(path.join(tmpdir(), "client-session-"));
    mkdirSync(path.join(directory, "container"));
    await linkPrograms(directory, programs, version);
    const program = processProgram({ cwd: path.join(directory, "container"), attached: ["cat"] });
    const kubelet = await startFakeKubelet(async (streams, command, entry) => {
      const code = await program(streams, command, entry), [, verb, namespace, name, container] = entry.url.split(/[/?]/);
      const pod = verb === "attach" ? await world.get(pods, name!, namespace) : undefined;
      if (pod?.spec.containers[0]!.name === container && pod?.spec.restartPolicy === "Never") await world.end(pod!, code); // What it was attached to has ended.
      return code;
    });
    const world = await World.start([], ["n1", "n2", "n3"], { kubelet });
    world.ends.set("ok:1", 0).set("bad:1", 1);
    world.broken.add("never:1");
    return new ClientSession(world, kubelet, directory);
  }
  async stop(): Promise<void> {
    await this.world.stop();
    this.kubelet.close();
    rmSync(this.directory, { recursive: true });
  }

  /** A namespace with its default service account, and a terminal in it as the administrator. */
  async terminal(namespace: string): Promise<{ cwd: string; env: NodeJS.ProcessEnv; kubeconfig: string }> {
    const { server, client } = this.world, cwd = path.join(this.directory, namespace), kubeconfig = path.join(cwd, "kubeconfig");
    mkdirSync(cwd);
    const config = makeKubeconfig({ cluster: "test", server: server.url, user: "admin", ca: server.caPem, certificate: server.admin.certificatePem, key: server.admin.keyPem });
    for (const { context } of config.contexts) Object.assign(context, { namespace });
    writeKubeconfig(kubeconfig, config);
    await client.create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace }, spec: {} });
    await this.world.until("the default service account", () => this.world.get(serviceaccounts, "default", namespace));
    return { cwd, kubeconfig, env: { PATH: [path.join(this.directory, "bin"), ...readableFolders()].join(":"), HOME: this.directory, KUBECONFIG: kubeconfig, LC_ALL: "C", TZ: "UTC" } };
  }

  /** Nothing of one session is left when the next begins. */
  async clear(namespace: string): Promise<void> {
    await this.world.client.delete(namespaces, { name: namespace });
    await this.world.until(`the end of namespace ${namespace}`, async () => (await this.world.get(namespaces, namespace)) === undefined);
  }
}

/** Registers one test a transcript of `test/golden/clients/FOLDER`, each in a namespace of its name. */
export function replayAll(test: TestFn, folder: string, { programs, version, marks = [version] }: { programs: readonly SessionProgram[]; version: ClientVersion; marks?: readonly string[] }): void {
  let session: ClientSession;
  test.before(async () => { session = await ClientSession.start(programs, version); });
  test.after.always(async () => { await session.stop(); });
  for (const file of readdirSync(path.join(GOLDEN, folder)).toSorted()) {
    const name = path.basename(file, ".txt");
    test.serial(`${programs[0]} ${version}: ${name}`, async (t) => {
      t.timeout(300_000);
      const { cwd, env } = await session.terminal(name);
      await replay(t, path.join(GOLDEN, folder, file), { cwd, env, marks });
      await session.clear(name);
    });
  }
}

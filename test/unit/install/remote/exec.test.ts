import test from "ava";
import { chooseHosts, execOnHosts, exitCodeOf } from "../../../../lib/install/remote/exec.ts";
import { RemoteError, type RemoteHost, type RunOptions, type RunResult } from "../../../../lib/install/remote/remote-host.ts";
import type { HostSpec } from "../../../../lib/install/remote/cluster-file.ts";

const host = (name: string): HostSpec => ({ name, role: "worker", reach: { address: name, port: 22, user: "root" }, labels: {}, taints: [] });

test("execOnHosts() puts the host's name before every line; exit codes are results, a host that is away a failure", async (t) => {
  const written: string[] = [], signal = new AbortController().signal;
  const result = await execOnHosts(["a", "longer", "away"].map(host), ["uname", "-n"], { sudo: true }, {
    usualIdentities: [], write: (text) => written.push(text),
    connect: (target) => (target.name === "away" ? Promise.reject(new RemoteError("refused", target, { found: "connection refused", nextStep: "start it" }))
      : Promise.resolve({ target, close: () => undefined, run: (argv: readonly string[], options: RunOptions): Promise<RunResult> => { options.onLine!(`${argv.join(" ")} sudo=${String(options.sudo)}`); return Promise.resolve({ code: target.name === "a" ? 0 : 3, stdout: "", stderr: "" }); } } as unknown as RemoteHost)),
  }, signal);
  t.deepEqual(written.toSorted(), ["a      | uname -n sudo=true\n", "longer | uname -n sudo=true\n"]);
  t.deepEqual(Object.fromEntries(result.codes), { a: 0, longer: 3 });
  t.deepEqual(result.failures.map((failure) => failure.host), ["away"]);
  t.is(exitCodeOf(result), 255);
  t.is(exitCodeOf({ ...result, failures: [] }), 3);
});

test("chooseHosts() names the host that is most like an unknown one", (t) => {
  const spec = { name: "c", hosts: ["master-1", "worker-1"].map(host), cluster: { apiServerNames: [] }, drainTimeoutMs: 0, complete: true };
  t.deepEqual(chooseHosts(spec, ["worker-1"]).map((each) => each.name), ["worker-1"]);
  t.is(chooseHosts(spec, []).length, 2);
  t.throws(() => chooseHosts(spec, ["worker1"]), { message: /Cannot find host "worker1": did you mean "worker-1"\?/ });
  t.throws(() => chooseHosts(spec, ["zzzzzzzzz"]), { message: /there are master-1, worker-1/ });
});

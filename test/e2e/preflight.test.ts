/** `kaji up` refuses before it changes anything, and says what was found and what to do. */
import test from "ava";
import { createServer } from "node:net";
import { once } from "node:events";
import { exec, ExecError } from "../../lib/util/exec.ts";
import { kaji, requireRoot, root } from "./cluster/cluster.ts";
import { readMachineState } from "../machine-state.ts";

test.before(async () => { requireRoot(); await kaji("down", "--keep-cache"); });

test.serial("kaji up names the process that holds its port, and changes nothing", async (t) => {
  const holder = createServer().listen(6443, "0.0.0.0");
  await once(holder, "listening");
  try {
    const before = await readMachineState(), result = await kaji("up", "--no-egress");
    t.is(result.code, 1);
    t.regex(result.stderr, new RegExp(`port 6443 is taken by process ${process.pid} \\(.+\\); stop it, or choose another port with --api-port=`));
    t.deepEqual(await readMachineState(), before);
  } finally { holder.close(); }
});

test.serial("kaji up names the interface whose range overlaps, and the flag to choose another", async (t) => {
  const { stdout } = await exec("ip", ["-j", "-4", "route", "show", "scope", "link"]);
  const route = (JSON.parse(stdout) as { dst: string; dev: string }[]).find((r) => r.dst.includes("/"))!;
  const [network] = route.dst.split("/"), wide = `${network!.split(".").slice(0, 2).join(".")}.0.0/16`;
  const result = await kaji("up", "--no-egress", `--service-cidr=${wide}`);
  t.is(result.code, 1);
  t.regex(result.stderr, new RegExp(`the range ${wide.replaceAll(".", "\\.")} \\(--service-cidr\\) overlaps .+; choose a free range with --service-cidr=`));
});

test.serial("kaji up says that it needs root", async (t) => {
  // Nobody, who may only read: a clone in root's own home is closed to others.
  const nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search", "--"];
  const error = await exec("setpriv", [...nobody, process.execPath, `${root}/cmd/kaji/main.ts`, "up"]).then(() => undefined, (e: unknown) => e as ExecError);
  t.is(error?.exitCode, 1);
  t.regex(error!.stderr, /Cannot start a cluster as an ordinary user: .+ run it with "sudo"/);
});

test.serial("kaji refuses nonsense by name", async (t) => {
  const wrong: [string[], RegExp][] = [
    [["up", "--workers=0"], /--workers=0: expected 1 to 50/], [["up", "--workers=many"], /invalid argument "many" for "--workers" flag/], [["up", "--nope"], /unknown flag: --nope/],
    [["up", "--pod-cidr=10.96.0.0/16"], /--pod-cidr=10\.96\.0\.0\/16 with --service-cidr=10\.96\.0\.0\/16: the ranges overlap/], [["launch"], /unknown command "launch"/],
    [["host", "worker-1", "--", "true"], /There is no cluster on this machine/], [["image", "load"], /Usage: kaji image load IMAGE\|FILE/],
  ];
  for (const [args, message] of wrong) {
    const result = await kaji(...args);
    t.is(result.code, 1, args.join(" "));
    t.regex(result.stderr, message, args.join(" "));
  }
});

test.serial("kaji status and down do no harm where there is no cluster", async (t) => {
  const status = await kaji("status");
  t.deepEqual([status.code, status.stdout], [1, 'There is no cluster on this machine; "kaji up" makes one.\n']);
  t.is((await kaji("down", "--keep-cache")).code, 0);
});

/** `kaji join` by hand, with what the master does not accept. */
import type { TestFn } from "ava";
import { until } from "../../../lib/install/wait.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { bring, joinCluster, makeMaster } from "../hosts.ts";
import { vmTest, type VmLab } from "../lab.ts";
import { ssh } from "../machines.ts";

export function registerJoinFaults(test: TestFn, lab: () => VmLab): void {
  vmTest(test, lab, "kaji join with a wrong pin, an expired token or the name of another node is refused, and then joins with the right ones", async (t, lab) => {
    const [master, worker] = lab.machines as [typeof lab.master, typeof lab.master];
    await Promise.all(lab.machines.map((vm) => bring(vm, lab.image)));
    const { join } = await makeMaster(master, lab.image);
    const refused = async (command: string, ...parts: RegExp[]): Promise<void> => {
      const error = await t.throwsAsync(joinCluster(worker, lab.image, command));
      t.log(error.message.trim());
      for (const part of parts) t.regex(error.message, part);
      t.is(await lab.sh(worker, "ls /etc/systemd/system | grep kaji; true"), "", "it was made no node");
    };
    await refused(join.replace(/sha256:.*/, `sha256:${"0".repeat(64)}`), /Cannot trust .* has the pin sha256:[0-9a-f]{64}.*kaji token create/s);

    const short = (await ssh(master, lab.image, "/usr/local/bin/kaji token create --ttl 1s --print-join-command")).stdout.trim().replace(/^kaji /, "");
    const { id } = /--token (?<id>[a-z0-9]{6})\./.exec(short)!.groups as { id: string };
    await until("the token's end", async () => ((await ssh(master, lab.image, "/usr/local/bin/kaji token list")).stdout.includes(id) ? undefined : true), systemClock, lab.limitMs(30_000));
    await refused(short, /expired/, /kaji token create --print-join-command/);

    await joinCluster(worker, lab.image, join);
    // The master's machine under the worker's name: a node of that name is Ready.
    const twin = await t.throwsAsync(ssh(master, lab.image, `/root/kaji ${join} --bundle /root/bundle --node-name ${worker.name}`));
    t.log(twin.message.trim());
    t.regex(twin.message, /Cannot join as "vm2": a node of that name is in the cluster/);
  });
}

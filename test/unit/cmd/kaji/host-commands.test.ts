import test from "ava";
import { HOST_COMMANDS } from "../../../../cmd/kaji/host-commands.ts";
import { FlagError } from "../../../../lib/util/flags.ts";

const PIN = `--discovery-token-ca-cert-hash=sha256:${"0".repeat(64)}`;
const join = (...args: string[]): Promise<number | void> => HOST_COMMANDS["join"]!.run(["192.0.2.1:6443", PIN, ...args]);

test("kaji join says which token file it cannot read", async (t) => {
  await t.throwsAsync(join("--token-file=/nonexistent/token"), { instanceOf: FlagError, message: /Cannot read --token-file=\/nonexistent\/token: ENOENT/ });
});

test("kaji join takes the token from one place: flag or file, not both and not none", async (t) => {
  for (const args of [[], ["--token=abcdef.0123456789abcdef", "--token-file=/nonexistent/token"]]) await t.throwsAsync(join(...args), { instanceOf: FlagError, message: /^Usage: kaji join/ });
});

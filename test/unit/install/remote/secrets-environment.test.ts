import test from "ava";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { howToGive, secretFromEnvironment } from "../../../../lib/install/remote/secrets-environment.ts";

test("secretFromEnvironment() takes the variable, or the first line's end off the file it names", (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), "kaji-secret-")), file = path.join(directory, "sudo");
  t.teardown(() => rmSync(directory, { recursive: true }));
  writeFileSync(file, " with blanks \n", { mode: 0o600 });
  t.is(secretFromEnvironment("sudo", { KAJI_SUDO_PASSWORD: "a" }), "a");
  t.is(secretFromEnvironment("sudo", { KAJI_SUDO_PASSWORD_FILE: file }), " with blanks ");
  t.is(secretFromEnvironment("login", { KAJI_SUDO_PASSWORD: "a" }), undefined);
  chmodSync(file, 0o640);
  t.throws(() => secretFromEnvironment("sudo", { KAJI_SUDO_PASSWORD_FILE: file }), { message: /others may read it \(mode 640\): chmod 600 it/ });
  t.throws(() => secretFromEnvironment("sudo", { KAJI_SUDO_PASSWORD_FILE: `${file}.not` }), { message: /Cannot read KAJI_SUDO_PASSWORD_FILE .*ENOENT/ });
});

test("howToGive() names the variable of each secret", (t) => {
  t.regex(howToGive("login"), /KAJI_SSH_PASSWORD_FILE/);
  t.regex(howToGive("passphrase"), /KAJI_KEY_PASSPHRASE/);
});

/**
 * The distribution's own sshd on a loopback port, with sudo and PAM, and users that exist for it alone: it runs in a mount namespace
 * where /etc/passwd and its like are copies with more lines. Nothing of it is left on the machine.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { appendFileSync, chmodSync, chownSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { freePort } from "../../free-port.ts";

/** Users, all with the password `sesame`, and what sudo lets them do. */
export const USERS = {
  "kaji-admin": "kaji-admin ALL=(ALL:ALL) ALL",
  "kaji-free": "kaji-free ALL=(ALL:ALL) NOPASSWD: ALL",
  "kaji-tty": "Defaults:kaji-tty requiretty\nkaji-tty ALL=(ALL:ALL) NOPASSWD: ALL",
  "kaji-guest": "",
  "kaji-kbd": "",
  "kaji-both": "",
} as const;
const PASSWORD_HASH = "$6$kajitori$/OHTjJ9C0tg1M/8UNzC2G2tItrTY3fuPoBMIoghed3TG1dKWSPrbqLoCSburKCPA0tX8IyZc4bZv25ozpDOTX/"; // `openssl passwd -6 sesame`.
const FIRST_UID = 61_900;

/** Binds the copies over the originals and gives sudo and PAM places of their own to write to. $1: the folder, then sshd's arguments. */
const ENTER = `set -e
for file in passwd shadow group; do mount --bind "$1/etc/$file" "/etc/$file"; done
mount --bind "$1/etc/sudoers.d" /etc/sudoers.d
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=700 tmpfs /var/lib/sudo
mount -t tmpfs -o size=1m tmpfs "$1/small"
[ ! -e /var/log/btmp ] || mount --bind "$1/etc/btmp" /var/log/btmp
mkdir -p /run/sshd /run/sudo
shift
exec /usr/sbin/sshd "$@"`;

export class RealSshd {
  readonly directory = mkdtempSync(path.join(tmpdir(), "kaji-sshd-"));
  readonly #port: number;
  #process: ChildProcess | undefined;
  readonly log: string[] = [];
  private constructor(port: number) { this.#port = port; }

  get port(): number { return this.#port; }
  file(...names: string[]): string { return path.join(this.directory, ...names); }

  static async start(): Promise<RealSshd> {
    const sshd = new RealSshd(await freePort());
    sshd.#prepare();
    await sshd.#run();
    return sshd;
  }

  /** A key pair made by ssh-keygen. Returns the private key's file. */
  keyPair(name: string, type: "ed25519" | "ecdsa" | "rsa", passphrase = ""): string {
    execFileSync("ssh-keygen", ["-q", "-t", type, "-N", passphrase, "-C", name, "-f", this.file(name)]);
    return this.file(name);
  }
  /** Lets the key in as that user. */
  authorize(user: string, keyFile: string): void { appendFileSync(this.file("authorized", user), readFileSync(`${keyFile}.pub`)); }

  async stop(): Promise<void> {
    const child = this.#process;
    if (child !== undefined && child.exitCode === null) {
      const ended = new Promise((resolve) => { child.once("exit", resolve); });
      child.kill();
      await ended;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  #prepare(): void {
    chmodSync(this.directory, 0o755);
    for (const name of ["etc", "authorized", "home", "small", "rooms"]) mkdirSync(this.file(name));
    for (const name of ["passwd", "shadow", "group"]) copyFileSync(`/etc/${name}`, this.file("etc", name));
    cpSync("/etc/sudoers.d", this.file("etc", "sudoers.d"), { recursive: true });
    writeFileSync(this.file("etc", "btmp"), "", { mode: 0o600 });
    for (const [index, [user, rule]] of Object.entries(USERS).entries()) {
      const id = FIRST_UID + index, home = this.file("home", user);
      appendFileSync(this.file("etc", "passwd"), `${user}:x:${id}:${id}::${home}:/bin/sh\n`);
      appendFileSync(this.file("etc", "group"), `${user}:x:${id}:\n`);
      appendFileSync(this.file("etc", "shadow"), `${user}:${PASSWORD_HASH}:20000:0:99999:7:::\n`);
      mkdirSync(home);
      chownSync(home, id, id);
      if (rule !== "") writeFileSync(this.file("etc", "sudoers.d", user), `${rule}\n`, { mode: 0o440 });
    }
    for (const user of ["root", ...Object.keys(USERS)]) writeFileSync(this.file("authorized", user), "");
    for (const type of ["ed25519", "ecdsa", "rsa"] as const) this.keyPair(`host_${type}`, type);
    writeFileSync(this.file("sshd_config"), `Port ${this.port}
ListenAddress 127.0.0.1
${["ed25519", "ecdsa", "rsa"].map((type) => `HostKey ${this.file(`host_${type}`)}`).join("\n")}
PidFile none
UsePAM yes
StrictModes no
PermitRootLogin prohibit-password
AuthorizedKeysFile ${this.file("authorized")}/%u
PasswordAuthentication yes
KbdInteractiveAuthentication yes
Match User kaji-kbd
  PasswordAuthentication no
Match User kaji-both
  AuthenticationMethods publickey,password
`);
  }

  async #run(): Promise<void> {
    const child = spawn("unshare", ["--mount", "--propagation", "private", "--", "sh", "-c", ENTER, "sh", this.directory, "-D", "-e", "-f", this.file("sshd_config")], { stdio: ["ignore", "ignore", "pipe"] });
    this.#process = child;
    await new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`sshd ended with ${code}:\n${this.log.join("\n")}`)));
      createInterface({ input: child.stderr }).on("line", (line) => { this.log.push(line); if (line.includes("Server listening")) resolve(); });
    });
  }

  /** What lies in a folder as sshd's namespace sees it. */
  list(...names: string[]): string[] { return readdirSync(path.join("/proc", String(this.#process!.pid), "root", this.file(...names))); }
}

/**
 * The disk that test machines boot from: a bare Debian 12 with systemd, sshd and sudo and nothing of a cluster; beside it the kernel,
 * and the packages and images a machine without internet needs, laid out as the air-gap bundle `kaji init --bundle` reads.
 *
 * People on it, all let in with the machines' key: root; `alice` (also with a password, which sudo asks for); `robot` (sudo asks
 * nothing); `guest` (no sudo).
 *
 * Made once and kept under /var/cache/kaji-vm, named after what went in; each machine writes into an overlay of its own.
 */
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { BUNDLE_PACKAGES, makeBundle, PYTHON_PACKAGES } from "../../lib/install/bundle/make-bundle.ts";
import { installPackages, missingPackages } from "../../lib/install/packages.ts";
import { exec } from "../../lib/util/exec.ts";
import { BOOT_SETTINGS_FILE, WORKED_OUT_AT_BOOT } from "../machine-state.ts";

const BASE = ["systemd-sysv", "udev", "dbus", "iproute2", "openssh-server", "sudo", "linux-image-cloud-amd64", "initramfs-tools"];
const DISK_SIZE = "6G";
/** What `alice` logs in with, and says to sudo. No secret: the machines are of the tests' own network. */
export const ALICE_PASSWORD = "let-alice-in";

/** Written into the image: no prompt, keys of its own for each machine, the journal kept on disk, no housekeeping (minutes of each boot, without hardware acceleration), a note of what the kernel worked out at this boot, people. */
const SETUP = `set -eu
rm -f "$1"/etc/ssh/ssh_host_* "$1"/var/lib/dbus/machine-id
: > "$1/etc/machine-id"
mkdir -p "$1/etc/systemd/system/ssh.service.d" "$1/var/log/journal" "$1/root/.ssh"
printf '[Service]\\nExecStartPre=\\nExecStartPre=/usr/bin/ssh-keygen -A\\nExecStartPre=/usr/sbin/sshd -t\\n' > "$1/etc/systemd/system/ssh.service.d/keys.conf"
ln -sf /lib/systemd/system/systemd-networkd.service "$1/etc/systemd/system/multi-user.target.wants/systemd-networkd.service"
mkdir -p "$1/etc/systemd/system/sysinit.target.wants"
ln -sf /lib/systemd/system/systemd-network-generator.service "$1/etc/systemd/system/sysinit.target.wants/systemd-network-generator.service"
printf '/dev/vda / ext4 defaults 0 1\\n' > "$1/etc/fstab"
for unit in e2scrub_reap.service e2scrub_all.timer apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer; do ln -sf /dev/null "$1/etc/systemd/system/$unit"; done
printf '[Unit]\\nDefaultDependencies=no\\nBefore=sysinit.target systemd-sysctl.service\\n[Service]\\nType=oneshot\\nExecStart=/bin/sh -c "cd /proc/sys && grep -H . ${WORKED_OUT_AT_BOOT.join(" ")} > ${BOOT_SETTINGS_FILE}"\\n' > "$1/etc/systemd/system/boot-settings.service"
ln -sf ../boot-settings.service "$1/etc/systemd/system/sysinit.target.wants/boot-settings.service"
chmod 700 "$1/root/.ssh"
passwd -R "$1" -d root >/dev/null
for user in alice robot guest; do
  chroot "$1" useradd --create-home --shell /bin/bash $user
  chroot "$1" install -d -m 700 -o $user -g $user /home/$user/.ssh
  chroot "$1" install -m 600 -o $user -g $user /root/.ssh/authorized_keys /home/$user/.ssh/authorized_keys
done
printf '%s\\n' 'alice:${ALICE_PASSWORD}' | chroot "$1" chpasswd
printf 'Defaults lecture=never\\nalice ALL=(ALL) ALL\\nrobot ALL=(ALL) NOPASSWD: ALL\\n' > "$1/etc/sudoers.d/people"
chmod 440 "$1/etc/sudoers.d/people"
`;

export interface VmImage { readonly disk: string; readonly kernel: string; readonly initrd: string; readonly sshKey: string; readonly bundle: string }
export const CACHE = "/var/cache/kaji-vm";

const REQUIRED = [
  { program: "mmdebstrap", debianPackage: "mmdebstrap", why: "makes the machines' disk" }, { program: "qemu-system-x86_64", debianPackage: "qemu-system-x86", why: "runs machines" },
  { program: "qemu-img", debianPackage: "qemu-utils", why: "makes overlays" }, { program: "ssh", debianPackage: "openssh-client", why: "reaches machines" }, { program: "mke2fs", debianPackage: "e2fsprogs", why: "makes the disk's file system" },
];

/** The image, made first when it is missing (about three minutes). As root. */
export async function ensureImage(): Promise<VmImage> {
  await installPackages(await missingPackages(REQUIRED));
  const tag = createHash("sha256").update(JSON.stringify([BASE, DISK_SIZE, SETUP])).digest("hex").slice(0, 12);
  const folder = path.join(CACHE, tag), at = (name: string): string => path.join(folder, name);
  if (!existsSync(folder)) await makeImage(folder);
  const bundle = `bundle-${createHash("sha256").update(JSON.stringify([BUNDLE_PACKAGES, PYTHON_PACKAGES])).digest("hex").slice(0, 12)}/bundle`;
  if (!existsSync(at(bundle))) {
    mkdirSync(path.dirname(at(bundle)), { recursive: true });
    await makeBundle(at("bundle.work"), { architecture: process.arch as "x64", units: path.resolve(import.meta.dirname, "../../systemd"), cache: path.join(CACHE, "packages") });
    renameSync(at("bundle.work"), at(bundle));
  }
  return { disk: at("disk.img"), kernel: at("vmlinuz"), initrd: at("initrd.img"), sshKey: at("id_ed25519"), bundle: at(bundle) };
}

async function makeImage(folder: string): Promise<void> {
  const work = `${folder}.work`, at = (name: string): string => path.join(work, name);
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  await exec("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "kaji-test", "-f", at("id_ed25519")]);
  writeFileSync(at("setup.sh"), SETUP);
  chmodSync(at("setup.sh"), 0o755);
  await exec("mmdebstrap", [
    "--variant=minbase", `--include=${BASE.join(",")}`,
    `--customize-hook=install -D -m 600 ${at("id_ed25519.pub")} "$1/root/.ssh/authorized_keys"`, `--customize-hook=sh ${at("setup.sh")} "$1"`,
    `--customize-hook=cp "$1"/boot/vmlinuz-* ${at("vmlinuz")} && cp "$1"/boot/initrd.img-* ${at("initrd.img")}`,
    "bookworm", at("root"),
  ], { env: { ...process.env, TMPDIR: work } });
  await exec("mke2fs", ["-q", "-t", "ext4", "-d", at("root"), at("disk.img"), DISK_SIZE]);
  rmSync(at("root"), { recursive: true });
  renameSync(work, folder);
}

/** What a machine trusts: the key every test machine accepts. */
export const publicKey = (image: VmImage): string => readFileSync(`${image.sshKey}.pub`, "utf8");

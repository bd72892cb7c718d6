/** What `kaji config new` writes: a cluster.yaml with every field, explained; those with a default are commented out. Pure. */
import { SETTINGS_DEFAULTS as D } from "../host/cluster-settings.ts";
import { FILE_API_VERSION, FILE_KIND, type Reach } from "./cluster-file.ts";

const hostText = (name: string, role: string, { user, address, port }: Reach): string => `  - name: ${name}                  # the node's name: small letters, digits, - and .
    address: ${address}        # where it is reached over SSH: an address or a name
    role: ${role}
${user === "root" ? "" : `    user: ${user}\n`}${port === 22 ? "" : `    port: ${port}\n`}`;

/** For these hosts, the first of them the master; for two example hosts without any. */
export function clusterFileText(name: string, hosts: readonly Reach[]): string {
  const example: readonly Reach[] = [{ user: "root", address: "192.0.2.11", port: 22 }, { user: "root", address: "192.0.2.12", port: 22 }], all = hosts.length > 0 ? hosts : example;
  const [master, ...workers] = all.map((reach, i) => hostText(i === 0 ? "master-1" : `worker-${i}`, i === 0 ? "master" : "worker", reach));
  return aligned(`# A cluster over SSH: which hosts it is made of and how to reach them.
#   kaji plan -f cluster.yaml     shows what would be done, changes nothing
#   kaji apply -f cluster.yaml    does it; run again after a change here, or after an interruption
#   kaji delete -f cluster.yaml   takes everything away again
# No secrets stand here: SSH keys come from your agent or key files; passwords are asked for, or read from
# KAJI_SSH_PASSWORD, KAJI_SUDO_PASSWORD, KAJI_KEY_PASSPHRASE (or the file that e.g. KAJI_SUDO_PASSWORD_FILE names).
# Lines that are commented out show the default, or an example where there is none.

apiVersion: ${FILE_API_VERSION}
kind: ${FILE_KIND}
name: ${name}                        # of the kubeconfig's context

# How hosts are reached that do not say otherwise.
ssh:
  user: root                      # another user needs sudo, with or without password
  # port: 22
  # identityFile: ~/.ssh/id_ed25519   # after the agent; default: the usual files in ~/.ssh
  # jump: user@bastion.example:22     # through another host: user@address:port, or the name of a host below

# What \`kaji init\` takes. Said once: a cluster that is there keeps what it was made with.
# cluster:
#   podCIDR: ${D.podCidr}         # addresses of pods
#   serviceCIDR: ${D.serviceCidr}      # addresses of Services
#   domain: ${D.clusterDomain}
#   port: ${D.port}                      # of the API server
#   profile: ${D.profile}                  # failure defaults: small or upstream
#   apiServerNames: [k8s.example]    # more names and addresses the API server is reached by

# One master and any number of workers. A worker taken out of this list is drained and reset by the next apply;
# nodes that were not added by kaji apply are left alone.
hosts:
${master!}    # port: 22                    # user, port, identityFile and jump as under ssh
    # asNode: false               # true: the master runs pods too
    # nodeIP: 10.0.0.11           # where other hosts reach it, when it has several addresses
${workers.map((text, i) => (i > 0 ? text : `${text}    # nodeIP: 10.0.0.12
    # labels: {example.com/disk: ssd}
    # taints: ["example.com/dedicated=db:NoSchedule"]   # key=value:NoSchedule, PreferNoSchedule or NoExecute
`)).join("")}
# For hosts without internet: a folder with packages/*.deb and images/*.tar; {arch} stands for x64 or arm64.
# bundle: ./kaji-bundle-{arch}

# options:
#   drainTimeout: 5m              # how long pods of a leaving host may take
`);
}

const COLUMN = 42;
/** Remarks behind a field, in line. */
const aligned = (text: string): string => text.replaceAll(/^(.*\S) {2,}# (.*)$/gm, (_, field: string, remark: string) => `${`${field}  `.padEnd(COLUMN)}# ${remark}`);

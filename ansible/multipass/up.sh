#!/bin/sh
# Three Multipass machines and a cluster on them. Run again, it finishes what an interrupted run left; arguments go to ansible-playbook.
# Needs Multipass and Ansible on this machine, and the release in dist/ (arm64 on Apple silicon: npm run build -- arm64).
# The steps are install.yml's, which test/vm/ansible.test.ts runs on machines of its own.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
state=${KAJI_MULTIPASS_STATE:-$here/state}
image=${KAJI_MULTIPASS_IMAGE:-24.04}

for program in multipass ansible-playbook ssh-keygen; do
  command -v "$program" >/dev/null || { echo "Cannot start: there is no $program on this machine; install it first" >&2; exit 1; }
done
umask 077
mkdir -p "$state"
[ -f "$state/id_ed25519" ] || ssh-keygen -q -t ed25519 -N '' -C kaji-multipass -f "$state/id_ed25519"

# On standard input, since Multipass from a snap cannot read every folder.
for machine in kaji-master-1 kaji-worker-1 kaji-worker-2; do
  if multipass info "$machine" >/dev/null 2>&1; then
    multipass start "$machine"
  else
    sed "s|@PUBLIC_KEY@|$(cat "$state/id_ed25519.pub")|" "$here/cloud-init.yaml" |
      multipass launch --name "$machine" --cpus 2 --memory 2G --disk 10G --cloud-init - "$image"
  fi
done

# The address a packet to the outside would leave from: the one that the others reach. Nothing is sent.
address_of() {
  found=$(multipass exec "$1" -- ip -4 route get 192.0.2.1 </dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p')
  [ -n "$found" ] || { echo "Cannot use $1: it has no IPv4 address; see \"multipass info $1\"" >&2; exit 1; }
  printf '%s\n' "$found"
}
host() { printf '        %s: {ansible_host: %s, kaji_address: %s, kaji_node_name: %s}\n' "$1" "$2" "$2" "${1#kaji-}"; }
master=$(address_of kaji-master-1)
worker_1=$(address_of kaji-worker-1)
worker_2=$(address_of kaji-worker-2)
cat >"$state/inventory.yml" <<INVENTORY
kaji:
  vars:
    ansible_user: kaji
    ansible_ssh_private_key_file: $state/id_ed25519
    ansible_ssh_common_args: -o StrictHostKeyChecking=accept-new -o 'UserKnownHostsFile="$state/known_hosts"'
  children:
    kaji_master:
      hosts:
$(host kaji-master-1 "$master")
    kaji_nodes:
      hosts:
$(host kaji-worker-1 "$worker_1")
$(host kaji-worker-2 "$worker_2")
INVENTORY

ANSIBLE_CONFIG="$here/../ansible.cfg" ansible-playbook -i "$state/inventory.yml" "$here/../install.yml" "$@"
echo "The cluster runs: export KUBECONFIG=$state/kaji-admin.conf"

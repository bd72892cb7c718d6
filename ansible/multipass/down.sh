#!/bin/sh
# Deletes the machines that up.sh made, and its key and inventory.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
state=${KAJI_MULTIPASS_STATE:-$here/state}
for machine in kaji-master-1 kaji-worker-1 kaji-worker-2; do
  if multipass info "$machine" >/dev/null 2>&1; then multipass delete --purge "$machine"; fi
done
rm -rf "$state"

#!/bin/sh
# npm test: everything but the VM tests. From a fresh clone it installs what is missing first.
set -eu
. "$(dirname "$0")/../cmd/kaji/prepare.sh"
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null 2>&1 || { echo "Error: the tests need root for namespaces, containerd and iptables: run them as root, or install sudo" >&2; exit 1; }
  exec sudo -- node_modules/.bin/node test/run.ts "$@"
fi
exec node_modules/.bin/node test/run.ts "$@"

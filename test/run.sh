#!/bin/sh
# npm test: everything but the VM tests. From a fresh clone it installs what is missing first. POSIX sh: nothing else may be there yet.
set -eu
cd "$(dirname "$0")/.."
if [ ! -x node_modules/.bin/node ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "Installing the packages of this clone ..." >&2
  npm ci --no-audit --no-fund --loglevel=error >&2
fi
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null 2>&1 || { echo "Error: the tests need root for namespaces, containerd and iptables: run them as root, or install sudo" >&2; exit 1; }
  exec sudo -- node_modules/.bin/node test/run.ts "$@"
fi
exec node_modules/.bin/node test/run.ts "$@"

#!/bin/sh
# Makes a clone ready: its packages, and its own node. POSIX sh, because nothing else may be there yet. Run or sourced, from anywhere.
set -eu
cd "$(dirname "$0")/.."; [ -f package.json ] || cd .. # From cmd/kaji two folders up, from test one.
as_owner() { # Files of the clone stay its owner's under sudo.
  if [ "$(id -u)" = 0 ] && [ -n "${SUDO_UID:-}" ] && [ "$SUDO_UID" != 0 ]; then sudo -H -u "#$SUDO_UID" -- "$@"; else "$@"; fi
}
case "$(uname -m)" in
  x86_64) kaji_arch=x64 ;;
  aarch64) kaji_arch=arm64 ;;
  *) echo "Error: there is no node for $(uname -m); this project runs on x86_64 and aarch64" >&2; exit 1 ;;
esac
kaji_node="node_modules/node-linux-$kaji_arch/bin" kaji_npm_node=
if [ ! -x "$kaji_node/node" ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  command -v npm >/dev/null 2>&1 || { echo "Error: npm is missing: install it (Debian and Ubuntu: apt-get install npm)" >&2; exit 1; }
  echo "Installing the packages of this clone ..." >&2
  kaji_npm_node=$(node --version 2>/dev/null || true)
  as_owner npm ci --no-audit --no-fund --loglevel=error >&2
fi
# The one shared library our node needs that a bare Debian lacks.
if ! "$kaji_node/node" --version >/dev/null 2>&1; then
  echo "Installing libatomic1, which node needs ..." >&2
  if [ "$(id -u)" = 0 ]; then kaji_root=; else kaji_root=sudo; fi
  { $kaji_root apt-get install -y -q --no-remove --no-install-recommends libatomic1 || { $kaji_root apt-get update -q && $kaji_root apt-get install -y -q --no-remove --no-install-recommends libatomic1; }; } >&2
  "$kaji_node/node" --version >/dev/null
fi
# npm leaves out optional packages that are not for the node it runs on, and Debian's is older than ours: what is missing comes in a second go.
if [ ! -e node_modules/.complete ]; then
  [ "$kaji_npm_node" = "$("$kaji_node/node" --version)" ] || as_owner env "PATH=$PWD/$kaji_node:$PATH" NODE_NO_WARNINGS=1 npm install --no-save --no-audit --no-fund --loglevel=error >&2
  as_owner touch node_modules/.complete
fi
# npm 9 makes no link where two optional packages bring a program of the same name.
[ -x node_modules/.bin/node ] || as_owner ln -sfn "../node-linux-$kaji_arch/bin/node" node_modules/.bin/node

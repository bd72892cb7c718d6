#!/bin/sh
# Runs kaji from a clone: installs what the clone lacks, then hands over. POSIX sh, because nothing else may be there yet.
set -eu
cd "$(dirname "$0")/../.."
as_owner() { # Files of the clone stay its owner's under sudo.
  if [ "$(id -u)" = 0 ] && [ -n "${SUDO_UID:-}" ] && [ "$SUDO_UID" != 0 ]; then sudo -H -u "#$SUDO_UID" -- "$@"; else "$@"; fi
}
if [ ! -x node_modules/.bin/node ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "Installing the packages of this clone ..." >&2
  as_owner npm ci --no-audit --no-fund --loglevel=error >&2
fi
as_owner node_modules/.bin/node lib/api/schema/generate.ts
case "${1:-}" in
  up | down | host | image | status)
    if [ "$(id -u)" != 0 ]; then
      command -v sudo >/dev/null 2>&1 || { echo "Error: this needs root: run it as root, or install sudo" >&2; exit 1; }
      exec sudo -- node_modules/.bin/node cmd/kaji/main.ts "$@"
    fi ;;
esac
exec node_modules/.bin/node cmd/kaji/main.ts "$@"

#!/bin/sh
# Runs kaji from a clone: installs what the clone lacks, then hands over.
set -eu
. "$(dirname "$0")/prepare.sh"
# npm puts programs of packages first; the cluster is run by the machine's own.
PATH=$(printf %s "$PATH" | tr : '\n' | grep -v node_modules/.bin | paste -sd :)
as_owner node_modules/.bin/node lib/api/schema/generate.ts
case "${1:-}" in
  up | down | host | image | status)
    if [ "$(id -u)" != 0 ]; then
      command -v sudo >/dev/null 2>&1 || { echo "Error: this needs root: run it as root, or install sudo" >&2; exit 1; }
      exec sudo -- node_modules/.bin/node cmd/kaji/main.ts "$@"
    fi ;;
esac
exec node_modules/.bin/node cmd/kaji/main.ts "$@"

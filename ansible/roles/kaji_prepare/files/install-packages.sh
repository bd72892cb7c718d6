#!/bin/sh
# Installs the Debian packages that follow the last line as a tar archive. For hosts that have neither Python nor internet.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed '1,/^# The archive:$/d' "$0" | tar -C "$folder" -xf -
install() { DEBIAN_FRONTEND=noninteractive dpkg --install --refuse-downgrade --skip-same-version "$folder"/*.deb; }
# dpkg takes them in the order given, which is not always the one they need: what had to wait goes in with the next round.
install >/dev/null 2>&1 || install >/dev/null 2>&1 || install >/dev/null
exit 0
# The archive:

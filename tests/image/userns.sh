#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a command as the root of a user namespace, in which it can build images and has no right on
# this machine: root takes the ids from 100000 on, a user those of /etc/subuid. 77: not to be had.
# usage: userns.sh COMMAND...
set -eu
if [ "$(id -u)" != 0 ]; then
	# newuidmap, and a range for this user
	unshare --user --map-auto --map-root-user true 2>/dev/null ||
		{ echo "SKIPPED: no user namespace with the ids of /etc/subuid for $(id -un)" && exit 77; }
	exec unshare --user --map-auto --map-root-user --mount --pid --fork --mount-proc "$@"
fi
unshare --user true 2>/dev/null || { echo "SKIPPED: no user namespaces here" && exit 77; }
unshare --user sleep infinity &
holder=$!
trap 'kill $holder' EXIT
while [ "$(readlink /proc/$holder/ns/user)" = "$(readlink /proc/self/ns/user)" ]; do
	sleep 0.01
done
for map in uid_map gid_map; do
	echo 0 100000 65536 >/proc/$holder/$map
done
nsenter --user -t $holder -S 0 -G 0 unshare --mount --pid --fork --mount-proc "$@"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The static hook as NFD runs it: in a root that holds nothing but it and the host's sysfs, without
# arguments, as uid 65534. Its labels must be those of `detect`.
set -eu
umask 022 # uid 65534 reads what is unpacked here
cd "$(dirname "$0")/../.."
sh nfd-hook/static.sh
hook=build/static/nfd-hook/gpu-nfd-hook
labeler=build/dev/labeler/gpu-labeler
passed=0 failed=0

if ldd "$hook" 2>&1; then
	echo "$hook: is not static" >&2
	exit 1
fi

# Another root: by right, in a user namespace, or by sudo where the kernel keeps those from users
# (Ubuntu 24.04). A user's PATH has no chroot on Debian.
PATH=$PATH:/usr/sbin:/sbin
if [ "$(id -u)" = 0 ]; then
	enter=
elif unshare --map-root-user true 2>/dev/null; then
	enter='unshare --map-root-user'
elif sudo -n true 2>/dev/null; then
	enter='sudo -n'
else
	echo "static.sh: NOT TESTED: no root, no user namespace, no sudo without a password" >&2
	exit 1
fi

in_root() { # root: the hook's labels
	case $enter in
	unshare*) $enter chroot "$1" /gpu-nfd-hook ;; # the namespace has one user only
	*) $enter chroot --userspec=65534:65534 "$1" /gpu-nfd-hook ;;
	esac
}

check() { # machine
	root=$(mktemp -d)
	sh tests/nodes/unpack.sh "tests/nodes/$1/tree" "$root/host"
	rm -rf "$root/host/usr" # libdrm's names, which the hook's root has not
	"$labeler" detect --format labels --root "$root/host" >"$root/detect" 2>/dev/null
	mkdir "$root/empty"
	cp "$hook" "$root/empty/gpu-nfd-hook"
	mv "$root/host/sys" "$root/empty/host-sys"
	chmod 755 "$root" "$root/empty"
	if in_root "$root/empty" >"$root/hook" 2>"$root/why" && cmp -s "$root/detect" "$root/hook"; then
		echo "ok      $1: $(wc -l <"$root/hook") labels"
		passed=$((passed + 1))
	else
		echo "FAILED  $1"
		cat "$root/why"
		diff -u "$root/detect" "$root/hook" || true
		failed=$((failed + 1))
	fi
	rm -rf "$root"
}

for machine in tests/nodes/*/; do
	machine=$(basename "$machine")
	[ -f "tests/nodes/$machine/expected" ] || continue
	case $machine in
	bad-*) continue ;; # some need a file system that only their own runner sets up
	esac
	# what root may read and the hook may not
	grep -q '^m ' "tests/nodes/$machine/tree" || check "$machine"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]

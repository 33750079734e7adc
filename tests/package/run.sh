#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The Debian package on a fresh Debian with a systemd that runs: installed, configured, upgraded,
# removed and purged as an administrator does it, and nothing is left behind.
# usage: run.sh        77: not to be had here
set -u
umask 022
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here/.." || exit
if [ "$(id -u)" != 0 ]; then
	sudo -n true 2>/dev/null || { echo "SKIPPED: the package is NOT TESTED: no root, no sudo" && exit 77; }
	exec sudo -n sh "$here/package/run.sh" "$@"
fi
out=$PWD/build/package
work=$(mktemp -d)
root=$work/root
boot=
cgroup=
# shellcheck disable=SC2317
leave() {
	[ -z "$boot" ] || kill -9 "$boot" 2>/dev/null # its process 1 goes with it, and all below
	wait
	[ -z "$cgroup" ] || find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null
	rm -rf --one-file-system "$work"
}
trap leave EXIT
# shellcheck source=tests/lib.sh
. "$here/lib.sh"

features=/etc/kubernetes/node-feature-discovery/features.d
conf=/etc/gpu-labeler/gpu-labeler.conf

skip() {
	echo "SKIPPED: the package is NOT INSTALLED: $1"
	cat "$work/log" 2>/dev/null
	exit 77
}

# A later version of the same content.
later() { # package version
	dpkg-deb -R "$1" "$work/later" &&
		sed -i "s/^Version: .*/Version: $2/" "$work/later/DEBIAN/control" &&
		dpkg-deb -b "$work/later" "$work/later.deb" >/dev/null
}

start() {
	hierarchy=$(findmnt -n -o TARGET -t cgroup2 | head -1)
	[ -n "$hierarchy" ] || skip "no cgroup2 is mounted"
	cgroup=$hierarchy/gpu-labeler-test.$$
	mkdir "$cgroup" || skip "no control group of its own"
	sh -c "echo 0 >$cgroup/cgroup.procs && exec unshare --mount --pid --fork --kill-child --cgroup \
		--uts --ipc --net sh tests/package/boot.sh $root" >"$work/log" 2>&1 &
	boot=$!
	n=0
	while ! inside systemctl is-system-running --wait >"$work/state" 2>/dev/null; do
		grep -q degraded "$work/state" && break
		n=$((n + 1))
		if [ $n -gt 300 ] || ! kill -0 "$boot" 2>/dev/null; then
			skip "systemd does not start"
		fi
		sleep 0.2
	done
}

inside() { # command...: in the booted machine
	init=$(pgrep -P "$boot") && nsenter --target "$init" --mount --pid --uts --ipc --net --cgroup --root --wd \
		env DEBIAN_FRONTEND=noninteractive "$@"
}

apt() { inside apt-get -q -y "$@" >"$work/log" 2>&1; }
unit_is() { [ "$(inside systemctl "$1" gpu-labeler)" = "$2" ]; }
main_pid() { inside systemctl show -P MainPID gpu-labeler; }
is_true() { cmp -s "$here/nodes/mi300x-sriov/expected" "$root$features/gpu-labeler"; }
is_gone() { ! inside test -e "$1"; }
forgotten() { ! grep -q gpu-labeler "$work/log" && ! inside systemctl cat gpu-labeler >/dev/null 2>&1; }
confined() { inside journalctl -u gpu-labeler | grep 'sandbox: .*yes' | grep -v ' no\>' >/dev/null; }
restarted() { [ "$(main_pid)" != "$before" ] && unit_is is-active active; }

# All that may tell that the package was there, but what dpkg, apt and the journal keep of everything.
traces() {
	inside sh -c 'cd / && find etc usr lib bin sbin opt srv home root var/lib var/spool -xdev \
		! -path "var/lib/apt*" ! -path "var/lib/dpkg*" ! -path "etc/ld.so.cache" \
		! -path "var/lib/systemd/*" | sort; cat /etc/passwd /etc/group'
}

sh deploy/package.sh >"$work/log" 2>&1 || { cat "$work/log" && exit 1; }
package=$(ls "$out"/gpu-node-labeler_*.deb)
version=$(dpkg-deb -f "$package" Version)
echo "$(basename "$package"): $(stat -c %s "$package") bytes"
holds "its version is the program's" \
	[ "$version" = "$(sed -n 's/^project(.* VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)" ]
holds "lintian has no error and no warning" sh -c \
	"lintian --fail-on error,warning --suppress-tags bad-distribution-in-changes-file \
	$package >$work/log 2>&1"
later "$package" "$version+later" || exit 1

needs=$(dpkg-deb -f "$package" Depends Recommends | sed 's/^[^:]*: //; s/([^)]*)//g; s/|[^,]*//g; s/,/ /g')
# shellcheck disable=SC2086
tar=$(sh tests/root.sh "$out/root" minbase systemd systemd-sysv dbus $needs 2>"$work/log") ||
	skip "no root to install it in"
mkdir "$root"
tar -C "$root" -xf "$tar"
ln -s /dev/null "$root/etc/systemd/system/console-getty.service" # there is no console
sh tests/nodes/unpack.sh tests/nodes/mi300x-sriov/tree "$root/srv/machine"
start
mkdir -p "$root/srv"
cp "$package" "$root/srv/first.deb"
cp "$work/later.deb" "$root/srv/later.deb"
traces >"$work/before"

holds "it installs" apt install /srv/first.deb
holds "the service is enabled" unit_is is-enabled enabled
soon "the service runs" unit_is is-active active
inside sed -i 's|^root =.*|root = /srv/machine|' $conf
inside systemctl restart gpu-labeler
soon "the labels of a described machine are there" is_true
before=$(main_pid)
inside sed -i 's|^device-id-format =.*|device-id-format = 0x|' $conf
soon "the configuration is read when it changes" grep -q gpu.device-id=0x74b5 \
	"$root$features/gpu-labeler"
inside sed -i 's|^device-id-format =.*|device-id-format = bare|' $conf
soon "and again" is_true
holds "by the same process" [ "$(main_pid)" = "$before" ]
inside systemctl show -P StatusText gpu-labeler | sed 's/^/        /'
inside systemd-analyze security --no-pager gpu-labeler | tail -1 | sed 's/^/        /'
holds "its own sandbox is whole, within that of the unit" confined
holds "man finds the pages" inside test -f /usr/share/man/man1/gpu-labeler.1.gz -a \
	-f /usr/share/man/man5/gpu-labeler.conf.5.gz

inside sh -c "echo '; mine' >>$conf"
holds "a later version takes its place" apt install /srv/later.deb
soon "and is started anew" restarted
soon "the labels stay" is_true
holds "the administrator's configuration stays" inside grep -q '^; mine$' $conf
inside systemctl disable -q gpu-labeler
apt install --allow-downgrades /srv/first.deb
holds "what was disabled stays disabled" unit_is is-enabled disabled
inside systemctl enable -q gpu-labeler

holds "it can be removed" apt remove gpu-node-labeler
holds "the labels go with it" is_gone $features/gpu-labeler
holds "the configuration stays" inside test -f $conf
holds "it can be purged" apt purge gpu-node-labeler
holds "the configuration goes, too" is_gone /etc/gpu-labeler
traces >"$work/after"
same "nothing is left" "$work/before" "$work/after"
inside systemctl list-units --failed --no-legend >"$work/log"
holds "systemd has no unit of that name, failed or not" forgotten

apt install /srv/first.deb
soon "it can be installed again" unit_is is-active active
holds "and purged at once" apt purge gpu-node-labeler
traces >"$work/after"
same "nothing is left then, either" "$work/before" "$work/after"
# With the API server as output: the servers run on this machine, in the network of the booted one.
if sh tests/apiserver/build.sh >/dev/null && sh tests/deploy/build.sh >/dev/null; then
	holds "it labels a Node through a real API server, and leaves it clean" \
		nsenter --target "$(pgrep -P "$boot")" --net python3 tests/package/hosts.py \
		"$(pgrep -P "$boot")" "$root" /srv/machine "$here/nodes/mi300x-sriov/expected"
	traces >"$work/after"
	same "nothing is left of that" "$work/before" "$work/after"
fi
[ $failed = 0 ] || inside journalctl --no-pager | tail -60
finish

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A fresh root of this machine's distribution, as a tar: from its package sources, and from those
# alone. Made once for each list of packages, and printed.
# usage: root.sh DIRECTORY VARIANT PACKAGE...      77: it can't be made here
set -eu
dir=$1 variant=$2
shift 2
packages=$(echo "$*" | tr ' ' ,)

skip() {
	echo "SKIPPED: no fresh root: $1" >&2
	exit 77
}

command -v apt-get >/dev/null || skip "it takes Debian's packages"
mkdir -p "$dir"
# shellcheck source=/dev/null
. /etc/os-release
# shellcheck disable=SC2016
apt-get indextargets --format '$(CREATED_BY) $(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' |
	awk -v id="$ID" '$1 == "Packages" && tolower($5) == id { print "deb", $2, $3, $4 }' |
	sort -u >"$dir/sources.list"
[ -s "$dir/sources.list" ] || skip "apt knows no package sources of the distribution"
tar=$dir/root-$(echo "$variant $packages" | cat - "$dir/sources.list" | sha256sum | cut -c1-16).tar
if [ ! -f "$tar" ]; then
	rm -f "$dir"/root-*.tar
	apt-config dump | grep '^Acquire::.*[Pp]roxy' >"$dir/apt.conf" || true
	mmdebstrap --quiet --variant="$variant" --aptopt="$dir/apt.conf" --include="$packages" \
		"$VERSION_CODENAME" "$dir/new.tar" "$dir/sources.list" >"$dir/log" 2>&1 ||
		{ cat "$dir/log" >&2 && skip "mmdebstrap can't make one"; }
	mv "$dir/new.tar" "$tar"
fi
echo "$tar"

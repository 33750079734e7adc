#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the container image without a registry and without rights on this machine: a root of the
# distribution's packages is the base, buildah runs in a user namespace. Leaves the image and its
# SBOM in build/image, and says how large it is.
# usage: build.sh       77: what it takes is not to be had here
set -eu
umask 022
cd "$(dirname "$0")/../.."
top=$PWD
out=$top/build/image

skip() {
	echo "SKIPPED: the image is NOT BUILT: $1"
	exit 77
}

# The distribution's own entries of this machine's package sources.
sources() {
	# shellcheck source=/dev/null
	. /etc/os-release
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(CREATED_BY) $(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' |
		awk -v id="$ID" '$1 == "Packages" && tolower($5) == id { print "deb", $2, $3, $4 }' | sort -u
}

# A root with all that the build stage needs; made once for each list of packages.
base() {
	packages=$(sh deploy/packages.sh --list small | tr '\n ' ',,')
	sources >"$out/sources.list"
	[ -s "$out/sources.list" ] || skip "apt knows no package sources of the distribution"
	base=$out/base-$(echo "$packages" | cat - "$out/sources.list" | sha256sum | cut -c1-16).tar
	[ ! -f "$base" ] || return 0
	rm -f "$out"/base-*.tar
	apt-config dump | grep '^Acquire::.*[Pp]roxy' >"$out/apt.conf" || true
	# shellcheck source=/dev/null
	. /etc/os-release
	mmdebstrap --quiet --variant=apt --aptopt="$out/apt.conf" --include="$packages" \
		"$VERSION_CODENAME" "$out/new-base.tar" "$out/sources.list" >"$out/log" 2>&1 ||
		{ cat "$out/log" && skip "the distribution's packages do not make a root"; }
	mv "$out/new-base.tar" "$base"
}

# What is tracked or not ignored, as it is now.
context() {
	rm -rf "$out/context"
	mkdir "$out/context"
	tar --exclude=./build --exclude=./.git -c . | tar -x --no-same-owner -C "$out/context"
}

command -v apt-get >/dev/null || skip "it takes Debian's packages"
sh deploy/packages.sh image
mkdir -p "$out"
base
context
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
epoch=$(git log -1 --format=%ct 2>/dev/null || date +%s)
version=$(sed -n 's/^project(.* VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
# The builder's own directory: all that it may write.
scratch=$(mktemp -d)
trap 'sh tests/image/userns.sh rm -rf "$scratch/store" 2>/dev/null || true; rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
mkdir "$scratch/store"
[ "$(id -u)" != 0 ] || chown 100000:100000 "$scratch/store"
sh tests/image/userns.sh sh tests/image/rootless.sh "$scratch/store" "$out" "$base" \
	"$version" "$revision" "$epoch"
for file in gpu-node-labeler.oci.tar gpu-node-labeler.spdx.json; do
	cp "$scratch/store/$file" "$out/$file"
done

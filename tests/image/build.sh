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

# What is tracked or not ignored, as it is now.
context() {
	rm -rf "$out/context"
	mkdir "$out/context"
	tar --exclude=./build --exclude=./.git -c . | tar -x --no-same-owner -C "$out/context"
}

sh deploy/packages.sh image
mkdir -p "$out"
# All that the build stage needs is in the base.
# shellcheck disable=SC2046
base=$(sh tests/root.sh "$out" apt $(sh deploy/packages.sh --list small))
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

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The part of build.sh that runs as the root of a user namespace: buildah, from a tar of the base.
# usage: rootless.sh STORE OUT BASE VERSION REVISION EPOCH      writes below STORE alone
set -eu
image=localhost/gpu-node-labeler
store=$1 out=$2 base=$3 version=$4 revision=$5 epoch=$6
export HOME="$store" XDG_RUNTIME_DIR="$store/run" TMPDIR="$store/tmp"
# It is in its namespace already, and has no other.
export _CONTAINERS_USERNS_CONFIGURED="done" BUILDAH_ISOLATION=chroot
mkdir -p "$XDG_RUNTIME_DIR" "$TMPDIR"

builder() {
	command=$1
	shift
	buildah --root "$store/images" --runroot "$store/run/images" --storage-driver vfs \
		"$command" "$@"
}

builder from --name base scratch >/dev/null
builder add --quiet base "$base" / >/dev/null
builder commit --quiet base localhost/base >/dev/null
builder bud --file "$out/context/deploy/Containerfile" --tag "$image" --pull-never \
	--timestamp "$epoch" --build-arg BASE=localhost/base --build-arg SOURCE_DATE_EPOCH="$epoch" \
	--build-arg VERSION="$version" --build-arg REVISION="$revision" \
	--build-arg CREATED="$(date -u -d "@$epoch" +%Y-%m-%dT%H:%M:%SZ)" "$out/context" \
	>"$store/log" 2>&1 || { cat "$store/log" && exit 1; }
builder push --quiet "$image" "oci-archive:$store/gpu-node-labeler.oci.tar:$version"
root=$(builder mount "$(builder from "$image")")
cp "$root/usr/share/doc/gpu-labeler/sbom.spdx.json" "$store/gpu-node-labeler.spdx.json"
echo "image of $version: $(du -sb --apparent-size "$root" | cut -f1) bytes in" \
	"$(find "$root" -type f | wc -l) files, $(stat -c %s "$store/gpu-node-labeler.oci.tar") to pull"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the real NFD from its published modules: nfd and nfd-worker of v0.19, and nfd-worker of
# v0.16, the last line of versions that runs hooks. Cached below build/nfd by go.mod and go.sum.
# usage: build.sh: prints the directory that holds v0.19/{nfd,nfd-worker} and v0.16/nfd-worker
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "$here/../.." && pwd)/build/nfd
module=sigs.k8s.io/node-feature-discovery

command -v go >/dev/null || {
	echo "build.sh: there is no go here: NFD needs 1.21 or newer, which fetches its own 1.26" >&2
	exit 1
}
build() { # version, linker flags, program...
	version=$1 flags=$2
	shift 2
	key=$(cat "$here/$version/go.mod" "$here/$version/go.sum" | sha256sum | cut -c1-16)
	[ "$(cat "$out/$version/.key" 2>/dev/null)" != "$key" ] || return 0
	mkdir -p "$out/$version"
	for program in "$@"; do
		( cd "$here/$version" && CGO_ENABLED=0 GOFLAGS=-mod=readonly \
			go build -trimpath -ldflags "-s -w $flags" \
			-o "$out/$version/$program" "$module/cmd/$program" ) >&2
	done
	echo "$key" >"$out/$version/.key"
}
# Relative to where the worker runs, so that each test has a directory of its own.
build v0.19 "-X $module/source/local.featureFilesDir=features.d/" nfd nfd-worker
build v0.16 "" nfd-worker
echo "$out"

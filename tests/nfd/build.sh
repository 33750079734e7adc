#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the real NFD from its published modules: nfd, nfd-worker and nfd-master of v0.19 with their
# CRDs, and nfd-worker of v0.16, the last line of versions that runs hooks. Cached below build/nfd.
# usage: build.sh: prints the directory that holds v0.19/ and v0.16/
# Exit status: 0, 77 where they can't be had here (says why), 1 failed
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "$here/../.." && pwd)/build/nfd
module=sigs.k8s.io/node-feature-discovery
# shellcheck source=tests/go.sh
. "$here/../go.sh"

build() { # version, linker flags, program...
	version=$1 flags=$2
	shift 2
	cd "$here/$version"
	key=$(cat "$here/build.sh" go.mod go.sum | sha256sum | cut -c1-16)
	[ "$(cat "$out/$version/.key" 2>/dev/null)" != "$key" ] || return 0
	mkdir -p "$out/$version"
	go_fetch_modules tool
	for program in "$@"; do
		nice go build -trimpath -ldflags "-s -w $flags" \
			-o "$out/$version/$program" "$module/cmd/$program" >&2
	done
	cp -f "$(go list -m -f '{{.Dir}}' $module)/deployment/base/nfd-crds/nfd-api-crds.yaml" "$out/$version"
	echo "$key" >"$out/$version/.key"
}
# Relative to where the worker runs, so that each test has a directory of its own.
build v0.19 "-X $module/source/local.featureFilesDir=features.d/" nfd nfd-worker nfd-master
build v0.16 "" nfd-worker
echo "$out"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# From a clone to labels: installs what is missing, builds, and shows what gpu-labeler says of this
# machine and of a described GPU server.
set -eu
cd "$(dirname "$0")/.."

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$(printf '\033[1m') plain=$(printf '\033[0m')
else
	bold='' plain=''
fi
step() {
	printf '\n%s%s%s\n' "$bold" "$1" "$plain"
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
quietly() { # the log is shown where the command fails
	"$@" >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2 && exit 1; }
}

step "1. What the build needs"
sh deploy/packages.sh build
echo "All there."

step "2. Build"
quietly cmake --preset release
quietly cmake --build --preset release
labeler=build/release/labeler/gpu-labeler
echo "$labeler, $(($(stat -c %s "$labeler") / 1024)) KiB"

step "3. This machine"
"$labeler" detect --format=table || echo "This machine shows no PCI bus; the next one has one."

step "4. A described server: 8 x MI300X, one SR-IOV virtual function each"
sh tests/nodes/unpack.sh tests/nodes/mi300x-sriov/tree "$scratch/server"
"$labeler" detect --format=table --root "$scratch/server"

step "What next"
cat <<END
  $labeler detect --format=json     the same for programs, with the rule behind each label
  $labeler detect --help            every option
  build/release/nfd-hook/gpu-nfd-hook                 the labels in NFD's hook format
  sh tests/run.sh                                     the tests
END

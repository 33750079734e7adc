#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the container image and runs it: as root the way a kubelet's runtime does, as a user in a
# user namespace.       77: it can't be built or run here
set -eu
cd "$(dirname "$0")/../.."
out=build/image
sh tests/image/build.sh
set -- python3 tests/image/run.py $out/gpu-node-labeler.oci.tar $out/gpu-node-labeler.spdx.json
[ "$(id -u)" = 0 ] || set -- sh tests/image/userns.sh "$@"
exec "$@"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs and removes by kustomize and helm, on a real API server.
# usage: run.sh GPU_LABELER [SCENARIO]     Exit status: 0, 77 where it can't be had here, 1 failed
#        run.sh --try GPU_LABELER          a cluster to install on by hand
set -eu
here=$(cd "$(dirname "$0")" && pwd)
built=$(sh "$here/build.sh")
sh "$here/../apiserver/build.sh" >/dev/null
[ "$1" != --try ] || exec python3 "$here/try.py" "$2" "$built"
exec python3 "$here/run.py" "$1" "$built" ${2:+"$2"}

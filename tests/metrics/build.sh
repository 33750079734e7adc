#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the program that reads a page of metrics with Prometheus' own parser; prints its path.
# usage: build.sh     Exit status: 0, 77 where it can't be had here (says why), 1 failed
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "$here/../.." && pwd)/build/metrics/parse
# shellcheck source=tests/go.sh
. "$here/../go.sh"

cd "$here/parse"
go_fetch_modules .
nice go build -trimpath -o "$out" .
echo "$out"

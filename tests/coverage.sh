#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Branch coverage of the pure stages (rules/ and the plain data below it) by the unit tests: red
# below 100 %. An assert's failing branch is a bug of ours and is not counted.
set -eu
cd "$(dirname "$0")/.."
cmake --preset coverage >/dev/null
cmake --build --preset coverage >/dev/null
find build/coverage -name '*.gcda' -delete
ctest --preset coverage -R '^unit/' --output-on-failure >/dev/null
gcovr --root . --object-directory build/coverage --branches \
	--exclude-lines-by-pattern '.*\bassert\(.*' \
	--filter 'labeler/rules/' --filter 'labeler/inventory/(addr|devices|groups|inventory)\.c' \
	--filter 'labeler/base/(err|strbuf)\.c' \
	--fail-under-branch 100

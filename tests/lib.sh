# SPDX-License-Identifier: Apache-2.0
# To be sourced: how the test scripts count and tell. $work is the script's scratch directory; what
# stands in its log, out and err is shown where something failed.
# shellcheck shell=sh disable=SC2034,SC2154
passed=0 failed=0 skipped=0

result() { # name, 0 for good
	if [ "$2" = 0 ]; then
		passed=$((passed + 1))
		echo "ok      $1"
	else
		failed=$((failed + 1))
		echo "FAILED  $1"
		cat "$work/log" "$work/out" "$work/err" 2>/dev/null | sed 's/^/        /' | cut -c1-300 | tail -40
	fi
}

holds() { # name command...: it succeeds
	name=$1
	shift
	good=0
	"$@" || good=1
	result "$name" $good
}

same() { # name expected got
	good=0
	diff -u "$2" "$3" >"$work/out" 2>&1 || good=1
	result "$1" $good
}

# Within ten seconds: the machine may be slow, what is tested may not be.
soon() { # name command...
	name=$1
	shift
	n=0
	good=1
	while [ $n -lt 500 ]; do
		if "$@" >/dev/null 2>&1; then
			good=0
			break
		fi
		sleep 0.02
		n=$((n + 1))
	done
	result "$name" $good
}

# The last line of a script.
finish() {
	[ "$skipped" = 0 ] && echo "$passed passed, $failed failed" ||
		echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
}

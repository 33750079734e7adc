# shellcheck shell=sh disable=SC2154 # a part of init
# SPDX-License-Identifier: Apache-2.0
# Steps of a scenario that asks doctor, in the place of the agent:
#
#   step 'what happens'
#   ...
#   doctor <mode> <exit status> <check>=<state>...
#
# Each prints the line of a step. The checks that are not named may say what they like.

states() { # <file>: check=state, in small letters
	awk '$1 ~ /^(pass|unknown|WARN|FAIL)$/ { print $2 "=" tolower($1) }' "$1"
}

doctor() { # <mode> <exit status> <check>=<state>...
	wanted_status=$2
	status=0
	/bin/gpu-labeler doctor --mode "$1" --output stdout >/run/doctor 2>/run/doctor.err || status=$?
	states /run/doctor >/run/states
	shift 2
	missing=
	for state; do
		grep -qxF "$state" /run/states || missing="$missing $state"
	done
	if [ -z "$missing" ] && [ $status -eq "$wanted_status" ] && [ ! -s /run/doctor.err ]; then
		echo "STEP ok $n_steps 0 - $title"
		return
	fi
	n_failed=$((n_failed + 1))
	echo "STEP FAIL $n_steps 0 - $title"
	echo "exit status $status, wanted $wanted_status; it does not say:$missing"
	cat /run/doctor /run/doctor.err
	devices
}

# What a finding was read from: a line of the last report.
says() { # <text>
	grep -qF -e "$1" /run/doctor || {
		n_failed=$((n_failed + 1))
		echo "FAIL doctor does not say: $1"
	}
}

# shellcheck shell=sh # a part of init
# SPDX-License-Identifier: Apache-2.0
# What a scenario is written with. A scenario is a row of steps:
#
#   step 'what happens'
#   ...                     what makes it happen
#   expect <lines>...       the whole feature file that must come of it
#
# or expect_none where there must be no file, or expect_same where nothing may be written at all.
# Each step prints one line:
#
#   STEP ok|FAIL <number> <uevents> <delay> <what happens>
#
# The delay is that of the file behind the last uevent of a PCI device, in microseconds; - where
# nothing was to be published.

PCI=/sys/bus/pci
FILE=/features/gpu-labeler
EVENTS=/run/events
WANT=/run/want
LOG=/run/agent.log
LIMIT=10 # seconds that a step waits for its labels

# Milliseconds. What takes longer was found by the agent's timer, not told by an event.
TOO_LATE=5000

# Two changes less than 1.1 s apart may be merged. With a longer pause before each step the delays
# are those of the reaction alone; the pause also shows what is published without a cause.
PAUSE=1.3

n_steps=0
n_failed=0
title=
agent=
unchecked='^$' # lines of the feature file that no step looks at

say() {
	echo "NOTE $*"
}

# --- devices ---

driver_of() { # <address>
	if [ -e "$PCI/devices/$1/driver" ]; then
		basename "$(readlink "$PCI/devices/$1/driver")"
	else
		echo none
	fi
}

bind() { # <address> <driver>: from whatever it has to that driver
	echo "$2" >"$PCI/devices/$1/driver_override"
	if [ -e "$PCI/devices/$1/driver" ]; then
		echo "$1" >"$PCI/devices/$1/driver/unbind"
	fi
	echo "$1" >"$PCI/drivers_probe"
}

unbind() { # <address>: no driver, and none by itself later
	echo >"$PCI/devices/$1/driver_override"
	echo "$1" >"$PCI/devices/$1/driver/unbind"
}

vfs() { # <address of the PF> <number>
	echo "$2" >"$PCI/devices/$1/sriov_numvfs"
}

vf() { # <address of the PF> <index>: the VF's address
	basename "$(readlink "$PCI/devices/$1/virtfn$2")"
}

# The table of what is there, for the log.
devices() {
	for dev in "$PCI"/devices/*; do
		read -r vendor <"$dev/vendor"
		case $vendor in
		0x1002 | 0x8086) ;;
		*) continue ;;
		esac
		read -r device <"$dev/device"
		read -r class <"$dev/class"
		case $class in
		0x03* | 0x12*) ;;
		*) continue ;;
		esac
		echo "DEV ${dev##*/} $vendor:$device class=$class" \
			"driver=$(driver_of "${dev##*/}")" \
			"group=$(basename "$(readlink "$dev/iommu_group" || echo none)")" \
			"physfn=$(basename "$(readlink "$dev/physfn" || echo none)")" \
			"vfs=$(cat "$dev/sriov_numvfs" 2>/dev/null || echo -)"
	done
}

# Asks run.sh to say something to the emulator's monitor.
host() {
	echo "HOST $*"
}

wait_for() { # <seconds> <command...>
	tries=$(($1 * 20))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		usleep 50000
	done
}

is_there() {
	[ -e "$PCI/devices/$1" ]
}

is_gone() {
	[ ! -e "$PCI/devices/$1" ]
}

# --- the agent ---

# Portid and lost messages of the agent's netlink socket: the columns are sk Eth Pid Groups Rmem
# Wmem Dump Locks Drops Inode, and 15 are the kernel's events.
socket_of_agent() {
	awk -v pid="$agent" '$2 == 15 && $3 == pid { print "drops=" $9 }' /proc/net/netlink
}

is_listening() {
	[ -n "$(socket_of_agent)" ]
}

start_agent() { # [<user>]
	uemon /features >"$EVENTS" &
	wait_for 5 grep -q 'uemon ready' "$EVENTS" || fail_now 'uemon does not start'
	set -- "${1:-root}"
	chown "$1" /features
	if [ "$1" = root ]; then
		/bin/gpu-labeler run --output file --features-dir /features --log-format json \
			>"$LOG" 2>&1 &
		agent=$!
	else
		touch "$LOG"
		chown "$1" "$LOG"
		su "$1" -c 'exec /bin/gpu-labeler run --output file \
			--features-dir /features --log-format json' >"$LOG" 2>&1 &
		agent=$!
	fi
	wait_for 5 is_listening || say 'the agent has no socket for uevents under its pid'
	sleep 1
}

fail_now() {
	echo "FAIL $*"
	n_failed=$((n_failed + 1))
	finish
	poweroff -f
}

# --- steps ---

n_events() {
	wc -l <"$EVENTS"
}

step() { # <what happens>
	sleep $PAUSE
	n_steps=$((n_steps + 1))
	title=$*
	mark=$(n_events)
}

# Lines of the file that are looked at, and nothing where there is no file.
file_now() {
	{ cat "$FILE" 2>/dev/null || :; } | grep -vE "$unchecked"
}

is_as_wanted() {
	if [ -s "$WANT" ]; then
		file_now | cmp -s - "$WANT"
	else
		[ ! -e "$FILE" ]
	fi
}

# Until nothing has happened for a while: what was under way has arrived.
wait_quiet() {
	rounds=20
	while before=$(n_events) && usleep 300000 && [ "$(n_events)" != "$before" ]; do
		rounds=$((rounds - 1))
		[ $rounds -gt 0 ] || break
	done
}

since_mark() {
	tail -n +$((mark + 1)) "$EVENTS"
}

# "<uevents> <delay in µs>"
count_and_delay() {
	since_mark | awk '
		$2 == "U" { n++ }
		$2 == "U" && $3 == "pci" { last = $1 }
		$2 == "F" && $4 == "gpu-labeler" && ($3 == "moved-in" || $3 == "deleted") { file = $1 }
		END {
			if (last && file)
				printf "%d %d\n", n, file - last
			else
				printf "%d -\n", n
		}'
}

# What must not be seen, whatever the labels: one line each.
faults() { # <reached|none>
	if [ "$1" = none ] && since_mark | grep -q '^[0-9]* F .* gpu-labeler$'; then
		echo 'the file was touched, though nothing had to change'
	fi
	kill -0 "$agent" 2>/dev/null || echo 'the agent is gone'
	since_mark | awk '
		$3 == "LOST" { print "uemon lost events" }
		$2 != "F" || $4 ~ /^\./ || $3 == "deleted" { next }
		$4 != "gpu-labeler" { print "a visible file beside ours: " $4; next }
		$3 == "created" || $3 == "modified" { print "the file was written in place, not renamed" }
		$3 == "moved-out" { print "the file was renamed away" }' | sort -u
	if [ -e "$FILE" ]; then
		[ "$(stat -c %a "$FILE")" = 644 ] || echo "mode $(stat -c %a "$FILE"), not 644"
		by_key -c <"$FILE" 2>/dev/null || echo 'the lines are not sorted by key'
	fi
}

report() { # <reached|none>: was a change expected?
	set -- "$1" "$(faults "$1")"
	# shellcheck disable=SC2046 # two words
	set -- "$1" "$2" $(count_and_delay)
	if [ "$1" = none ]; then
		set -- "$1" "$2" "$3" -
	fi
	if [ "$4" != - ] && [ "$4" -gt $((TOO_LATE * 1000)) ]; then
		set -- "$1" "$2 more than $TOO_LATE ms after the event" "$3" "$4"
	fi
	if is_as_wanted && [ -z "$2" ]; then
		echo "STEP ok $n_steps $3 $4 $title"
		return
	fi
	n_failed=$((n_failed + 1))
	echo "STEP FAIL $n_steps $3 $4 $title"
	echo "$2"
	echo 'wanted (-) and found (+):'
	file_now >/run/found
	diff -u "$WANT" /run/found | tail -n +4
	devices
	since_mark | tail -n 40
	echo 'end of the log:'
	tail -n 20 "$LOG"
	no_agent && fail_now 'without the agent the rest is pointless'
}

reach() {
	wait_for $LIMIT is_as_wanted
	wait_quiet
	report reached
}

# Not by line: "a=" comes after "a.b=" there.
by_key() {
	sort "$@" -t = -k 1,1
}

expect() { # <lines>...
	printf '%s\n' "$@" | by_key >"$WANT"
	reach
}

expect_none() {
	: >"$WANT"
	reach
}

# Nothing is published, and nothing is written: the labels are what they were before.
expect_same() {
	sleep $PAUSE
	wait_quiet
	report none
}

# --- the other commands ---

# One line for each that does not see what the agent sees.
faults_of_commands() {
	gpu-labeler detect --format inventory >/run/live 2>/run/err || cat /run/err
	gpu-labeler capture /run/tar 2>/run/err || cat /run/err
	gpu-labeler detect --capture /run/tar --format inventory >/run/captured 2>/run/err || cat /run/err
	cmp /run/live /run/captured 2>&1
	gpu-labeler detect --format labels 2>/run/err >/run/labels
	gpu-labeler explain 2>/run/err | sed -n 's/^\([^ ]*=[^ ]*\): .*/\1/p' | cmp /run/labels - 2>&1
	rm -f /run/tar
}

tell() { # <faults>
	if [ -z "$1" ]; then
		echo "STEP ok $n_steps 0 - $title"
		return
	fi
	n_failed=$((n_failed + 1))
	echo "STEP FAIL $n_steps 0 - $title"
	echo "$1"
}

# A capture of the machine is as the machine, and explain knows each label.
expect_commands() {
	tell "$(faults_of_commands)"
}

# What detect will say after these steps, as it says now.
foresee() { # <steps of --what-if>
	gpu-labeler detect --format labels 2>/dev/null >/run/now
	gpu-labeler detect --what-if "$1" 2>/dev/null >/run/changes || say "--what-if: exit code $?"
	{
		sed -n 's/^+//p' /run/changes
		sed -n 's/^-//p' /run/changes >/run/gone
		if [ -s /run/gone ]; then
			grep -vxF -f /run/gone /run/now
		else
			cat /run/now
		fi
	} | by_key >/run/foreseen
	[ -s /run/changes ] || say "--what-if: no change"
}

expect_foreseen() {
	gpu-labeler detect --format labels 2>/dev/null | by_key >/run/now
	tell "$(diff -u /run/foreseen /run/now | tail -n +4)"
}

# --- the end ---

stop_agent() {
	step 'SIGTERM: the agent leaves, the labels stay'
	[ -e "$FILE" ] && cp "$FILE" /run/last
	read -r t0 _ </proc/uptime
	kill -TERM "$agent"
	if ! wait_for 5 no_agent; then
		n_failed=$((n_failed + 1))
		echo "STEP FAIL $n_steps 0 - $title: still there after 5 s"
		return
	fi
	wait "$agent"
	code=$?
	read -r t1 _ </proc/uptime
	if [ $code -ne 0 ] || { [ -e /run/last ] && ! cmp -s /run/last "$FILE"; }; then
		n_failed=$((n_failed + 1))
		echo "STEP FAIL $n_steps 0 - $title: exit code $code"
	else
		echo "STEP ok $n_steps 0 - $title"
		say "gone within $(echo "$t1 $t0" | awk '{ printf "%d", ($1 - $2) * 1000 }') ms"
	fi
}

no_agent() {
	# A process that has ended and was not waited for is a zombie.
	! grep -q '^State:	[^Z]' "/proc/$agent/status" 2>/dev/null
}

finish() {
	if [ -n "$agent" ] && ! no_agent; then
		say "agent: $(socket_of_agent) $(awk '/^Rss:|^Private_Dirty:/ { printf "%s %s kB ", $1, $2 }' \
			"/proc/$agent/smaps_rollup")"
		stop_agent
	fi
	sed 's/^/LOG /' "$LOG" 2>/dev/null
	if dmesg | grep -E 'BUG:|WARNING:|Oops|Call Trace'; then
		n_failed=$((n_failed + 1))
		echo 'FAIL the kernel complains'
	fi
	echo "RESULT $n_steps steps, $n_failed failed"
}

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run.sh [--install] AGENT [SCENARIO...]
#
# Boots Debian's own kernel in an emulated machine with an IOMMU and SR-IOV cards, once for each
# scenario (guest/scenarios/*.sh, all by default), lets AGENT run in it, and sees whether the
# feature file says after every step what the label contract wants, or doctor what is amiss. What was printed on the serial
# line is kept in build/kernel/logs/. No KVM, no root.
#
# Exit code: 0 all as wanted, 1 not, 77 skipped since qemu or the kernel cannot be had here.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
logs=$(cd "$here/../.." && pwd)/build/kernel/logs
install=

if [ "${1-}" = --install ]; then
	install=--install
	shift
fi
if [ $# -eq 0 ]; then
	echo "usage: run.sh [--install] AGENT [SCENARIO...]" >&2
	exit 2
fi
agent=$1
shift
if [ $# -eq 0 ]; then
	set -- one-card server no-iommu many-vfs doctor doctor-audio doctor-no-iommu doctor-off
fi
for scenario; do
	[ -e "$here/guest/scenarios/$scenario.sh" ] || {
		echo "run.sh: no scenario $scenario" >&2
		exit 2
	}
done

# shellcheck disable=SC2086 # may be empty
kernel=$("$here/prepare.sh" $install "$agent")
mkdir -p "$logs"
fifo=$(mktemp -u "$logs/monitor.XXXXXX")
qemu=
trap 'rm -f "$fifo"; [ -z "$qemu" ] || kill "$qemu" 2>/dev/null || :' EXIT
trap 'exit 1' HUP INT TERM

# --- machines ---

# The n-th root port is bus n + 1 of the guest.
port() { # <n>
	echo "-device pcie-root-port,id=port$1,bus=pcie.0,addr=$(($1 + 4)),chassis=$1,slot=$1"
}

# An NVMe controller is the only emulated card with SR-IOV; gpuid makes a GPU of it.
card() { # <name> <port> <VFs>
	echo "nvme,id=$1,serial=$1,bus=port$2,subsys=subsys-$1,sriov_max_vfs=$3,$(
	)sriov_vq_flexible=$(($3 * 2)),sriov_vi_flexible=$3,max_ioqpairs=$(($3 * 2 + 2))"
}

with_subsystem() { # as card
	echo "-device nvme-subsys,id=subsys-$1 -device $(card "$@")"
}

machine() { # <name>
	case $1 in
	audio) # two functions of one card, and so in one group
		echo "$(port 0) -device ati-vga,model=rv100,id=gpu0,bus=port0,addr=0.0,multifunction=on" \
			'-device intel-hda,bus=port0,addr=0.1'
		;;
	ati) echo "$(port 0) -device ati-vga,model=rv100,id=gpu0,bus=port0" ;;
	server)
		echo "$(port 0) $(port 1) $(port 2) $(with_subsystem gpu0 0 4)" \
			"$(with_subsystem gpu1 1 4) $(with_subsystem flex 2 2)"
		;;
	many) echo "$(port 0) $(with_subsystem gpu0 0 60)" ;;
	esac
}

# What the guest asks for by a line "HOST ...".
monitor() { # <words>
	case $1 in
	device_del) echo "$1 $2" ;;
	plug) echo "device_add $(card "$2" 1 4)" ;;
	esac
}

# --- one scenario ---

# From the comment at the scenario's head.
setting() { # <scenario> <name>
	sed -n "s/^# host: .*\<$2=\([^ ]*\).*/\1/p" "$here/guest/scenarios/$1.sh"
}

boot() { # <scenario>
	iommu=
	# An emulator that has to wait for a processor may be late for the kernel's check of the timer.
	append="quiet no_timer_check console=ttyS0 panic=-1 scenario=$1 vfio=$(setting "$1" vfio)"
	case $(setting "$1" iommu) in
	on)
		iommu='-device intel-iommu,intremap=on'
		append="$append intel_iommu=on"
		;;
	disabled) # it is there, and the command line keeps the kernel from it
		iommu='-device intel-iommu,intremap=on'
		append="$append intel_iommu=off"
		;;
	off) append="$append amd_iommu=on iommu=pt" ;; # words that switch nothing on
	esac
	# shellcheck disable=SC2046,SC2086 # lists
	exec timeout -k 5 "$(setting "$1" limit)" qemu-system-x86_64 \
		-M q35,kernel-irqchip=split -accel tcg -cpu max -m 512 -smp 1 \
		-nodefaults -display none -no-reboot -monitor stdio -serial "file:$log" \
		-kernel "$kernel/vmlinux" -initrd "$kernel/initramfs" -append "$append" \
		$iommu $(machine "$(setting "$1" machine)") \
		<"$fifo" >"$logs/$1.monitor" 2>&1
}

requests() {
	tr -d '\r' <"$log" | sed -n 's/^HOST //p'
}

# Passes on what the guest asks for until the machine is off.
attend() {
	answered=0
	while kill -0 "$qemu" 2>/dev/null; do
		# shellcheck disable=SC2046 # words
		while [ "$(requests | wc -l)" -gt $answered ]; do
			answered=$((answered + 1))
			monitor $(requests | sed -n "${answered}p") >&3
		done
		sleep 0.1
	done
}

# Reads a log: prints the steps and leaves "delay <ms>" lines for the sum. 1 where anything is amiss.
judge() { # <scenario>
	tr -d '\r' <"$log" | awk -v scenario="$1" -v steps="$(setting "$1" steps)" '
		function show(mark) {
			delay = $5 == "-" ? "" : sprintf("%.0f ms", $5 / 1000)
			head = $6
			for (i = 7; i <= NF; i++)
				head = head " " $i
			printf "  %-4s %3d  %9s  %3d uevents  %s\n", mark, $3, delay, $4, head
		}
		/^STEP ok / { show("ok"); n++; if ($5 != "-") print "delay " $5 / 1000; next }
		/^STEP FAIL / { show("FAIL"); n++; bad = 1; detail = 1; next }
		/^NOTE / { sub(/^NOTE /, ""); print "            " $0; next }
		/^LOG / { next }
		/^RESULT / { result = $0; detail = 0; next }
		/^FAIL / { print "  " $0; bad = 1; next }
		/Kernel panic/ { print "  " $0; bad = 1; next }
		detail { print "       | " $0 }
		END {
			if (result !~ / 0 failed$/) {
				print "  FAIL " (result ? result : "the scenario did not end")
				bad = 1
			}
			if (n != steps) {
				printf "  FAIL %d steps were made, %d were to be\n", n, steps
				bad = 1
			}
			exit bad
		}'
}

# Smallest, median and largest of the delays.
spread() { # <file of judge>
	sed -n 's/^delay //p' "$1" | sort -n | awk '
		{ ms[NR] = $1 }
		END {
			if (NR)
				printf "%d delays from the last uevent to the file: %.0f ms at least, median %.0f, %.0f at most\n",
					NR, ms[1], ms[int((NR + 1) / 2)], ms[NR]
		}'
}

failed=
all=$logs/all
: >"$all"
for scenario; do
	log=$logs/$scenario.log
	rm -f "$fifo" "$log"
	mkfifo "$fifo"
	: >"$log"
	began=$(date +%s)
	exec 3<>"$fifo" # so that neither end waits for the other
	boot "$scenario" 3>&- &
	qemu=$!
	attend
	wait "$qemu" || :
	qemu=
	exec 3>&-
	took=$(($(date +%s) - began))
	verdict=ok
	judge "$scenario" >"$logs/$scenario.steps" || verdict=FAILED
	echo "$scenario: $verdict, $took s; $(tr -d '\r' <"$log" | sed -n 's/^INIT //p')"
	grep -v '^delay ' "$logs/$scenario.steps" || :
	cat "$logs/$scenario.steps" >>"$all"
	if [ $verdict != ok ]; then
		failed="$failed $scenario"
		echo "  the whole of it: $log"
	fi
done
echo "real kernel: $# scenarios, $(grep -c ' uevents  ' "$all" || :) steps; $(spread "$all")"
if [ -n "$failed" ]; then
	echo "real kernel: FAILED:$failed"
	exit 1
fi

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rooms include along the way of the data only, and a library's header stands in one place:
# usage: include-direction.sh [ROOT]; red on the first breach of each file.
set -eu
cd "${1:-$(dirname "$0")/..}"
bad=0

breach() {
	echo "$1: may not include $2"
	bad=1
}

# room: the rooms that it may include
allowed() {
	case $1 in
	base) echo base ;;
	inventory) echo base inventory ;;
	scan) echo base inventory scan ;;
	capture) echo base inventory scan capture ;;
	rules) echo base inventory rules ;;
	kube) echo base kube ;;
	metrics) echo base metrics ;;
	output) echo base inventory rules kube output ;;
	doctor) echo base inventory rules kube doctor ;;
	agent) echo base inventory scan rules kube output metrics agent config.h ;;
	nfd-hook) echo base inventory scan rules output ;;
	top) echo base inventory scan rules kube capture output doctor agent cmd config.h device_file.h ini_file.h ;;
	cmd) echo base inventory scan rules kube capture output doctor agent cmd config.h ;;
	esac
}

# Where each library's header may stand, and who may log.
owners() {
	case $1 in
	pci/pci.h) echo labeler/scan/pci.c ;;
	amdgpu.h | amdgpu_drm.h) echo labeler/scan/drm.c ;;
	libkmod.h) echo labeler/scan/kmod.c ;;
	ini.h) echo labeler/ini_file.c ;;
	curl/curl.h) echo labeler/kube/http.c ;;
	microhttpd.h) echo labeler/metrics/server.c ;;
	sha2.h) echo labeler/capture/privacy.c ;;
	seccomp.h) echo labeler/agent/confine.c ;;
	yaml.h) echo labeler/kube/yaml_doc.c ;;
	json-c/json.h) echo labeler/inventory/inventory_json.c labeler/inventory/inventory_from_json.c labeler/output/print_json.c labeler/output/print_explain.c labeler/output/kubevirt.c labeler/output/yaml_text.c labeler/doctor/report_json.c labeler/kube/*.c ;;
	esac
}

in_list() {
	wanted=$1
	shift
	for word in "$@"; do
		[ "$word" = "$wanted" ] && return 0
	done
	return 1
}

check() {
	file=$1 room=$2
	sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$file" >"$list"
	while read -r header; do
		# shellcheck disable=SC2046
		in_list "${header%%/*}" $(allowed "$room") || breach "$file" "$header"
		case $room:$header in
		cmd:base/log.h | agent:base/log.h) ;;
		top:base/log.h) [ "$file" = labeler/config.h ] || breach "$file" "$header" ;; # the level
		*:base/log.h) [ "$file" = labeler/base/log.c ] || breach "$file" "$header" ;;
		esac
	done <"$list"
	sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*<\([^>]*\)>.*/\1/p' "$file" >"$list"
	while read -r header; do
		who=$(owners "$header")
		# shellcheck disable=SC2086
		[ -z "$who" ] || in_list "$file" $who || breach "$file" "<$header>"
	done <"$list"
}

list=$(mktemp)
trap 'rm -f "$list"' EXIT
for file in labeler/*.[ch] labeler/*/*.[ch] nfd-hook/*.[ch]; do
	[ -e "$file" ] || continue
	case $file in
	nfd-hook/*) check "$file" nfd-hook ;;
	labeler/*/*) room=${file#labeler/} && check "$file" "${room%%/*}" ;;
	*) check "$file" top ;;
	esac
done
[ "$bad" = 0 ] && echo "include direction: all rooms in order"
exit "$bad"

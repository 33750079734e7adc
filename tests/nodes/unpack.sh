#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes the sysfs of a described machine: unpack.sh MACHINE TARGET makes TARGET/sys.
#
# A machine is a text file, one thing a line, # for comments:
#
#   function ADDRESS VENDOR:DEVICE [key=value]...     a PCI function
#       class=120000    six hex digits (default: that of an AMD or Intel GPU)
#       driver=gim      group=35 (IOMMU group)      numa=0 (default -1)
#       below=0000:00:03.1 (the bridge above it)    count=8 (as many, on buses one after the other,
#                       their groups too)
#       totalvfs=8 numvfs=1 vf-device=74b5          what an SR-IOV PF has
#   vf ADDRESS of=PF [device=74b5] [driver=] [group=] [numa=] [count=]
#                       a VF: physfn here, the next virtfn of its PF there; vendor and class of the
#                       PF, its vf-device; numvfs of the PF counts it
#   module NAME [version=] [srcversion=]              a loaded module
#
# and, after all of these, what lays hands on the tree itself, in this order:
#
#   d PATH              a directory
#   f PATH CONTENT      a file; \n, \\ and \0ooo as printf's %b has them
#   l PATH TARGET       a symbolic link
#   x PATH              remove it
#   m PATH MODE         chmod it
#   p PATH              a FIFO: who reads it hangs
#   big PATH BYTES      a file of so many 7s
set -eu
machine=$1
target=$2
mkdir -p "$target"

awk -v target="$target" -v file="$machine" '
function fail(why) { printf "%s:%d: %s\n", file, FNR, why > "/dev/stderr"; failed = 1; exit 2 }
function quote(text) { gsub(/\047/, "\047\\\047\047", text); return "\047" text "\047" }
function parent(path) { sub(/\/[^\/]*$/, "", path); return path }
function dir(path) { if (!(path in dirs)) { dirs[path]; print quote(target "/" path) > mkdirs } }
function put(path, text) { dir(parent(path)); written[path]; print "printf %b " quote(text) " >" quote(target "/" path) > files }
function link(path, to) { dir(parent(path)); written[path]; print "ln -sfn " quote(to) " " quote(target "/" path) > files }
function options(from, i, eq) {
	delete option
	for (i = from; i <= NF; i++) {
		eq = index($i, "=")
		if (!eq) fail($i ": is no key=value")
		option[substr($i, 1, eq - 1)] = substr($i, eq + 1)
	}
}
function known(names, key, list) {
	split(names, list, " ")
	for (key in list) allowed[list[key]]
	for (key in option) if (!(key in allowed)) fail(key ": there is no such key")
	delete allowed
}
# The n-th address after this one, bus by bus.
function bus_after(addr, n, part) {
	split(addr, part, ":")
	return sprintf("%s:%02x:%s", part[1], hex(part[2]) + n, part[3])
}
function hex(text, i, n) {
	for (i = 1; i <= length(text); i++) n = n * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
	return n
}
function up(path, n) { n = gsub(/\//, "/", path); path = ""; while (n-- > 0) path = path "../"; return path }
# The directory of a function, as the kernel nests it, and every link to it.
function place(addr, below, part, d, depth) {
	split(addr, part, ":")
	d = "sys/devices/pci" part[1] ":" (below ? "00" : part[2]) (below ? "/" below : "") "/" addr
	path_of[addr] = d
	depth = up(d) # from the directory of the function to sys
	root_of[addr] = depth
	dir(d)
	link("sys/bus/pci/devices/" addr, "../../../" substr(d, 5))
	link(d "/subsystem", depth "bus/pci")
	return d
}
function bind(addr, driver) {
	if (driver == "") return
	link(path_of[addr] "/driver", root_of[addr] "bus/pci/drivers/" driver)
	link("sys/bus/pci/drivers/" driver "/" addr, "../../../../" substr(path_of[addr], 5))
}
function group(addr, number) {
	if (number == "") return
	link(path_of[addr] "/iommu_group", root_of[addr] "kernel/iommu_groups/" number)
	link("sys/kernel/iommu_groups/" number "/devices/" addr, "../../../../" substr(path_of[addr], 5))
}
function identity(addr, vendor, device, class, numa, d) {
	d = path_of[addr]
	put(d "/vendor", "0x" vendor "\\n"); put(d "/device", "0x" device "\\n"); put(d "/class", "0x" class "\\n")
	put(d "/revision", "0x00\\n"); put(d "/numa_node", (numa == "" ? -1 : numa) "\\n")
}
BEGIN {
	mkdirs = target "/.mkdirs"; files = target "/.files"; late = target "/.late"
	printf "" > mkdirs; printf "" > files; printf "" > late
	dir("sys/bus/pci/devices"); dir("sys/bus/pci/drivers"); dir("sys/kernel/iommu_groups"); dir("sys/module")
}
/^[ \t]*(#|$)/ { next }
$1 == "function" {
	if ($3 !~ /^[0-9a-f]+:[0-9a-f]+$/) fail("function ADDRESS VENDOR:DEVICE")
	if ($2 !~ /^[0-9a-f]+:[0-9a-f][0-9a-f]:[0-9a-f][0-9a-f]\.[0-7]$/) fail($2 ": is no address")
	options(4); known("class driver group numa below count totalvfs numvfs vf-device")
	split($3, id, ":")
	class = "class" in option ? option["class"] : id[1] == "1002" ? "120000" : "030000"
	for (n = 0; n < ("count" in option ? option["count"] + 0 : 1); n++) {
		addr = bus_after($2, n)
		place(addr, option["below"])
		identity(addr, id[1], id[2], class, option["numa"])
		bind(addr, option["driver"])
		group(addr, option["group"] == "" ? "" : option["group"] + n)
		vendor_of[addr] = id[1]; class_of[addr] = class; numa_of[addr] = option["numa"]
		below_of[addr] = option["below"]
		if ("vf-device" in option) vf_device_of[addr] = option["vf-device"]
		if ("totalvfs" in option) put(path_of[addr] "/sriov_totalvfs", option["totalvfs"] "\\n")
		if ("vf-device" in option) put(path_of[addr] "/sriov_vf_device", option["vf-device"] "\\n")
		if ("totalvfs" in option || "numvfs" in option) { pfs[addr]; numvfs_of[addr] = option["numvfs"] }
	}
	next
}
$1 == "vf" {
	if ($2 !~ /^[0-9a-f]+:[0-9a-f][0-9a-f]:[0-9a-f][0-9a-f]\.[0-7]$/) fail($2 ": is no address")
	options(3); known("of device driver group numa count")
	for (n = 0; n < ("count" in option ? option["count"] + 0 : 1); n++) {
		addr = bus_after($2, n); pf = bus_after(option["of"], n)
		if (!(pf in path_of)) fail(pf ": the PF stands before its VFs")
		device = "device" in option ? option["device"] : vf_device_of[pf]
		if (device == "") fail(addr ": neither device= here nor vf-device= at its PF")
		place(addr, below_of[pf])
		identity(addr, vendor_of[pf], device, class_of[pf], "numa" in option ? option["numa"] : numa_of[pf])
		bind(addr, option["driver"])
		group(addr, option["group"] == "" ? "" : option["group"] + n)
		link(path_of[addr] "/physfn", "../" pf)
		link(path_of[pf] "/virtfn" vfs_of[pf] + 0, "../" addr)
		vfs_of[pf]++; pfs[pf]
	}
	next
}
$1 == "module" {
	if (NF < 2) fail("module NAME")
	options(3); known("version srcversion")
	dir("sys/module/" $2)
	if ("version" in option) put("sys/module/" $2 "/version", option["version"] "\\n")
	if ("srcversion" in option) put("sys/module/" $2 "/srcversion", option["srcversion"] "\\n")
	next
}
$1 == "d" { dir($2); next }
$1 ~ /^[flxmp]$|^big$/ {
	if (NF < 2) fail($1 " PATH")
	path = quote(target "/" $2); rest = $0
	sub(/^[a-z]+[ \t]+[^ \t]+[ \t]?/, "", rest)
	# What was described there makes way, be it a link to another place.
	way = ($2 in written) ? "rm -f " path "; " : ""
	if ($1 != "x" && $1 != "m") { dir(parent($2)); written[$2] }
	if ($1 == "f") print way "printf %b " quote(rest) " >" path > late
	else if ($1 == "l") print way "ln -sfn " quote(rest) " " path > late
	else if ($1 == "x") print "rm -r " path > late
	else if ($1 == "p") print "mkfifo " path > late
	else if ($1 == "m") print "chmod " rest " " path > late
	else print way "head -c " rest + 0 " /dev/zero | tr \"\\0\" 7 >" path > late
	next
}
{ fail($1 ": there is no such line") }
END {
	if (failed) exit 2
	for (pf in pfs) put(path_of[pf] "/sriov_numvfs", (numvfs_of[pf] != "" ? numvfs_of[pf] : vfs_of[pf] + 0) "\\n")
}' "$machine"

# A tree that is written out in full has no use for our empty directories.
xargs mkdir -p <"$target/.mkdirs"
sh -e "$target/.files"
sh -e "$target/.late"
rm -f "$target/.mkdirs" "$target/.files" "$target/.late"

# shellcheck shell=sh disable=SC2034,SC2154 # a part of init
# SPDX-License-Identifier: Apache-2.0
# 60 VFs come and go: more uevents than a socket's default buffer holds. The agent runs as nobody
# here, so that it cannot have a larger one than the system grants.
# host: machine=many iommu=on steps=9 limit=300

a=0000:01:00.0

insmod /modules/gpuid.ko map=$a/1002:74a1:120000:00:1002:74a1:74b5
insmod /modules/gim.ko

devices
start_agent nobody

step 'a PF on gim, no VFs'
expect_none

step '60 VFs at once'
vfs $a 60
expect "$(vf_mode 60 0)"

step 'all 60 to vfio-pci, as fast as it goes'
i=0
while [ $i -lt 60 ]; do
	bind "$(vf $a $i)" vfio-pci
	i=$((i + 1))
done
expect "$(vf_mode 60 60)"

step 'all gone'
vfs $a 0
expect_none

step '60, none, 60, none, 9'
for n in 60 0 60 0 9; do
	vfs $a $n
done
expect "$(vf_mode 9 0)"

# Nobody reads the socket meanwhile, so it overflows for certain, and what the agent finds in it
# afterwards ends before the VFs do.
step 'the agent is stopped, 60 VFs come and go three times, 3 stay'
kill -STOP "$agent"
for n in 0 60 0 60 0 60 0 3; do
	vfs $a $n
done
kill -CONT "$agent"
expect "$(vf_mode 3 0)"
say "after the overflow: $(socket_of_agent)"

step 'it still listens'
vfs $a 0
expect_none

# As the real one does it: the VFs are there before the PF's bind event.
step 'gim is loaded anew, and makes 20 VFs by itself'
rmmod gim
insmod /modules/gim.ko vf_num=20
expect "$(vf_mode 20 0)"

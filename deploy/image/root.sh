#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds both programs as static executables, and lays out the root of the container image: they, the
# names of GPUs, the licences and the SBOM. Nothing else is needed: no shell, libc, CA or user list.
# usage: root.sh ROOT REVISION
set -eu
root=$1 revision=$2
cd "$(dirname "$0")/../.."
sh labeler/small.sh
sh nfd-hook/static.sh
install -D build/small/labeler/gpu-labeler "$root/usr/bin/gpu-labeler"
install -D build/static/nfd-hook/gpu-nfd-hook "$root/usr/libexec/gpu-labeler/gpu-nfd-hook"
install -D -m 644 /usr/share/libdrm/amdgpu.ids "$root/usr/share/libdrm/amdgpu.ids"
# What [amd] pci-ids-names asks for: AMD's chips, without the names of boards.
mkdir -p "$root/usr/share/misc"
awk '/^[0-9a-f]/ { on = $1 == "1002" } on && !/^(\t\t|#)/' /usr/share/misc/pci.ids \
	>"$root/usr/share/misc/pci.ids"
install -D -m 644 LICENSE "$root/usr/share/doc/gpu-labeler/copyright"
python3 deploy/image/sbom.py "$revision" "$root" build/small/gpu-labeler.map build/static/gpu-nfd-hook.map

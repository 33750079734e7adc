#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the real kube-apiserver, kube-controller-manager, kube-scheduler, kubectl and etcd from their
# published Go modules: some ten minutes on two cores, once. Prints the directory that holds them.
# usage: build.sh     Exit status: 0, 77 where they can't be had here (says why), 1 failed
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=$(cd "$here/../.." && pwd)/build/apiserver
# shellcheck source=tests/go.sh
. "$here/../go.sh"

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
cd "$here/servers"
version=$(sed -n 's/^.*k8s.io\/kubernetes \(v[0-9.]*\).*/\1/p' go.mod)
key=$version-$(cat go.mod go.sum | sha256sum | cut -c1-12)
out=$cache/$key
if [ ! -f "$out/complete" ]; then
	go_fetch_modules tool
	echo "Building Kubernetes $version and etcd" >&2
	mkdir -p "$out"
	# /version would say v0.0.0 without it, and clients go by it.
	flags="-s -w -X k8s.io/component-base/version.gitVersion=$version"
	for package in go.etcd.io/etcd/server/v3:etcd k8s.io/kubernetes/cmd/kube-apiserver:kube-apiserver \
		k8s.io/kubernetes/cmd/kube-controller-manager:kube-controller-manager \
		k8s.io/kubernetes/cmd/kube-scheduler:kube-scheduler k8s.io/kubernetes/cmd/kubectl:kubectl; do
		nice go build -trimpath -ldflags "$flags" -o "$out/${package##*:}" "${package%:*}" >&2
	done
	: >"$out/complete"
fi
echo "$out"

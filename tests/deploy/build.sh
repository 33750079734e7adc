#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds kustomize and helm, what administrators install with, and the check of alerts by Prometheus'
# own engine, from their published Go modules; and takes the definitions of what the manifests use
# of others: NFD, KubeVirt, the Prometheus operator. Prints the directory that holds them.
# usage: build.sh     Exit status: 0, 77 where they can't be had here (says why), 1 failed
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "$here/../.." && pwd)/build/deploy
# shellcheck source=tests/go.sh
. "$here/../go.sh"

# A module as it was published, not built: the directory of its files.
files_of() { # module, version, checksum
	mkdir -p "$go_cache/empty"
	found=$(cd "$go_cache/empty" && go mod download -json "$1@$2" 2>"$go_cache/log") ||
		cannot "$1 can't be fetched: $(tail -n 1 "$go_cache/log")"
	echo "$found" | grep -qF "\"Sum\": \"$3\"" || { echo "$1@$2 is not what it was" >&2 && exit 1; }
	echo "$found" | sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p'
}

build() { # directory below here, go command...
	cd "$here/$1"
	shift
	nice "$@" >&2
}

mkdir -p "$out"
exec 9>"$out/lock"
flock 9
nfd=$(sh "$here/../nfd/build.sh")
key=$(cat "$here/build.sh" "$here/crds.py" "$here"/*/go.mod "$here"/*/go.sum "$here/rules/rules_test.go" |
	sha256sum | cut -c1-16)
if [ "$(cat "$out/.key" 2>/dev/null)" != "$key" ]; then
	cd "$here/tools"
	go_fetch_modules tool
	kubevirt=$(files_of kubevirt.io/kubevirt v1.8.0 'h1:zhHIWSsV9k1IWrNHuL+ylfvYH6mXUJY6ZIuHxsTgydU=')
	prometheus=$(files_of github.com/prometheus-operator/prometheus-operator v0.94.1 \
		'h1:QEIb2wenPH+SdMN1xMf8l4Pmj00YYXXI6HlbLlQWkww=')
	# As helm's own build has it: "helm template" takes it for the cluster's version.
	minor=$(sed -n 's/^.*k8s.io\/client-go v0\.\([0-9]*\)\..*/\1/p' go.mod)
	flags="-s -w -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1"
	flags="$flags -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=$minor"
	for package in sigs.k8s.io/kustomize/kustomize/v5:kustomize helm.sh/helm/v3/cmd/helm:helm; do
		build tools go build -trimpath -ldflags "$flags" -o "$out/${package##*:}" "${package%:*}"
	done
	build rules go test -c -trimpath -o "$out/rules.test" .
	python3 "$here/crds.py" "$kubevirt/pkg/virt-operator/resource/generate/components" >"$out/crds.yaml"
	for file in podmonitors prometheusrules; do
		cat "$prometheus/example/prometheus-operator-crd/monitoring.coreos.com_$file.yaml"
	done >>"$out/crds.yaml"
	printf -- '---\n' | cat - "$nfd/v0.19/nfd-api-crds.yaml" >>"$out/crds.yaml"
	echo "$key" >"$out/.key"
fi
echo "$out"

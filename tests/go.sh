# SPDX-License-Identifier: Apache-2.0
# To be sourced: makes `go` one that builds the tests' Go modules. Any Go will do, also Debian 12's,
# which is older than the modules ask for: the right one comes as a Go module itself, verified like
# every other. Exits with 77 and says why where that is not to be had here.
# shellcheck shell=sh
go_cache=$(cd "$(dirname "$0")" && until [ -f CMakeLists.txt ] && [ -d labeler ]; do cd ..; done && pwd)/build/go
mkdir -p "$go_cache"
go_wanted=1.26.0

cannot() { # why
	echo "SKIPPED: $*" >&2
	exit 77
}

# From 1.21 on, go fetches the version that a go.mod asks for. An older one is made to, as it
# fetches any module.
fetch_go() {
	name=golang.org/toolchain@v0.0.1-go$go_wanted.$(go env GOOS)-$(go env GOARCH)
	if [ ! -f "$go_cache/$name/complete" ]; then
		mkdir -p "$go_cache/empty"
		(cd "$go_cache/empty" && GOFLAGS=-modcacherw GOMODCACHE="$go_cache" go mod download "$name") \
			>"$go_cache/log" 2>&1 || cannot "Go $go_wanted can't be fetched: $(tail -n 1 "$go_cache/log")"
		# A module's files are not executable.
		chmod +x "$go_cache/$name"/bin/* "$go_cache/$name/pkg/tool"/*/*
		: >"$go_cache/$name/complete"
	fi
	PATH=$go_cache/$name/bin:$PATH
}

[ -x "$(command -v go)" ] || [ ! -x /usr/local/go/bin/go ] || PATH=$PATH:/usr/local/go/bin
command -v go >/dev/null || cannot 'there is no go: install golang-go, also that of Debian 12 will do'
HOME=${HOME:-$go_cache/home}
unset GOROOT
export HOME PATH GOFLAGS='-mod=readonly -buildvcs=false' GOWORK=off CGO_ENABLED=0 GOTOOLCHAIN=auto
go_minor=$(cd / && GOTOOLCHAIN=local go version | sed -n 's/^go version go1\.\([0-9]*\).*/\1/p')
[ "${go_minor:-99}" -ge 21 ] || fetch_go

# Downloads all that a module needs and compiles nothing: where this fails, so does the network.
go_fetch_modules() { # package...
	nice go list -deps "$@" >/dev/null 2>"$go_cache/log" ||
		cannot "the Go modules can't be fetched: $(tail -n 1 "$go_cache/log")"
}

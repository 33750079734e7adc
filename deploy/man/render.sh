#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the man pages: the prose stands in *.in beside this, commands and options come from the
# programs' own --help, keys from the comments of conf/gpu-labeler.conf. One source for each.
# usage: render.sh GPU_LABELER GPU_NFD_HOOK OUT_DIR
set -eu
labeler=$1 hook=$2 out=$3
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$out"

# Text for mdoc: nothing in it is a macro, and each sentence begins a line.
text='function text(s) {
	gsub(/\\/, "\\e", s)
	while (match(s, /[.] [A-Z]/)) s = substr(s, 1, RSTART) "\n" substr(s, RSTART + 2)
	return s ~ /^[.'"'"']/ ? "\\&" s : s
}'

# Options of a help text as list items: "--flag VALUE   what it does", lines go on indented.
items() {
	awk "$text"'
	/^  --/ {
		match($0, /^  --[^ ]*( [^ ]+)?/)
		split(substr($0, 5, RLENGTH - 4), word, " ")
		flag = word[1]; value = word[2]
		if (split(flag, part, "[][=]") > 1) { # --write[=DIR]
			sub(/^[^=]*=/, "", flag); sub(/]$/, "", flag)
			print ".It Fl Fl " part[1] " Ns Oo = Ns Ar " flag " Oc"
		} else {
			print ".It Fl Fl " flag (value ? " Ar " value : "")
		}
		said = substr($0, RLENGTH + 1); sub(/^ */, "", said)
		print text(said)
		next
	}
	/^   +/ && said != "" { sub(/^ */, ""); print text($0); next }
	{ said = "" }'
}

flags() { sed -n 's/^  --\([^][ =]*\).*/\1/p' "$1" | sort; }

# ---- gpu-labeler(1): what several commands know is a key of the configuration ----
commands=$("$labeler" --help | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p')
for command in $commands; do
	"$labeler" "$command" --help >"$work/$command"
	[ "$command" = run ] || flags "$work/$command"
done | sort -u >"$work/.others"
flags "$work/run" | comm -12 - "$work/.others" >"$work/.shared"

for command in $commands; do
	printf '.Nm\n.Cm %s\n.Op Ar options\n' "$command"
	# "Usage: gpu-labeler explain [OPTION]... [LABEL]"
	sed -n '1s/.*\[OPTION\]\.\.\. *//p' "$work/$command" |
		sed -n 's/^\[\(.*\)\]$/.Op Ar \1/p; t; s/^..*/.Ar &/p'
done >"$work/.synopsis"

only() { # yes|no HELP: the options that are shared, or those that are not
	awk -v wanted="$1" '
	FNR == NR { shared[$1] = 1; next }
	/^  --/ { split(substr($0, 5), word, "[][ =]"); keep = (word[1] in shared) == (wanted == "yes") }
	!/^  / { keep = 0 }
	keep' "$work/.shared" "$2"
}

for command in $commands; do
	summary=$("$labeler" --help | sed -n "s/^  $command  *//p")
	printf '.Ss gpu-labeler %s\n' "$command"
	# what stands between the usage and the options
	awk 'NR > 2 && /^  --/ { exit } NR > 2 && NF { print }' "$work/$command" >"$work/.about"
	[ -s "$work/.about" ] || echo "$summary" >"$work/.about"
	awk "$text"'{ print text($0) }' "$work/.about"
	only no "$work/$command" | items >"$work/.own"
	[ ! -s "$work/.own" ] || { echo .Bl -tag -width Ds && cat "$work/.own" && echo .El; }
	only yes "$work/$command" | grep -v '^  --\(help\|config\)' | items | grep '^\.It' | sed 's/^\.It //' >"$work/.its"
	[ ! -s "$work/.its" ] || printf '.Pp\nOf the configuration it takes:\n'
	awk '{ print "." $0 " ," }' "$work/.its" | sed '$s/ ,$/ ./'
done >"$work/.commands"

for command in $commands; do only yes "$work/$command"; done |
	awk '$1 == "--help" { last = $0; next } !seen[$1]++; END { print last }' | items >"$work/.configuration"

# ---- gpu-labeler.conf(5): a comment and the keys below it ----
awk "$text"'
function done_with() {
	if (!n_keys) { n_lines = 0; return }
	for (i = 1; i <= n_keys; i++) print ".It Cm " keys[i] (defaults[i] == "" ? "" : " = Ar " defaults[i])
	for (i = 1; i <= n_lines; i++) print text(lines[i])
	n_lines = n_keys = 0
}
/^\[/ { done_with(); if (open) print ".El"; print ".Ss [" substr($0, 2); print ".Bl -tag -width Ds"; open = 1; next }
/^;/ { if (n_keys) done_with(); sub(/^; ?/, ""); if ($0 != "") lines[++n_lines] = $0; next }
/=/ { split($0, part, / *= */); keys[++n_keys] = part[1]; defaults[n_keys] = part[2]; next }
{ done_with() }
END { done_with(); if (open) print ".El" }' "$here/../../conf/gpu-labeler.conf" >"$work/.keys"

# ---- gpu-nfd-hook(1) ----
"$hook" --help >"$work/.hook"
items <"$work/.hook" >"$work/.options"
sed -n '1s/^Usage: gpu-nfd-hook *//p' "$work/.hook" >"$work/.usage"
printf '.Nm\n' >"$work/.hook-synopsis"
tr ']' '\n' <"$work/.usage" | sed -n 's/^ *\[--\([a-z]*\) \([A-Z]*\)$/.Op Fl Fl \1 Ar \2/p
	s/^ *\[--\([a-z]*\)\[=\([A-Z]*\)$/.Op Fl Fl \1 Ns Oo = Ns Ar \2 Oc/p' >>"$work/.hook-synopsis"

extra=$("$labeler" --help | sed -n 's/.*status: .*\(, 3 .*\)\./\1/p')
sed -e "s/@EXIT@/$extra/" -e "/^@SYNOPSIS@$/{r $work/.synopsis
d;}" -e "/^@COMMANDS@$/{r $work/.commands
d;}" -e "/^@CONFIGURATION@$/{r $work/.configuration
d;}" "$here/gpu-labeler.1.in" >"$out/gpu-labeler.1"
sed -e "/^@KEYS@$/{r $work/.keys
d;}" "$here/gpu-labeler.conf.5.in" >"$out/gpu-labeler.conf.5"
sed -e "/^@SYNOPSIS@$/{r $work/.hook-synopsis
d;}" -e "/^@OPTIONS@$/{r $work/.options
d;}" "$here/gpu-nfd-hook.1.in" >"$out/gpu-nfd-hook.1"

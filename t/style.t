#!/bin/bash
# SPDX-License-Identifier: ISC
# The rules of the house that a program can check; HACKING.md has the rest.

cd "$(dirname "$0")/.." || exit 1
shopt -s lastpipe
n=0 bad=0

# none NAME: standard input lists the offenders; no line is a pass.
none() {
	n=$((n + 1))
	found=$(cat)
	if [ -z "$found" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "$found" | sed 's/^/# /'
		bad=1
	fi
}

code=$(find lib tools t bench -name '*.[ch]' | sort)
ours=$(find lib tools -name '*.[ch]' | sort)

for f in $code $(find bin t bench -name '*.sh' -o -name '*.t' -o \
    -name '*.bats' -o -name '*.py' -o -path 'bin/*' -type f | sort)
do
	case $f in bin/lemon-*) head -c2 "$f" | grep -q '#!' || continue ;; esac
	head -3 "$f" | grep -q 'SPDX-License-Identifier: ISC' || echo "$f"
done | none "every source file names its licence"

for f in t/*.bats t/*.t
do
	[ -x "$f" ] && head -c2 "$f" | grep -q '#!' || echo "$f"
done | none "every test can be run by itself"

for f in $(echo "$ours" | grep '\.h$')
do
	guard=$(echo "${f#lib/}" | sed 's|tools/lemon-[a-z]*/||' |
	    tr 'a-z/.-' 'A-Z___')
	grep -q "^#ifndef ${guard}\$" "$f" || echo "$f: $guard"
done | none "headers are guarded by ROOM_NOUN_H"

for f in $(echo "$ours" | grep '^lib/.*\.c$')
do
	h=${f%.c}.h h=${h#lib/}
	[ -e "lib/$h" ] || continue
	first=$(grep -m1 '^#include' "$f")
	[ "$first" = "#include \"$h\"" ] || echo "$f"
done | none "a source file includes its own header first"

echo "$ours" | xargs grep -nE \
    '\b(v?sprintf|strcpy|strcat|strncpy|strtok|atoi|atol|alloca|gets|system|popen|tmpnam|mktemp)\(' |
    none "nothing banned is called"

echo "$ours" | xargs grep -nE '\[(PATH|LINE)_MAX|#include <ctype.h>' |
    none "no PATH_MAX arrays, no ctype on octets from outside"

grep -nE '\b(exit|_exit|abort|perror|puts|printf)\(' lib/*/*.c |
    grep -v '^lib/base/die\.c:' | while IFS=: read -r f line text
do
	# The end of a child that the same file forks is no exit of ours.
	case $text in
	*_exit\(*) grep -qE '\bv?fork\(' "$f" && continue ;;
	esac
	echo "$f:$line:$text"
done |
    none "the library neither prints nor exits"

echo "$ours" | xargs awk 'length($0) > 100 { print FILENAME ":" FNR }' |
    none "lines fit"

echo "$ours" | xargs wc -l | awk '$2 != "total" && $1 > 700' |
    none "files are one noun each (700 lines at most)"

# The shell goes on after "! a", and after a false "a" in "a && b".
awk '
FNR == 1 { line = "" }
{
	at = line == "" ? FNR : at
	line = line $0
}
/\\$/ { sub(/\\$/, "", line); next }
line !~ /\|\|/ && (line ~ /^\t+! / || line ~ /^\t+\[[^&]*\] && *[[!]/) {
	print FILENAME ":" at ": " line
}
{ line = "" }
' t/*.bats t/*.bash |
    none "every line of a test can fail it"

echo "$ours" | xargs grep -nE '\b(TODO|FIXME|XXX|HACK)\b' |
    none "nothing is left for later in a comment"

for f in tools/*/main.c
do
	[ -e "$f" ] || continue
	awk -v f="$f" '/^main\(/ { a = NR } a && /^}/ { if (NR - a > 45)
	    print f ": " NR - a; exit }' "$f"
done | none "main fits on a page"

# A prototype in a header of the library has its contract above it or beside
# it, or shares that of the group it stands in, or is named in a comment of
# the header; what only begins or ends a thing explains itself.
for f in lib/*/*.h
do
	awk -v f="$f" '
	FNR == NR {
		if (/\/\*/) c = 1
		if (c) text = text $0
		if (/\*\//) c = 0
		next
	}
	/^[a-z][a-z0-9_ *]*[ *][a-z0-9_]+\(/ && !/^typedef|^static/ {
		name = $0
		sub(/\(.*/, "", name); sub(/.*[ *]/, "", name)
		if (!near && $0 !~ /\/\*/ && index(text, name) == 0 &&
		    name !~ /_(free|close|clear|init|open|end)$/)
			print f ":" FNR ": " $0
	}
	/\*\// { near = 1; next }
	/^$/ { near = 0 }
	' "$f" "$f"
done | none "every public prototype has a contract"

for f in lib/*/*.c
do
	u=t/unit/${f#lib/}
	[ -e "$u" ] && continue
	grep -qlr "$(basename "$f" .c)" t/unit t/*.bats t/talk/ 2>/dev/null ||
	    echo "$f"
done | none "every module has a test that names it"

grep -rnE '/\*[^*]*\bRFC ?[0-9]+, ' lib tools |
    none "RFCs are cited as \"RFC 7162 3.1.4\""

echo "1..$n"
exit $bad

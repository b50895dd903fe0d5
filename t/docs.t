#!/bin/sh
# SPDX-License-Identifier: ISC
# Every program has a manual page that mandoc likes, that names the options
# it really takes, and -h says how to use it.

cd "$(dirname "$0")/.." || exit 1
. t/tap.sh

for page in doc/*.[1-8]
do
	out=$(mandoc -Tlint -Wwarning "$page" 2>&1 |
	    grep -vE 'cross reference to self|referenced manual not found')
	[ -z "$out" ]
	result $? "$page is clean mdoc"
	[ -z "$out" ] || echo "$out" | sed 's/^/# /'
done

programs=$(ls tools | grep '^lemon-'
    for f in bin/lemon-*; do
	head -c2 "$f" | grep -q '#!' && basename "$f"
    done)
for p in $programs
do
	page=$(ls doc/"$p".[1-8] 2>/dev/null)
	[ -n "$page" ]
	result $? "$p has a manual page"
	[ -n "$page" ] || continue
	for s in NAME SYNOPSIS DESCRIPTION 'EXIT STATUS' EXAMPLES 'SEE ALSO'
	do
		grep -qE "^\.Sh \"?$s\"?\$" "$page"
		result $? "$p: the manual has $s"
	done

	# The options of the getopt call against those of the SYNOPSIS.
	opts=$(cat tools/"$p"/*.c bin/"$p" 2>/dev/null | tr -d '\0' |
	    sed -nE 's/.*getopt(_long)?\([a-z]+, *[a-z]+, *"([^"]*)".*/\2/p
		s/^[^#]*getopts "?([a-zA-Z:0-9]+)"? .*/\1/p' |
	    tr -d ':+\n' | fold -w1 | sort -u | grep -v h | tr -d '\n')
	page_opts=$(sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESC/p' "$page" |
	    grep -oE '\bFl [a-zA-Z0-9]+' | sed 's/Fl //' | fold -w1 |
	    sort -u | grep -v h | tr -d '\n')
	[ "$opts" = "$page_opts" ]
	result $? "$p takes the options of its SYNOPSIS ($opts, $page_opts)"

	out=$("$p" -h </dev/null 2>&1)
	code=$?
	[ $code = 0 ] && echo "$out" | grep -qi '^usage'
	result $? "$p -h says how to use it"
	for o in $(echo "$opts" | fold -w1)
	do
		echo "$out" | grep -q -- "-$o"
		result $? "$p -h names -$o"
	done
done

for page in lemon.7 lemon-control.5 lemon-maildir.5
do
	[ -e "doc/$page" ]
	result $? "$page is there"
done

# Each control file that the code asks for is in lemon-control(5).
for f in $(grep -hoE 'control_(line|num|list|listed|path|flag)\([^"]*"[a-z-]+"' \
    lib/*/*.c tools/*/*.c | sed 's/.*"\(.*\)"/\1/' | sort -u)
do
	grep -qE "^\.It (Pa|Ic|Sy|Cm) $f\b" doc/lemon-control.5
	result $? "lemon-control(5) tells of $f"
done

echo "1..$n"
exit $bad

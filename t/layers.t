#!/bin/sh
# SPDX-License-Identifier: ISC
# A room includes itself and the rooms below it; siblings are strangers.  Only
# lib/url, above them, knows both the grammar and the store.
# Only lib/store and lib/base place files by rename.

cd "$(dirname "$0")/.." || exit 1

below() {
	case $1 in
	base)      echo " base " ;;
	net|text)  echo " base $1 " ;;
	auth|mime) echo " base net text $1 " ;;
	tls)       echo " base net tls " ;;
	imap|smtp|sieve|store) echo " base net text auth mime $1 " ;;
	url)       echo " base net text auth mime imap store url " ;;
	*)         echo " " ;;
	esac
}

. t/tap.sh

for room in lib/*/
do
	room=${room#lib/} room=${room%/} wrong=
	for f in lib/"$room"/*.[ch]
	do
		[ -e "$f" ] || continue
		for dep in $(sed -n 's|^#include "\([a-z]*\)/.*|\1|p' "$f")
		do
			case "$(below "$room")" in
			*" $dep "*) ;;
			*) wrong="$wrong $f:$dep" ;;
			esac
		done
	done
	[ -z "$wrong" ]
	result $? "$room includes only what is below it$wrong"
done

wrong=$(grep -lE '^#include "\.\./|^#include "tools/' lib/*/*.[ch])
[ -z "$wrong" ]
result $? "no room includes a tool or climbs out of its room $wrong"

wrong=$(grep -lE '\brename(at2?)?\(' lib/*/*.c tools/*/*.c |
    grep -vE '^lib/(store|base)/')
[ -z "$wrong" ]
result $? "only lib/store and lib/base rename files $wrong"

echo "1..$n"
exit $bad

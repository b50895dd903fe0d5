#!/bin/sh
# SPDX-License-Identifier: ISC
# Every fuzz target has a corpus, and survives it.  $LEMON_BUILD names the
# build whose replay programs run.

cd "$(dirname "$0")/.." || exit 1
build=${LEMON_BUILD:-build}
. t/tap.sh
for f in t/fuzz/*.c
do
	noun=$(basename "$f" .c)
	[ "$noun" = replay ] && continue
	count=$(find "t/fuzz/corpus/$noun" -type f 2>/dev/null | wc -l)
	[ "$count" -gt 0 ] && find "t/fuzz/corpus/$noun" -type f -print0 |
	    xargs -0 timeout 120 "$build/t/fuzz/$noun" 2>"/tmp/fuzz.$$"
	code=$?
	result $code "$noun survives its corpus of $count"
	[ $code = 0 ] || sed 's/^/# /' "/tmp/fuzz.$$"
	rm -f "/tmp/fuzz.$$"
done
echo "1..$n"
exit $bad

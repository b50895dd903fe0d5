# SPDX-License-Identifier: ISC
# For tests in sh that print TAP: result STATUS NAME after each case, and in
# the end: echo "1..$n"; exit $bad

n=0 bad=0
result() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		bad=1
	fi
}

#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# make demo, which README.md begins with.

@test "the demo tells its story to the end" {
	run "$BATS_TEST_DIRNAME/../demo/demo.sh"
	[ "$status" = 0 ] || { echo "$output"; false; }
	[[ ${lines[-1]} == 'All is stopped, and nothing is left behind.' ]]
	# A film of 5 MB was sent on both ways, and what that cost is told.
	[[ $output =~ 'a film of '([0-9]+)' octets' ]]
	film=${BASH_REMATCH[1]}
	[ "$film" -gt 5000000 ]
	[[ $output =~ 'That is '([0-9]+)' and '([0-9]+)' octets'.*'in place of '([0-9]+)'.' ]]
	echo "# ${BASH_REMATCH[*]:1} octets" >&3
	[ "${BASH_REMATCH[1]}" -lt 5000 ]
	[ "${BASH_REMATCH[2]}" -lt 5000 ]
	[ "${BASH_REMATCH[3]}" -gt $((2 * film)) ]
	[ "$(grep -c 'round trips' <<<"$output")" = 6 ]
}

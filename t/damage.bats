#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A share of what make damage does: always the same, and without the two kinds
# of damage of which one in some hundred trials is still seen by a client.

@test "whatever becomes of the index, clients see nothing of it" {
	! ldd "$(command -v lemon-imapd)" | grep -q asan ||
	    skip "a sanitizer ends what the store would survive"
	run python3 "$BATS_TEST_DIRNAME/index_damage.py" -n "${DAMAGE:-60}" \
	    -s 1 -x swap_pages,flip_meta
	echo "$output"
	[ "$status" = 0 ]
}

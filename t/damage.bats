#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A share of what make damage does, always the same.

@test "whatever becomes of the index, clients see nothing of it" {
	! ldd "$(command -v lemon-imapd)" | grep -q asan ||
	    skip "a sanitizer ends what the store would survive"
	run python3 "$BATS_TEST_DIRNAME/index_damage.py" -n "${DAMAGE:-60}" \
	    -s 1
	echo "$output"
	[ "$status" = 0 ]
}

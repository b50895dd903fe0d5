#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A share of what make damage does.

@test "whatever becomes of the index, clients see nothing of it" {
	run python3 "$BATS_TEST_DIRNAME/index_damage.py" -n "${DAMAGE:-60}"
	echo "$output"
	[ "$status" = 0 ]
}

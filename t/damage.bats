#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A share of what make damage does, always the same.

@test "whatever becomes of the index, clients see nothing of it" {
	# What LMDB dies of is ours to hear of, and no sanitizer's.
	export ASAN_OPTIONS=${ASAN_OPTIONS-}:handle_segv=0:handle_sigbus=0
	ASAN_OPTIONS=$ASAN_OPTIONS:handle_abort=0
	run python3 "$BATS_TEST_DIRNAME/index_damage.py" -n "${DAMAGE:-60}" \
	    -s 1
	echo "$output"
	[ "$status" = 0 ]
}

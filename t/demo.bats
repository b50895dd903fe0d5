#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# make demo, which README.md begins with.

@test "the demo tells its story to the end" {
	run "$BATS_TEST_DIRNAME/../demo/demo.sh"
	[ "$status" = 0 ] || { echo "$output"; false; }
	[[ ${lines[-1]} == 'All is stopped, and nothing is left behind.' ]]
}

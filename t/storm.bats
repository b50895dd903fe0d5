#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Many at once, for a few seconds; make storm is the long form.

bats_require_minimum_version 1.5.0

load room

setup() {
	room
}

@test "what many writers were told is in the store, some of them killed" {
	[ -e "$LEMON_BUILD/t/storm/watch" ] || skip "make tests builds the watch"
	python3 "$BATS_TEST_DIRNAME/storm/storm.py" 4 1 1 >out || { cat out; false; }
	sed "s/^/# /" out >&3
}

@test "no file is said to be gone while others are renamed" {
	python3 "$BATS_TEST_DIRNAME/storm/renames.py" 300 1 >out || { cat out; false; }
	sed "s/^/# /" out >&3
}

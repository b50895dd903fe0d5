#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Many at once, for a few seconds; make storm is the long form.

bats_require_minimum_version 1.5.0

setup() {
	umask 022
	cd "$BATS_TEST_TMPDIR"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" . || :
	export PYTHONDONTWRITEBYTECODE=1
	unset "${!TCP@}" "${!SSL@}" PROTO REMOTE_ADDR REMOTE_HOST
}

@test "what many writers were told is in the store, some of them killed" {
	# Not yet tried under a sanitizer, which has memory and times of its own.
	! ldd "$(command -v lemon-imapd)" | grep -q asan ||
	    skip "a sanitizer has memory and times of its own"
	[ -e "$LEMON_BUILD/t/storm/watch" ] || skip "make tests builds the watch"
	python3 "$BATS_TEST_DIRNAME/storm/storm.py" 4 1 1 >out || { cat out; false; }
	sed "s/^/# /" out >&3
}

@test "no file is said to be gone while others are renamed" {
	# Not yet tried under a sanitizer, which has memory and times of its own.
	! ldd "$(command -v lemon-imapd)" | grep -q asan ||
	    skip "a sanitizer has memory and times of its own"
	python3 "$BATS_TEST_DIRNAME/storm/renames.py" 300 1 >out || { cat out; false; }
	sed "s/^/# /" out >&3
}

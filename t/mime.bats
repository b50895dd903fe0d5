#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The parser against another one, over real messages.

@test "every message parses, and every part has exactly its octets" {
	build=${LEMON_BUILD:-build}
	run python3 t/mime_parts.py "$build/t/unit/mime/parse.t" t/data/mail
	echo "$output"
	[ "$status" = 0 ]
}

@test "a server gives exactly the octets of every part" {
	build=${LEMON_BUILD:-build}
	export T=$BATS_TEST_TMPDIR LEMON_CONTROL=$BATS_TEST_TMPDIR/control
	mkdir "$LEMON_CONTROL"
	run python3 t/imap_parts.py "$build/t/unit/mime/parse.t" t/data/mail
	echo "$output"
	[ "$status" = 0 ]
}

@test "a server's BODYSTRUCTURE is what another parser sees" {
	export T=$BATS_TEST_TMPDIR LEMON_CONTROL=$BATS_TEST_TMPDIR/control
	mkdir "$LEMON_CONTROL"
	run python3 t/imap_structure.py t/data/mail
	echo "$output"
	[ "$status" = 0 ]
}

@test "a server decodes every part as another decoder does" {
	export T=$BATS_TEST_TMPDIR LEMON_CONTROL=$BATS_TEST_TMPDIR/control
	mkdir "$LEMON_CONTROL"
	run python3 t/imap_binary.py t/data/mail
	echo "$output"
	[ "$status" = 0 ]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The parser against another one, over real messages.

setup() {
	export T=$BATS_TEST_TMPDIR LEMON_CONTROL=$BATS_TEST_TMPDIR/control
	mkdir "$LEMON_CONTROL"
	parse=${LEMON_BUILD:-build}/t/unit/mime/parse.t
}

# agrees SCRIPT [ARG]: about all those messages
agrees() {
	run python3 "t/$@" t/data/mail
	echo "$output"
	[ "$status" = 0 ]
}

@test "every message parses, and every part has exactly its octets" {
	agrees mime_parts.py "$parse"
}

@test "a server gives exactly the octets of every part" {
	agrees imap_parts.py "$parse"
}

@test "a server's BODYSTRUCTURE is what another parser sees" {
	agrees imap_structure.py
}

@test "a server decodes every part as another decoder does" {
	agrees imap_binary.py
}

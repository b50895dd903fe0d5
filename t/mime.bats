#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The parser against another one, over real messages.

@test "every message parses, and every part has exactly its octets" {
	build=${LEMON_BUILD:-build}
	run python3 t/mime_parts.py "$build/t/unit/mime/parse.t" t/data/mail
	echo "$output"
	[ "$status" = 0 ]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What passwords open, as lemon-user and lemon-checkreply are installed, and
# with checkpassword programs from elsewhere.

bats_require_minimum_version 1.5.0

setup() {
	umask 022
	export LEMON_CONTROL=$BATS_TEST_TMPDIR/control
	# Where who we are made can run it, wherever it was built.
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR"
	cp "$(command -v lemon-checkreply)" "$BATS_TEST_TMPDIR"
	export LEMON_CHECKREPLY=$BATS_TEST_TMPDIR/lemon-checkreply
	mkdir "$LEMON_CONTROL"
	echo example.org >"$LEMON_CONTROL/locals"
}

# try LOGIN PASSWORD [SCOPE]: "ok NAME LABEL HOME UID", "bad" or "temp".
try() {
	echo "$2" | "$LEMON_BUILD/t/unit/auth/password.t" try "$1" \
	    "${3:-imap}" 2>>"$BATS_TEST_TMPDIR/err"
}

verdict() {
	try "$@" | cut -d' ' -f1
}

@test "the password of lemon-user opens the account, until it is changed" {
	echo one | lemon-user add alice
	[ "$(verdict alice one)" = ok ]
	[ "$(verdict Alice@Example.org one submit)" = ok ]
	[ "$(verdict alice two)" = bad ]
	echo two | lemon-user passwd alice
	[ "$(verdict alice one)" = bad ]
	[ "$(verdict alice two)" = ok ]
	lemon-user del alice
	[ "$(verdict alice two)" = bad ]
}

@test "a password may be any text" {
	for p in 'pass word' ' ' '$(id)`"\' 'пароль' 'p:a:s:s' "'"; do
		printf '%s\n' "$p" | lemon-user add alice
		[ "$(verdict alice "$p")" = ok ]
		[ "$(verdict alice "x$p")" = bad ]
		lemon-user del alice
	done
}

@test "an app password opens what its scope says, to its last day" {
	today=$(date -u +%F) yesterday=$(date -u -d yesterday +%F)
	echo main | lemon-user add alice
	echo app | lemon-user app alice phone -s imap -e "$today"
	echo app | lemon-user app alice old -e "$yesterday"
	echo app | lemon-user app alice any
	[ "$(try alice+phone app | cut -d' ' -f1-3)" = "ok alice phone" ]
	[ "$(verdict alice+phone@example.org app)" = ok ]
	[ "$(verdict alice+phone app submit)" = bad ]
	[ "$(verdict alice+phone app sieve)" = bad ]
	[ "$(verdict alice+any app sieve)" = ok ]
	[ "$(verdict alice+old app)" = bad ]
	[ "$(verdict alice app)" = bad ]
	[ "$(verdict alice+phone main)" = bad ]
	lemon-user unapp alice phone
	[ "$(verdict alice+phone app)" = bad ]
}

@test "accounts that cannot be read now are a temporary failure" {
	echo one | lemon-user add alice
	rm "$LEMON_CONTROL/users/alice/verifier"
	mkdir "$LEMON_CONTROL/users/alice/verifier"
	[ "$(verdict alice one)" = temp ]
}

@test "lemon-checkreply says who it was made" {
	cd /
	run -0 env -i USER=al HOME=/h "$LEMON_CHECKREPLY"
	out=$(env -i USER=al HOME=/h MAILDIR=/m "$LEMON_CHECKREPLY" |
	    tr '\0' '|')
	[ "$out" = "lemon-checkreply 1|al|/h|/m|$(id -u)|$(id -g)|" ]
	run -75 env -i USER=al "$LEMON_CHECKREPLY"
	run -75 env -i HOME=/h "$LEMON_CHECKREPLY"
	run -64 "$LEMON_CHECKREPLY" argument
	run -75 bash -c "USER=al HOME=/h '$LEMON_CHECKREPLY' >/dev/full"
}

@test "cvm-checkpassword of Debian decides" {
	[ -x /usr/bin/cvm-checkpassword ] || skip "cvm is not installed"
	id=$(id -u)
	[ "$id" != 0 ] || id=65534
	export CVM_PWFILE_PATH=$BATS_TEST_TMPDIR/pw
	echo "bob:secret:$id:$id:Bob:$BATS_TEST_TMPDIR:/bin/sh" \
	    >"$CVM_PWFILE_PATH"
	chmod 644 "$CVM_PWFILE_PATH"
	echo /usr/bin/cvm-checkpassword /usr/bin/cvm-pwfile \
	    >"$LEMON_CONTROL/checkpassword"
	[ "$(verdict bob wrong)" = bad ]
	[ "$(verdict carol secret)" = bad ]
	out=$(try bob secret)
	[ "${out% *}" = "ok bob - $BATS_TEST_TMPDIR" ]
	[ "$(id -u)" != 0 ] || [ "${out##* }" = 65534 ]
	rm "$CVM_PWFILE_PATH"
	[ "$(verdict bob secret)" = temp ]
}

@test "checkpassword.login of Debian decides" {
	[ -x /bin/checkpassword.login ] || skip "fgetty is not installed"
	[ "$(id -u)" = 0 ] || skip "/etc/shadow is root's"
	echo /bin/checkpassword.login >"$LEMON_CONTROL/checkpassword"
	[ "$(verdict no-such-user secret)" = bad ]
	[ "$(verdict root wrong)" = bad ]
	[ "$(verdict nobody '')" = bad ]
}

@test "a checkpassword that is not there is named in the log" {
	echo /nowhere/checkpassword -s imap >"$LEMON_CONTROL/checkpassword"
	[ "$(verdict alice one)" = temp ]
	grep -q 'checkpassword: /nowhere/checkpassword: No such file' \
	    "$BATS_TEST_TMPDIR/err"
}

@test "a verifier that cannot be read is named in the log" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	echo one | lemon-user add alice
	rm "$LEMON_CONTROL/users/alice/verifier"
	mkdir "$LEMON_CONTROL/users/alice/verifier"
	[ "$(verdict alice one)" = temp ]
	grep -q "$LEMON_CONTROL/users/alice/verifier: Is a directory" \
	    "$BATS_TEST_TMPDIR/err"
}

@test "app passwords work beside a checkpassword" {
	echo main | lemon-user add alice
	echo app | lemon-user app alice phone
	echo /bin/false >"$LEMON_CONTROL/checkpassword"
	[ "$(verdict alice+phone app)" = ok ]
	[ "$(verdict alice main)" = bad ]
}

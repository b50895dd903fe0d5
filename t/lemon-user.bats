#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What lemon-user does to the control directory; t/auth.bats has what the
# passwords open.

bats_require_minimum_version 1.5.0

load room

setup() {
	umask 022
	CONTROL=$BATS_TEST_TMPDIR/control
	mkdir "$CONTROL"
	printf '# ours\nExample.org\n\nexample.net\n' >"$CONTROL/locals"
}

user() {
	lemon-user -c "$CONTROL" "$@" 2>"$BATS_TEST_TMPDIR/err"
}

# add NAME PASSWORD
add() {
	echo "$2" | user add "$1"
}

labels() {
	cut -d: -f1 "$CONTROL/users/$1/verifier" | sort -u | tr '\n' ' '
}

mode() {
	stat -c %a "$1"
}

@test "a new account has a verifier for each mechanism and an address for each domain" {
	add alice secret
	[ "$(cut -d: -f1-4 "$CONTROL/users/alice/verifier" | cut -d'$' -f1)" = \
	    "-:::SCRAM-SHA-256
-:::SCRAM-SHA-1" ]
	[ "$(cat "$CONTROL/users/alice/addresses")" = "alice@example.org
alice@example.net" ]
	[ -d "$CONTROL/../users/alice" ]
}

@test "nobody else may read an account" {
	add alice secret
	echo app | user app alice phone
	echo new | user passwd alice
	[ "$(mode "$CONTROL/users")" = 700 ]
	[ "$(mode "$CONTROL/users/alice")" = 700 ]
	[ "$(mode "$CONTROL/users/alice/verifier")" = 600 ]
	[ "$(mode "$CONTROL/users/alice/addresses")" = 600 ]
	[ "$(mode "$CONTROL/users/.unknown")" = 700 ]
	[ "$(mode "$CONTROL/users/.unknown/verifier")" = 600 ]
	[ "$(mode "$CONTROL/../users/alice")" = 700 ]
}

@test "no password is kept, nor two of the same alike" {
	add alice secret
	add bob secret
	run ! grep -r secret "$CONTROL"
	[ "$(sort -u "$CONTROL"/users/*/verifier | wc -l)" = 4 ]
}

@test "an account that is there is refused and left alone" {
	add alice secret
	cp "$CONTROL/users/alice/verifier" "$BATS_TEST_TMPDIR/before"
	run -1 add alice other
	cmp "$CONTROL/users/alice/verifier" "$BATS_TEST_TMPDIR/before"
}

@test "names that cannot be accounts are refused" {
	long=$(printf '%064d' 0)
	add "$long" secret
	for name in '' . .. ../x a/b A _a .unknown 'a b' a+b a@b "${long}0" \
	    'a
b'
	do
		run -1 add "$name" secret
	done
	[ "$(user list)" = "$long" ]
	[ "$(ls "$BATS_TEST_TMPDIR" | tr '\n' ' ')" = "control err users " ]
}

@test "passwords that cannot be passwords are refused" {
	run -1 bash -c "printf '' | lemon-user -c '$CONTROL' add alice"
	run -1 bash -c "printf '\n' | lemon-user -c '$CONTROL' add alice"
	run -1 bash -c "printf 'a\tb\n' | lemon-user -c '$CONTROL' add alice"
	run -1 bash -c "printf 'a\0b\n' | lemon-user -c '$CONTROL' add alice"
	run -1 bash -c "printf 'a\377b\n' | lemon-user -c '$CONTROL' add alice"
	run -1 bash -c "printf '%01025d\n' 0 | lemon-user -c '$CONTROL' add alice"
	[ -z "$(user list)" ]
	printf '%01024d' 0 | user add alice
	[ "$(user list)" = alice ]
	[ "$(ls -A "$CONTROL/users" | tr '\n' ' ')" = ".unknown alice " ]
}

@test "list has the accounts, and of one its app passwords" {
	[ -z "$(user list)" ]
	add bob x
	add alice x
	echo p | user app alice phone -s imap,submit -e 2099-12-31
	echo p | user app -s sieve alice laptop
	echo p | user app alice tv
	[ "$(user list)" = "alice
bob" ]
	[ "$(user list alice | sort)" = "laptop	sieve	
phone	imap,submit	2099-12-31
tv		" ]
	[ -z "$(user list bob)" ]
	run -1 user list carol
}

@test "passwd changes the main password and no other" {
	add alice one
	echo p | user app alice phone
	grep ^phone: "$CONTROL/users/alice/verifier" >"$BATS_TEST_TMPDIR/phone"
	grep ^-: "$CONTROL/users/alice/verifier" >"$BATS_TEST_TMPDIR/main"
	echo two | user passwd alice
	grep ^phone: "$CONTROL/users/alice/verifier" |
	    cmp - "$BATS_TEST_TMPDIR/phone"
	[ "$(grep -c ^-: "$CONTROL/users/alice/verifier")" = 2 ]
	run ! grep -qFf "$BATS_TEST_TMPDIR/main" "$CONTROL/users/alice/verifier"
}

@test "app passwords come, change and go by their label" {
	add alice x
	echo p | user app alice phone
	echo p | user app alice phone.2
	echo q | user app alice phone -s imap
	[ "$(labels alice)" = "- phone phone.2 " ]
	[ "$(grep -c ^phone: "$CONTROL/users/alice/verifier")" = 2 ]
	user unapp alice phone
	[ "$(labels alice)" = "- phone.2 " ]
	run -1 user unapp alice phone
	user unapp alice phone.2
	[ "$(labels alice)" = "- " ]
}

@test "a new app password opens no more than the old one, unless told to" {
	add alice x
	echo p | user app alice phone -s imap -e 2099-12-31
	echo q | user app alice phone
	[ "$(user list alice)" = "phone	imap	2099-12-31" ]
	[ ! -s "$BATS_TEST_TMPDIR/err" ]
	echo q | user app alice phone -s imap,submit
	[ "$(user list alice)" = "phone	imap,submit	2099-12-31" ]
	echo q | user app alice phone -s '' -e ''
	[ "$(user list alice)" = "phone		" ]
	echo q | user app alice phone -e 2020-01-01
	grep -q "warning: 2020-01-01 is over" "$BATS_TEST_TMPDIR/err"
}

@test "at a terminal a password is asked for twice, and not shown" {
	cat >"$BATS_TEST_TMPDIR/type.py" <<-'END'
	import os, pty, sys
	pid, fd = pty.fork()
	if pid == 0:
	    os.execvp("lemon-user", ["lemon-user", "-c"] + sys.argv[1:4])
	seen = b""
	for prompt, typed in ((b"Password: ", sys.argv[4]), (b"Again: ", sys.argv[5])):
	    while not seen.endswith(prompt):
	        seen += os.read(fd, 4096)
	    os.write(fd, typed.encode() + b"\n")
	try:
	    while True:
	        seen += os.read(fd, 4096) or 1 / 0
	except (OSError, ZeroDivisionError):
	    pass
	print(seen.decode())
	sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	END
	typed() {
		timeout 60 python3 "$BATS_TEST_TMPDIR/type.py" "$CONTROL" "$@"
	}
	run -1 typed add alice 'se\cret x ' 'se\cret x'
	[[ $output == *"these are two passwords"* ]]
	[ -z "$(user list)" ]
	run -0 typed add alice 'se\cret x ' 'se\cret x '
	[[ $output != *cret* ]]
	[ "$(user list)" = alice ]
}

@test "an account that cannot be made leaves nothing" {
	add alice x
	mkdir "$CONTROL/users/.new.1" "$CONTROL/users/.del.2"
	echo "$CONTROL/locals/%u" >"$CONTROL/home"
	run -75 add frank secret
	[ "$(ls -A "$CONTROL/users" | tr '\n' ' ')" = ".unknown alice " ]
}

@test "who may not enter the accounts is told so, and not that nobody is there" {
	ordinary
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR"
	cp "$(command -v lemon-user)" "$(command -v lemon-verifier)" \
	    "$BATS_TEST_TMPDIR"
	add alice x
	[ "$(id -u)" = 0 ] || chmod 0 "$CONTROL/users"
	for args in 'list alice' 'add bob' 'passwd alice' 'del alice'
	do
		run -75 "${as[@]}" "$BATS_TEST_TMPDIR/lemon-user" \
		    -c "$CONTROL" $args <<<x
		[[ $output == "lemon-user: cannot enter $CONTROL/users as "* ]]
	done
}

@test "what is no label, scope or day is refused" {
	add alice x
	run -1 user app alice - <<<p
	run -1 user app alice Phone <<<p
	run -1 user unapp alice -
	run -64 user app alice phone -s pop <<<p
	run -64 user app alice phone -e tomorrow <<<p
	run -64 user app alice phone -e 2027-02-29 <<<p
	[ "$(labels alice)" = "- " ]
}

@test "del takes the account and leaves the mail" {
	add alice x
	touch "$CONTROL/../users/alice/mail"
	user del alice
	[ -z "$(user list)" ]
	[ ! -e "$CONTROL/users/alice" ]
	[ -e "$CONTROL/../users/alice/mail" ]
	run -1 user del alice
	run -1 user passwd alice <<<x
	run -1 user app alice phone <<<x
}

@test "the decoy is made once and kept" {
	add alice x
	cp "$CONTROL/users/.unknown/verifier" "$BATS_TEST_TMPDIR/unknown"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/unknown")" = 2 ]
	add bob x
	user del alice
	cmp "$CONTROL/users/.unknown/verifier" "$BATS_TEST_TMPDIR/unknown"
}

@test "the home is where the control file says" {
	echo "$BATS_TEST_TMPDIR/mail/%u/home" >"$CONTROL/home"
	mkdir -p "$BATS_TEST_TMPDIR/mail"
	add alice x
	[ -d "$BATS_TEST_TMPDIR/mail/alice/home" ]
	[ ! -e "$CONTROL/../users" ]
}

@test "what root makes belongs to the owner of the accounts" {
	[ "$(id -u)" = 0 ] || skip "only root gives files away"
	chmod 755 "$BATS_RUN_TMPDIR" "${BATS_TEST_TMPDIR%/*}"
	chown 65534:65534 "$CONTROL" "$BATS_TEST_TMPDIR"
	add alice x
	echo p | user app alice phone
	[ "$(find "$CONTROL/users" ! -user 65534)" = "" ]
	[ "$(stat -c %u "$CONTROL/../users/alice")" = 65534 ]
}

@test "root follows no link that the owner of the accounts has put there" {
	[ "$(id -u)" = 0 ] || skip "only root has more rights than the owner"
	chmod 755 "$BATS_RUN_TMPDIR" "${BATS_TEST_TMPDIR%/*}"
	chown 65534:65534 "$CONTROL" "$BATS_TEST_TMPDIR"
	add alice x
	prize=$BATS_TEST_TMPDIR/prize
	mkdir "$prize"
	echo "l:::secret of root" >"$prize/verifier"
	chmod 700 "$prize"
	ln -sf "$prize/made" "$CONTROL/users/.lock"
	rm "$CONTROL/users/alice/verifier"
	ln -s "$prize/verifier" "$CONTROL/users/alice/verifier"
	run user passwd alice <<<y
	run ! grep -r "secret of root" "$CONTROL/users/"*/
	rm -r "$CONTROL/users/alice"
	ln -s "$prize" "$CONTROL/users/alice"
	run user passwd alice <<<y
	run user app alice phone <<<y
	run user unapp alice phone
	run user del alice
	rm -r "$CONTROL/users/.unknown"
	ln -s "$prize/made" "$CONTROL/users/.unknown"
	run user add bob <<<y
	[ "$(ls -A "$prize")" = verifier ]
	[ "$(cat "$prize/verifier")" = "l:::secret of root" ]
	[ "$(stat -c %u "$prize" "$prize/verifier" | sort -u)" = 0 ]
}

@test "wrong usage is 64 and changes nothing" {
	for args in '' frob add 'add a b' 'list a b' 'app a' 'unapp a' \
	    'passwd' 'add -s imap a' 'add -a' '-x list'
	do
		run -64 user $args
	done
	[ ! -e "$CONTROL/users" ]
	run -64 --separate-stderr lemon-user list -Z
	[[ $stderr = "lemon-user: there is no option -Z"* ]]
	run -64 --separate-stderr lemon-user -c
	[[ $stderr = "lemon-user: -c needs a value"* ]]
}

@test "a control directory that is not there is 75" {
	rm -r "$CONTROL"
	run -75 add alice x
	run -75 user list
}

@test "accounts that cannot be listed are 75" {
	add alice x
	rm -r "$CONTROL/users"
	touch "$CONTROL/users"
	run -0 user list
	rm "$CONTROL/users"
	mkdir "$CONTROL/users"
	[ "$(id -u)" != 0 ] || skip "root reads everything"
	chmod 0 "$CONTROL/users"
	run -75 user list
}

@test "a full disk is 75 and the old password stays" {
	[ "$(id -u)" = 0 ] || skip "a small file system needs root"
	mkdir "$CONTROL/users"
	mount -t tmpfs -o size=64k tmpfs "$CONTROL/users" ||
		skip "tmpfs cannot be mounted here"
	add alice one
	cp "$CONTROL/users/alice/verifier" "$BATS_TEST_TMPDIR/before"
	dd if=/dev/zero of="$CONTROL/users/filler" bs=1k 2>/dev/null || :
	run -75 user passwd alice <<<two
	run -75 user add bob <<<two
	cmp "$CONTROL/users/alice/verifier" "$BATS_TEST_TMPDIR/before"
	left=$(ls -A "$CONTROL/users/alice" | tr '\n' ' ')
	umount "$CONTROL/users"
	[ "$left" = "addresses verifier " ]
}

@test "two changes at once are both made" {
	add alice x
	for i in 1 2 3 4 5 6; do
		echo p | lemon-user -c "$CONTROL" app alice l$i 3>&- &
	done
	wait
	[ "$(labels alice)" = "- l1 l2 l3 l4 l5 l6 " ]
}

@test "a verifier is made of a password on standard input only" {
	run -64 lemon-verifier secret
	run -65 lemon-verifier </dev/null
	run -64 lemon-verifier -i 4095 <<<x
	run -64 lemon-verifier -l A <<<x
	run -0 lemon-verifier -i 8192 <<<x
	[ "${lines[0]%%:*}" = - ]
	[[ ${lines[0]} == *'SCRAM-SHA-256$8192:'* ]]
}

@test "without a control directory it says what to do" {
	run -75 --separate-stderr lemon-user -c "$BATS_TEST_TMPDIR/none" list
	[[ $stderr == *"/none: make it, or name another with -c" ]]
	run -75 --separate-stderr lemon-user -c "$BATS_TEST_TMPDIR/none" \
	    add alice <<<x
	[[ $stderr == *"/none: make it, or name another with -c" ]]
}

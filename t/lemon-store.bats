#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What an administrator sees of a store.

bats_require_minimum_version 1.5.0

load room

setup() {
	room
	mkdir control home
	printf '%s\n' "$T/home/%u" >control/home
	printf 'Subject: hello\n\ntext\n' >m
}

# imap LINE…: one session at M.
imap() {
	printf '%s\r\n' "$@" 'z logout' | lemon-imapd ./M 2>/dev/null
}

fill() {
	lemon-deliver ./M <m
	lemon-deliver ./M <m
	imap 'a create Lists/C' 'a select inbox' \
	    'a store 1 +flags (\Seen work)' 'a copy 1 Lists/C' >/dev/null
}

store() {
	run --separate-stderr lemon-store "$@"
}

@test "check finds nothing wrong with a store that is sound" {
	fill
	store check -d ./M
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	[[ ${lines[-1]} = "3 mailboxes, 3 messages: nothing wrong" ]]
	store check -q ./M
	[ "$status" = 0 ]
	[ -z "$output" ]
}

@test "check of a Maildir without an index makes none" {
	fill
	rm -r M/.lemon
	find M | sort >before
	store check ./M
	[ "$status" = 0 ]
	[[ $output = *"there is no index"* ]]
	find M | sort | cmp - before
}

@test "check changes nothing" {
	fill
	find M -type f ! -name lock.mdb -exec md5sum {} + | sort >before
	store check -d ./M
	[ "$status" = 0 ]
	find M -type f ! -name lock.mdb -exec md5sum {} + | sort | cmp - before
}

@test "check tells a damaged list, and what to do, with exit 1" {
	fill
	sed -i '2s/^./x/' M/.Lists.C/lemon-uidlist
	store check -m Lists/C ./M
	[ "$status" = 1 ]
	[[ $output = *"Lists/C: lemon-uidlist has a bad line at octet "*"; run lemon-store rebuild"* ]]
	store check -m inbox ./M
	[ "$status" = 0 ]
}

@test "check survives an index that nobody can read" {
	fill
	for at in 8192 12288 16384 20480 24576 28672; do
		dd if=/dev/urandom of=M/.lemon/index/data.mdb bs=4096 count=1 \
		    seek=$((at / 4096)) conv=notrunc 2>/dev/null
	done
	store check ./M
	[ "$status" = 1 ]
	[[ $output = *"run lemon-store rebuild"* ]]
	store rebuild ./M
	[ "$status" = 0 ]
	store check ./M
	[ "$status" = 0 ]
}

@test "a session that makes the index anew says so in its log, once" {
	fill
	dd if=/dev/urandom of=M/.lemon/index/data.mdb bs=8192 count=1 \
	    conv=notrunc 2>/dev/null
	for i in 1 2; do
		printf 'a select inbox\r\nb logout\r\n' |
		    lemon-imapd ./M >"out$i" 2>"log$i"
	done
	grep -q 'warning: .*/index: .*; it is made anew' log1
	run ! grep warning log2
	cmp <(grep EXISTS out1) <(grep EXISTS out2)
}

@test "rebuild tells what each mailbox has, and clients notice nothing" {
	fill
	imap 'a select inbox' 'a fetch 1:* (uid flags envelope body)' |
	    grep -v -e MODSEQ -e UIDNEXT >before
	store rebuild ./M
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	[[ ${lines[0]} =~ ^INBOX:\ 2\ messages,\ UIDVALIDITY\ [0-9]+$ ]]
	[[ $output = *"Lists/C: 1 messages"* ]]
	imap 'a select inbox' 'a fetch 1:* (uid flags envelope body)' |
	    grep -v -e MODSEQ -e UIDNEXT | diff before -
	store rebuild -m Lists/C ./M
	[ "$status" = 0 ]
	[ "${#lines[@]}" = 1 ]
}

@test "rebuild shows how far it is on a terminal" {
	fill
	for i in $(seq 70); do cp m "M/new/1$i.x"; done
	script -qec 'lemon-store rebuild ./M' typescript >/dev/null
	# More than anybody knew of.
	grep -qE $'^\rrebuilding 64 messages\e\\[K' typescript
	script -qec 'lemon-store rebuild ./M' typescript >/dev/null
	grep -qE $'^\rrebuilding \\[#+\\.*\\] [0-9]+%, 64 of 73\e\\[K' typescript
	# What it tells is not behind that, and nothing of it stays.
	grep -qE $'\r\e\\[KINBOX: 72 messages' typescript
}

@test "check shows how far it is on a terminal, and nowhere else" {
	fill
	for i in $(seq 1000); do printf 'a: b\n\n' >"M/new/1$i.x"; done
	lemon-store rebuild -m INBOX ./M
	script -qec 'lemon-store check ./M' typescript >/dev/null
	grep -qE $'^\rchecking 1000 messages\e\\[K' typescript
	grep -qE $'\r\e\\[K3 mailboxes, 1003 messages: nothing wrong' typescript
	store check ./M
	[ "$status" = 0 ]
	[ -z "$stderr" ]
	[ "${lines[-1]}" = "3 mailboxes, 1003 messages: nothing wrong" ]
}

@test "list and stat give the numbers" {
	fill
	store list ./M
	[ "$status" = 0 ]
	[ "${#lines[@]}" = 3 ]
	[[ ${lines[0]} =~ ^\ +2\ +1\ +[0-9]+\ \ INBOX$ ]]
	store stat -m Lists/C ./M
	[ "$status" = 0 ]
	[[ $output = *mailbox=Lists/C*uidnext=2*messages=1*keywords=work* ]]
}

@test "a user's name finds the mail and the index by the settings" {
	echo secret | lemon-user add alice 2>/dev/null
	[ "$(id -u)" != 0 ] || chown -R nobody:nogroup home
	mkdir index && chmod 777 index
	echo "$T/index/%u" >control/index
	lemon-deliver alice <m
	[ -d index/alice ]
	store check alice
	[ "$status" = 0 ]
	[[ $output = *"1 mailbox, 1 messages: nothing wrong"* ]]
	store rebuild alice
	[ "$status" = 0 ]
	[ -z "$(find home index/alice -user "$(id -un)" ! -user nobody)" ] ||
	    [ "$(id -u)" != 0 ]
}

@test "a Maildir by its path has its index in it, whatever the settings" {
	mkdir -p control index && chmod 777 index
	echo "$T/index/%u" >control/index
	printf 'a LOGOUT\r\n' | lemon-imapd ./N
	lemon-deliver ./N <m
	store check ./N
	[ "$status" = 0 ]
	[ -d N/.lemon/index ]
	[ -z "$(ls index)" ]
}

@test "root is not led by a user's link to what is root's" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	mkdir -m 1777 spool
	mkdir -m 755 private alice
	mkdir -p spool/cur spool/new spool/tmp spool/.lemon/index
	ln -s "$T/private/made" spool/.lemon/index/data.mdb
	ln -s "$T/spool" alice/Maildir
	chown -hR nobody:nogroup spool/* spool/.lemon alice
	for name in alice/Maildir alice/Maildir/; do
		store rebuild "$T/$name"
		[ "$status" != 127 ]
		[ -z "$(ls private)" ]
		[ -z "$(find spool -mindepth 1 -user root)" ]
	done
	# Nor by one in the place of the index.
	rm -r spool/.lemon
	mkdir -p spool/.lemon/index
	ln -s "$T/private/made" spool/.lemon/index/data.mdb
	store rebuild "$T/spool"
	[ "$status" = 0 ]
	[ -z "$(ls private)" ]
}

@test "an index is not made in a directory of another user's" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	echo secret | lemon-user add alice 2>/dev/null
	chown -R nobody:nogroup home
	mkdir -m 1777 index
	mkdir -m 777 index/alice
	chown daemon index/alice
	echo "$T/index/%u" >control/index
	run --separate-stderr lemon-imapd alice <<<'a logout'
	[[ $stderr = *"the directory of the index is somebody else's"* ]]
	[ -z "$(ls index/alice)" ]
}

# shut DIR: whoever owns the mail can no longer go into it.
shut() {
	if [ "$(id -u)" = 0 ]; then
		chown -R nobody:nogroup M
		chown root:root "$1"
	fi
	chmod "${2-000}" "$1"
}

@test "a folder that its owner cannot enter is told, not passed over" {
	lemon-deliver ./M <m
	mkdir -p M/.rooted/cur M/.rooted/new M/.rooted/tmp
	shut M/.rooted
	store check ./M
	[ "$status" = 1 ]
	[[ $output = *"rooted: cannot be read: Permission denied; look at the folder's owner and mode"* ]]
	store check -m rooted ./M
	[ "$status" = 1 ]
	for verb in list stat rebuild; do
		store $verb ./M
		[ "$status" = 75 ]
		[[ $output = *INBOX* ]]
		[[ $output$stderr = *rooted*"Permission denied"* ]]
	done
	store check -q ./M
	[ "$status" = 1 ]
	[ "${#lines[@]}" = 1 ]
}

@test "a folder that its owner may enter, but not read, is told" {
	lemon-deliver ./M <m
	mkdir -p M/.rooted/cur M/.rooted/new M/.rooted/tmp
	shut M/.rooted 711
	[ "$(id -u)" = 0 ] || chmod 111 M/.rooted
	store check ./M
	[ "$status" = 1 ]
	[[ $output = *"rooted: cannot be read: Permission denied; "* ]]
	store list ./M
	[ "$status" = 75 ]
	[[ $stderr = *rooted*"Permission denied"* ]]
}

@test "IMAP logs the path of a folder that it cannot enter, once a session" {
	lemon-deliver ./M <m
	mkdir -p M/.rooted/cur M/.rooted/new M/.rooted/tmp
	shut M/.rooted
	printf '%s\r\n' 'a list "" *' 'b list "" *' 'c select rooted' \
	    'd create rooted' 'e rename rooted other' 'f delete rooted' \
	    'g logout' >say
	run --separate-stderr lemon-imapd ./M <say
	[[ $output != *'"rooted"'* ]]
	for tag in c d e f; do
		[[ $output = *"$tag NO [NOPERM]"* ]]
	done
	[ "$(grep -c 'LIST: ./M/.rooted: Permission denied' <<<"$stderr")" = 1 ]
	grep -q 'SELECT: ./M/.rooted: Permission denied' <<<"$stderr"
	[ -d M/.rooted ]
}

@test "what is not there is 65, a wrong command line 64, no Maildir 75" {
	fill
	store check nobody-here
	[ "$status" = 75 ]	# there are no accounts at all
	mkdir -p control/users
	store check nobody-here
	[ "$status" = 65 ]
	store check -m Nowhere ./M
	[ "$status" = 65 ]
	[[ $stderr = *"no such mailbox"* ]]
	store check ./nowhere
	[ "$status" = 75 ]
	mkdir some
	store check ./some/
	[ "$status" = 75 ]
	[[ $stderr = *"./some/cur is not there: it is no Maildir" ]]
	store
	[ "$status" = 64 ]
	store list -d ./M
	[ "$status" = 64 ]
	store mend ./M
	[ "$status" = 64 ]
}

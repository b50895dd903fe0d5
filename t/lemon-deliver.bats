#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# One message from a pipe: what shells, .qmail and Postfix see of it.

bats_require_minimum_version 1.5.0

setup() {
	T=$BATS_TEST_TMPDIR
	cd "$T"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$T" || :
	mkdir control home
	export LEMON_CONTROL=$T/control HOME=$T
	unset SENDER RECIPIENT EXT DTLINE RPLINE LOCAL HOST
	echo example.org >control/locals
	printf '%s\n' "$T/home/%u" >control/home
	printf 'Subject: hello\nFrom: s@x.example\n\ntext\n' >m
	PIDS=
}

teardown() {
	[ ! -d "$T/postfix" ] || postfix -c "$T/postfix" stop 2>/dev/null ||:
	[ -z "$PIDS" ] || kill $PIDS 2>/dev/null || :
}

# user NAME: an account; mail is never root's.
user() {
	echo secret | lemon-user add "$1" 2>/dev/null
	[ "$(id -u)" != 0 ] || chown -R nobody:nogroup home
}

# files DIR: the messages in it.
files() {
	find "$1/new" "$1/cur" -type f
}

deliver() {
	run --separate-stderr lemon-deliver "$@"
}

@test "a message on standard input goes into a Maildir that is made" {
	deliver ./M <m
	[ "$status" = 0 ]
	[ -z "$output$stderr" ]
	[ "$(files M | wc -l)" = 1 ]
	cmp "$(files M)" m
	[ -z "$(find M/tmp -type f)" ]
}

@test "root delivers into a Maildir as its owner" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	mkdir -p M/cur M/new M/tmp
	chown -R nobody:nogroup M
	deliver ./M <m
	[ "$status" = 0 ]
	[ "$(stat -c %U:%G "$(files M)")" = nobody:nogroup ]
	[ -z "$(find M -user root)" ]
}

@test "sender and recipient become Return-Path and Delivered-To" {
	deliver -f s@x.example -r alice@example.org ./M <m
	[ "$status" = 0 ]
	printf 'Return-Path: <s@x.example>\nDelivered-To: %s\n' \
	    alice@example.org | cat - m >want
	cmp "$(files M)" want
}

@test "the null sender is <>" {
	deliver -f '' ./M <m
	[ "$(head -1 "$(files M)")" = 'Return-Path: <>' ]
}

@test "an mbox From_ line at the top is dropped, CRLF becomes LF" {
	(echo 'From s@x.example Thu Jan  1 00:00:00 1970'; cat m) |
	    lemon-deliver ./M
	cmp "$(files M)" m
	sed 's/$/\r/' m | lemon-deliver ./N
	cmp "$(files N)" m
}

# lmtp [root] <<PYTHON: on one connection, not as root unless told so;
# deliver(ADDRESS) waits for the answer
lmtp() {
	(cat <<-'X'
	import os, shutil, signal, subprocess, sys
	# unixserver leaves the connection open a third time.
	p = subprocess.Popen(["sh", "-c", 'exec "$@" 3<&0', "sh"]
	    + (["setpriv", "--reuid=65534", "--clear-groups"]
	    if os.geteuid() == 0 and len(sys.argv) == 1 else [])
	    + ["lemon-deliver", "-l"],
	    stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
	    stderr=subprocess.DEVNULL)
	def answer():
	    while True:
	        line = p.stdout.readline()
	        if line[3:4] != b"-":
	            return line
	def say(line):
	    p.stdin.write(line.encode() + b"\r\n")
	    return answer()
	def deliver(to, lines=1, code=b"250"):
	    say("MAIL FROM:<s@x.example>")
	    say("RCPT TO:<%s>" % to)
	    say("DATA")
	    assert say("Subject: x\r\n\r\n" + "xy\r\n" * lines + ".")[:3] == code
	def children():
	    with open("/proc/%d/task/%d/children" % (p.pid, p.pid)) as f:
	        return [int(pid) for pid in f.read().split()]
	def opened(pid):
	    fds = "/proc/%d/fd/" % pid
	    return [os.readlink(fds + fd) for fd in os.listdir(fds)]
	def files(maildir):
	    return sum(len(os.listdir(maildir + d)) for d in ("/new", "/cur"))
	answer()
	say("LHLO x")
	X
	cat
	echo 'say("QUIT"); p.wait()') >client.py
	python3 client.py "$@"
}

# follows [root]: mail goes where the Maildir is by then.
follows() {
	user alice
	[ "$(id -u)" != 0 ] || chown -R nobody:nogroup control
	lmtp "$@" <<-'END'
	for i in range(3):
	    deliver("alice@example.org")
	os.rename("home/alice/Maildir", "home/alice/Old")
	deliver("alice@example.org")
	assert files("home/alice/Old") == 3
	assert files("home/alice/Maildir") == 1
	for d in ("", "/cur", "/new", "/tmp"):
	    os.mkdir("home/alice/Maildir/.List" + d)
	    if os.geteuid() == 0:
	        os.chown("home/alice/Maildir/.List" + d, 65534, 65534)
	deliver("alice+List@example.org")
	assert files("home/alice/Maildir/.List") == 1
	shutil.rmtree("home/alice/Maildir/.List")
	deliver("alice+List@example.org")
	assert files("home/alice/Maildir") == 2
	END
}

@test "mail on one LMTP connection goes where the Maildir is by then" {
	follows
}

@test "mail on root's LMTP connection goes where the Maildir is by then" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	follows root
}

@test "an LMTP connection looks a user up once, the next one again" {
	user alice
	user bob
	[ "$(id -u)" != 0 ] || chown -R nobody:nogroup control
	lmtp <<-'END'
	deliver("alice@example.org")
	shutil.rmtree("control/users/alice")
	deliver("alice@example.org")
	assert say("MAIL FROM:<s@x.example>")[:3] == b"250"
	assert say("RCPT TO:<carol@example.org>")[:3] == b"550"
	assert files("home/alice/Maildir") == 2
	END
	lmtp <<-'END'
	assert say("MAIL FROM:<s@x.example>")[:3] == b"250"
	assert say("RCPT TO:<alice@example.org>")[:3] == b"550"
	assert say("RCPT TO:<bob@example.org>")[:3] == b"250"
	END
}

@test "root's LMTP connection has one process for each user" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	user alice
	user bob
	lmtp root <<-'END'
	for i in range(3):
	    deliver("alice@example.org")
	    deliver("bob@example.org")
	kept = children()
	assert len(kept) == 2
	connection = os.readlink("/proc/%d/fd/0" % p.pid)
	for child in kept:
	    assert connection not in opened(child)
	deliver("alice@example.org", 50000)
	deliver("alice@example.org")
	assert files("home/alice/Maildir") == 5
	assert len(children()) == 2 and kept[1] in children()
	os.kill(kept[1], signal.SIGKILL)
	deliver("bob@example.org", code=b"451")
	deliver("bob@example.org")
	assert files("home/bob/Maildir") == 4
	END
	[ -z "$(find home -user root)" ]
	[ "$(cat home/alice/Maildir/new/* | grep -cx xy)" = 50004 ]
	[ "$(grep -lx xy home/*/Maildir/new/* | wc -l)" = 9 ]
}

@test "a user's mail goes to the user" {
	user alice
	deliver alice <m
	[ "$status" = 0 ]
	[ "$(files home/alice/Maildir | wc -l)" = 1 ]
	deliver alice@example.org <m
	[ "$status" = 0 ]
	[ "$(files home/alice/Maildir | wc -l)" = 2 ]
}

@test "a user who is not there is 65 and 5.1.1" {
	user alice
	deliver nobody-here <m
	[ "$status" = 65 ]
	[ "$stderr" = "5.1.1 No such user (nobody-here)" ]
	deliver $'no\n5.0.0 \e[1m' <m
	[ "$stderr" = '5.1.1 No such user (no\x0a5.0.0 \x1b[1m)' ]
	deliver "$(printf '%01000d' 0)" <m
	[ "${#stderr}" -lt 300 ]
}

@test "a Maildir whose slash was forgotten is 75, with a hint" {
	user alice
	mkdir -p M/{cur,new,tmp} D
	deliver M <m
	[ "$status" = 75 ]
	[ "$stderr" = "4.3.5 No such user (a Maildir has a slash: ./M)" ]
	deliver D <m
	[ "$status" = 65 ]
	run -75 --separate-stderr lemon-imapd M </dev/null
	[[ $stderr == *"refused: there is no such user (a Maildir has a slash: ./M)"* ]]
	run -65 --separate-stderr lemon-store list M
	[[ $stderr == *": M: there is no such user (a Maildir has a slash: ./M)" ]]
}

@test "accounts that are not there are 75, and the path is said" {
	deliver alice <m
	[ "$status" = 75 ]
	[[ $stderr == "4.3.0 The accounts cannot be read ($T/control/users: "* ]]
	printf 'LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<alice>\r\n' |
	    lemon-deliver -l >out 2>log
	grep -q '^451 4.3.0 The accounts cannot be read.$' out
	grep -q "warning: $T/control/users: " log
	run -75 --separate-stderr lemon-imapd alice </dev/null
	[[ $stderr == *"refused: $T/control/users: No such file"* ]]
	run -75 --separate-stderr lemon-store list alice
	[[ $stderr == "lemon-store: $T/control/users: No such file"* ]]
	printf 'a LOGIN alice x\r\nb LOGOUT\r\n' |
	    LEMON_AUTH_DELAY=0 lemon-imapd >out 2>log
	grep -q '^a NO .AUTHENTICATIONFAILED' out
	grep -q "warning: $T/control/users: No such file" log
}

@test "a wrong command line never bounces mail" {
	run -75 --separate-stderr lemon-deliver '' <m
	run -75 --separate-stderr lemon-deliver alice <m	# no accounts
	LEMON_CONTROL=/nonexistent run -75 --separate-stderr \
	    lemon-deliver alice <m
	for args in '' '-x ./M' './M ./N' '-l ./M' '-l -f a' '-f'; do
		run -75 --separate-stderr lemon-deliver $args <m
		[[ $stderr == 4.3.5\ * ]]
	done
	run -75 --separate-stderr lemon-deliver -x ./M <m
	[[ ${stderr%%$'\n'*} == "4.3.5 Wrong command line: -x" ]]
	mkdir control/databytes
	run -75 --separate-stderr lemon-deliver ./M <m
	[ "$stderr" = "4.3.5 $T/control/databytes: Is a directory" ]
	run -75 --separate-stderr lemon-imapd ./M </dev/null
	[ "$stderr" = "lemon-imapd: $T/control/databytes: Is a directory" ]
}

@test "what is in the way in a Maildir is 75, and said" {
	lemon-deliver ./M <m
	rm -r M/new
	: >M/new
	run -75 --separate-stderr lemon-deliver ./M <m
	[[ $stderr == "4.3.0 "*"Not a directory"* ]]
	: >F
	for dir in ./F ./no/such ./m; do
		run -75 --separate-stderr lemon-deliver $dir <m
		[[ $stderr == "4.3.0 "*$dir* ]]
	done
	run -75 --separate-stderr sh -c 'exec lemon-deliver ./N <&-'
	[[ $stderr == "4.3.0 "* ]]
	run -75 --separate-stderr lemon-deliver ./N <.
	[[ $stderr == "4.3.0 "*directory* ]]
	[ ! -e N/new ] || [ -z "$(files N)" ]
}

@test "a message over databytes is 65 and 5.2.3" {
	echo 20 >control/databytes
	deliver ./M <m
	[ "$status" = 65 ]
	[[ $stderr == 5.2.3\ * ]]
	[ ! -e M ] || [ -z "$(files M)" ]
}

@test "a message that was here before is a loop: 65 and 5.4.6" {
	(printf 'Received: x\nDelivered-To: Alice@Example.org\n'; cat m) |
	    run ! lemon-deliver -r alice@example.org ./M
	(printf 'Received: x\nDelivered-To: Alice@Example.org\n'; cat m) >loop
	deliver -r alice@example.org ./M <loop
	[ "$status" = 65 ]
	[[ $stderr == 5.4.6\ * ]]
	deliver -r bob@example.org ./M <loop
	[ "$status" = 0 ]
}

@test "what the last hop put on top is neither a loop nor doubled" {
	(printf 'Return-Path: <s@x>\nDelivered-To: a@b\nReceived: x\n'
	    cat m) >top
	deliver -f s@x -r a@b ./M <top
	[ "$status" = 0 ]
	cmp "$(files M)" top
}

@test "-m, a subaddress, and EXT choose a folder that exists" {
	maildir() { mkdir -p "$1/cur" "$1/new" "$1/tmp"; }
	maildir M; maildir M/.Lists; maildir M/.Lists.C; maildir "M/.B&APw-ro"
	deliver -m Lists/C ./M <m
	deliver -m Büro ./M <m
	deliver -r alice+lists@example.org ./M <m
	EXT=lists deliver ./M <m
	EXT=other deliver ./M <m
	deliver -m ../../etc ./M <m
	[ "$(files M/.Lists.C | wc -l)" = 1 ]
	[ "$(files 'M/.B&APw-ro' | wc -l)" = 1 ]
	[ "$(files M/.Lists | wc -l)" = 2 ]
	[ "$(files M | wc -l)" = 2 ]
}

@test "mail to a folder that cannot be read waits: 75, and the path is said" {
	mkdir -p M/cur M/new M/tmp M/.Lists/cur M/.Lists/new M/.Lists/tmp
	if [ "$(id -u)" = 0 ]; then
		chown -R nobody:nogroup M
		chown root:root M/.Lists
	fi
	for mode in 000 711; do
		[ "$mode$(id -u)" = 7110 ] || mode=111
		chmod $mode M/.Lists
		for args in '-m Lists' '-m lists' '-r alice+lists@x.example'
		do
			run -75 --separate-stderr lemon-deliver $args ./M <m
			[[ $stderr == "4.2.1 "*"M/.Lists: Permission denied"* ]]
		done
	done
	[ -z "$(files M)" ]
	deliver -m other ./M <m
	[ "$status" = 0 ]
}

@test "EXT is no folder where the argument is an address made of it" {
	user alice
	mkdir -p home/alice/Maildir/.alice/{cur,new,tmp}
	[ "$(id -u)" != 0 ] || chown -R nobody:nogroup home
	EXT=alice HOST=example.org deliver alice@example.org <m
	[ "$status" = 0 ]
	[ "$(files home/alice/Maildir/.alice | wc -l)" = 0 ]
	EXT=alice deliver alice <m
	[ "$status" = 0 ]
	[ "$(files home/alice/Maildir/.alice | wc -l)" = 1 ]
}

@test "qmail's environment: the lines it made, from the start of the file" {
	export SENDER=s@x.example RECIPIENT=alice-lists@example.org
	export EXT=lists LOCAL=alice-lists HOST=example.org
	export DTLINE='Delivered-To: dom-alice-lists@example.org
' RPLINE='Return-Path: <s-@x.example-@[]>
'
	# A program of an earlier line has read the message already.
	(cat >/dev/null; lemon-deliver ./M) <m
	(printf '%s%s' "$RPLINE" "$DTLINE"; cat m) >want
	cmp "$(files M)" want
	chmod 500 M/new M/tmp M/cur
	if [ "$(id -u)" != 0 ]; then
		run -75 lemon-deliver ./M <m
	fi
}

@test "a full disk is 75 and 4.3.1, and leaves nothing" {
	[ "$(id -u)" = 0 ] || skip "mounting needs root"
	mkdir disk
	mount -t tmpfs -o size=12m tmpfs disk || skip "no tmpfs here"
	lemon-deliver disk/M <m
	(cat m; head -c 16000000 /dev/zero | tr '\0' x) >big
	deliver ./disk/M <big
	left=$(find disk/M/tmp -type f) count=$(files disk/M | wc -l)
	printf 'LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\n' >say
	(sed 's/$/\r/' big; printf '\n.\r\nQUIT\r\n') >>say
	echo "$T/disk/%u" >control/home
	mkdir disk/alice
	chown nobody:nogroup disk/alice
	user alice
	lemon-deliver -l <say >said 2>log
	umount -l disk
	[ "$status" = 75 ]
	[[ $stderr == 4.3.1\ * ]]
	[ -z "$left" ]
	[ "$count" = 1 ]
	grep -q '^452 4.3.1' said
}

@test "kill -9 in the middle leaves no part of a message" {
	mkfifo pipe
	lemon-deliver ./M <pipe 3>&- &
	PIDS=$!
	(cat m; head -c 300000 /dev/zero | tr '\0' x) >pipe &
	wait $!
	lemon-deliver ./M <m
	kill -9 "$PIDS" 2>/dev/null || :
	wait "$PIDS" || :
	for f in $(files M); do
		[ "$(stat -c %s "$f")" = "$(echo "$f" |
		    sed 's/.*,S=\([0-9]*\).*/\1/')" ]
	done
}

@test "LMTP stores what a client sends, and without a way out offers no DSN" {
	user alice
	swaks --protocol LMTP --pipe 'lemon-deliver -l' --from s@x.example \
	    --to alice@example.org --helo me --body hi >out 2>&1
	grep -q '<[-~]* *250 2.0.0' out
	grep -q '^hi' "$(files home/alice/Maildir)"
	! grep -q 250.DSN out || false
}

@test "who is named twice in a transaction gets one copy, and two answers" {
	user alice; user bob
	printf '%s\r\n' 'LHLO x' 'MAIL FROM:<s@x.example>' \
	    'RCPT TO:<alice@example.org>' 'RCPT TO:<bob>' \
	    'RCPT TO:<"Alice"@EXAMPLE.org>' 'RCPT TO:<alice+x@example.org>' \
	    DATA 'Subject: x' '' text . QUIT | lemon-deliver -l >said 2>log
	[ "$(grep -c '^250 2.0.0' said)" = 4 ]
	[ "$(files home/alice/Maildir | wc -l)" = 2 ]
	[ "$(files home/bob/Maildir | wc -l)" = 1 ]
}

# Owed notices go out by the next hop, here a socket that keeps them.
@test "DSN is offered with a way out, and success is told" {
	user alice; user bob
	command -v unixserver || skip "no ucspi-unix"
	echo "$T/lmtp.sock" >control/lmtp-socket
	chmod 777 .
	unixserver -q -- "$T/lmtp.sock" lemon-deliver -l 3>&- 2>log &
	PIDS=$!
	until [ -S lmtp.sock ]; do :; done
	printf '%s\r\n' 'LHLO x' 'MAIL FROM:<bob@example.org> ENVID=e+2B1' \
	    'RCPT TO:<alice@example.org> NOTIFY=SUCCESS ORCPT=rfc822;a@b' \
	    DATA 'Message-ID: <1@x>' '' text . QUIT |
	    lemon-deliver -l >said 2>>log
	grep -q '^250-DSN' said || grep -q '^250 DSN' said
	f=$(files home/bob/Maildir)
	grep -qx 'Return-Path: <>' "$f"
	grep -qx 'Original-Envelope-Id: e+1' "$f"
	grep -qx 'Original-Recipient: rfc822; a@b' "$f"
	grep -qx 'Action: delivered' "$f"
	grep -q 'Content-Type: text/rfc822-headers' "$f"
}

# postfix_start: a Postfix of our own on a free port, $PORT.
postfix_start() {
	[ "$(id -u)" = 0 ] || skip "Postfix needs root"
	command -v postfix || skip "no Postfix"
	mkdir -p postfix spool data
	chown postfix data
	PORT=$(python3 -c 'import socket; s = socket.socket()
s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	cat >postfix/main.cf <<-END
	compatibility_level = 3.6
	queue_directory = $T/spool
	data_directory = $T/data
	maillog_file = $T/mail.log
	maillog_file_prefixes = $T
	inet_interfaces = 127.0.0.1
	inet_protocols = ipv4
	myhostname = mx.example.org
	mydestination =
	virtual_mailbox_domains = example.org
	virtual_transport = $1
	lmtp_destination_recipient_limit = 10
	lemon_destination_recipient_limit = 1
	recipient_delimiter = +
	mynetworks = 127.0.0.0/8
	smtpd_relay_restrictions = permit_mynetworks, reject
	smtpd_recipient_restrictions =
	alias_maps =
	END
	cat >postfix/master.cf <<-END
	127.0.0.1:$PORT inet n - n - - smtpd
	cleanup unix n - n - 0 cleanup
	qmgr unix n - n 300 1 qmgr
	rewrite unix - - n - - trivial-rewrite
	bounce unix - - n - 0 bounce
	defer unix - - n - 0 bounce
	trace unix - - n - 0 bounce
	error unix - - n - - error
	retry unix - - n - - error
	proxymap unix - - n - - proxymap
	smtp unix - - n - - smtp
	lmtp unix - - n - - lmtp
	anvil unix - - n - 1 anvil
	postlog unix-dgram n - n - 1 postlogd
	lemon unix - n n - - pipe
	 flags=DRu user=nobody null_sender= argv=/bin/sh $T/deliver \${sender} \${recipient} \${user}
	END
	postfix -c "$T/postfix" start >>postfix.out 2>&1
}

# said WORDS: Postfix's log says so, soon.
said() {
	for i in $(seq 200); do
		! grep -q "$1" mail.log 2>/dev/null || return 0
		read -rt 0.1 <> <(:) || :
	done
	tail -20 mail.log
	return 1
}

send() {
	swaks --server "127.0.0.1:$PORT" --from s@x.example --helo me \
	    --to "$1" --body "hi $1" >out 2>&1
}

@test "Postfix delivers through pipe(8) and understands the exit codes" {
	user alice
	# Where nobody may enter, whatever the checkout is below.
	mkdir bin
	cp "$(command -v lemon-deliver)" bin
	chmod -R a+rX control bin
	cat >deliver <<-END
	PATH=$PWD/bin:$PATH LEMON_CONTROL=$LEMON_CONTROL exec \
	    lemon-deliver -f "\$1" -r "\$2" "\$3"
	END
	chown -R nobody control
	postfix_start lemon
	send alice+x@example.org
	send nobody@example.org
	said 'to=<alice+x@example.org>.*status=sent'
	said 'to=<nobody@example.org>.*dsn=5.1.1, status=bounced'
	f=$(files home/alice/Maildir)
	[ "$(grep -c '^Return-Path: <s@x.example>$' "$f")" = 1 ]
	[ "$(grep -c '^Delivered-To: alice+x@example.org$' "$f")" = 1 ]
	chmod 0 home/alice
	send alice@example.org
	said 'to=<alice@example.org>.*dsn=4.[0-9.]*, status=deferred'
}

@test "Postfix delivers through LMTP, an answer for each recipient" {
	user alice; user bob
	command -v tcpserver || skip "no tcpserver"
	mkfifo port
	tcpserver -HRl0 -1 127.0.0.1 0 lemon-deliver -l >port 2>log 3>&- &
	PIDS=$!
	read -r LMTP <port
	postfix_start "lmtp:inet:127.0.0.1:$LMTP"
	swaks --server "127.0.0.1:$PORT" --from s@x.example --helo me --to \
	    alice@example.org,bob@example.org,carol@example.org >out 2>&1
	said 'to=<alice@example.org>.*dsn=2.0.0, status=sent'
	said 'to=<bob@example.org>.*dsn=2.0.0, status=sent'
	said 'to=<carol@example.org>.*dsn=5.1.1, status=bounced'
	[ "$(files home/alice/Maildir | wc -l)" = 1 ]
	grep -q '^Delivered-To: bob@example.org$' "$(files home/bob/Maildir)"
}

@test "who writes a long message to nobody is not killed for it" {
	user alice
	run bash -c 'set -o pipefail
	    head -c 1000000 /dev/zero | lemon-deliver nobody-here'
	[ "$status" = 65 ]
}

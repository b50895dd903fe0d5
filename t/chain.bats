#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# lemon-imapd behind programs that do the login: Debian's mailfront with CVM,
# checkpassword programs, and what only looks like one.

bats_require_minimum_version 1.5.0

setup() {
	umask 022
	T=$BATS_TEST_TMPDIR
	# Whoever the chain becomes must get at all of this.
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$T"
	mkdir -p "$T/bin" "$T/control" "$T/home/Maildir"/{cur,new,tmp}
	cp "$(command -v lemon-imapd)" "$T/bin"
	printf 'Subject: through the chain\n\nbody\n' \
	    >"$T/home/Maildir/new/1.1.host"
	id=$(id -u) gid=$(id -g)
	if [ "$id" = 0 ]; then
		id=65534 gid=65534
		chown -R $id:$gid "$T/home"
	fi
	echo "alice:secret:$id:$gid:Alice:$T/home:/bin/sh" >"$T/pw"
	printf 'alice\0secret\0Y1\0' >"$T/right"
	printf 'alice\0wrong\0Y1\0' >"$T/wrong"
	SERVER= AS=
}

teardown() {
	[ -z "$SERVER" ] || { kill "$SERVER"; wait "$SERVER" || :; }
}

# serve [VARIABLE=VALUE]… PROGRAM…: tcpserver with that environment alone
serve() {
	mkfifo "$T/port"
	env -i PATH="$PATH" LEMON_CONTROL="$T/control" \
	    CVM_PWFILE_PATH="$T/pw" CVM_SASL_PLAIN=/usr/bin/cvm-pwfile \
	    "${@:1:$#-1}" sh -c "exec tcpserver $AS -1RHl0 127.0.0.1 0 ${!#}" \
	    >"$T/port" 2>"$T/log" 3>&- &
	SERVER=$!
	read -r PORT <"$T/port"
}

# talk COMMAND…: send each when the one before is answered, print all answers
talk() {
	python3 - "$PORT" "$@" <<-'END'
	import socket, sys
	s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20)
	f = s.makefile("rwb")
	def hear(word):
	    try:
	        for line in f:
	            print(line.decode("latin-1").rstrip("\r\n"))
	            if line.startswith(word):
	                return
	    except ConnectionResetError:
	        pass    # it went with a command unread
	hear(b"*")
	for c in sys.argv[2:]:
	    try:
	        f.write(c.encode() + b"\r\n")
	        f.flush()
	    except OSError:
	        break
	    hear(b"+" if c.endswith(" PLAIN") else c.split()[0].encode()
	        if " " in c else b"p")
	END
}

# Root is refused anyway, so what is to be refused is tried as somebody else.
as_nobody() {
	[ "$(id -u)" != 0 ] || AS="-u 65534 -g 65534"
}

need() {
	[ -x "$1" ] || skip "$1 is not installed"
}

@test "mailfront hands over with the tag of its LOGIN" {
	need /usr/sbin/imapfront-auth
	serve "imapfront-auth $T/bin/lemon-imapd"
	run -0 talk 'a1 LOGIN alice wrong' 'a2 LOGIN alice secret' \
	    'a3 SELECT INBOX' 'a4 FETCH 1 BODY.PEEK[]' 'a5 LOGOUT'
	[[ $output == *$'\n''a1 NO '* ]]
	[[ $output == *$'\n''a2 OK [CAPABILITY IMAP4rev1 '* ]]
	[[ $output != *PREAUTH* ]]
	[[ $output == *$'\n''* 1 EXISTS'* ]]
	[[ $output == *'Subject: through the chain'* ]]
	[[ $output == *$'\n''a5 OK '* ]]
}

@test "mailfront hands over after AUTHENTICATE too" {
	need /usr/sbin/imapfront-auth
	serve "imapfront-auth $T/bin/lemon-imapd"
	run -0 talk 'p AUTHENTICATE PLAIN' \
	    "$(printf '\0alice\0secret' | base64)" 'a3 STATUS INBOX (MESSAGES)'
	[[ $output == *$'\n''p OK [CAPABILITY IMAP4rev1 '* ]]
	[[ $output == *'MESSAGES 1'* ]]
}

@test "mailfront in Dovecot's manner names the mailbox" {
	need /usr/sbin/imapfront-auth
	mv "$T/home/Maildir" "$T/home/elsewhere"
	ln -s elsewhere "$T/home/Maildir"
	serve SETUP_ENV=dovecot MAIL="maildir:$T/home/elsewhere" \
	    "imapfront-auth $T/bin/lemon-imapd"
	run -0 talk 'a2 LOGIN alice secret' 'a3 STATUS INBOX (MESSAGES)'
	[[ $output == *$'\n''a2 OK [CAPABILITY IMAP4rev1 '* ]]
	[[ $output == *'MESSAGES 1'* ]]
}

@test "behind a checkpassword the greeting is PREAUTH" {
	need /usr/bin/cvm-checkpassword
	serve USER=root HOME=/root SHELL=/bin/bash LOGNAME=root \
	    "sh -c 'exec 3<$T/right; exec cvm-checkpassword \
	    /usr/bin/cvm-pwfile $T/bin/lemon-imapd Maildir/'"
	run -0 talk 'a1 SELECT INBOX' 'a2 LOGOUT'
	[[ $output == '* PREAUTH [CAPABILITY IMAP4rev1 '* ]]
	[[ $output == *$'\n''* 1 EXISTS'* ]]
}

@test "a checkpassword that refuses lets nobody near" {
	need /usr/bin/cvm-checkpassword
	serve "sh -c 'exec 3<$T/wrong; exec cvm-checkpassword \
	    /usr/bin/cvm-pwfile $T/bin/lemon-imapd Maildir/'"
	run -0 talk 'a1 SELECT INBOX'
	[ -z "$output" ]
}

@test "a Maildir on a network socket without a login is refused" {
	serve "$T/bin/lemon-imapd $T/home/Maildir"
	run -0 talk 'a1 SELECT INBOX'
	[[ $output == '* BYE '* ]]
	[[ $output != *a1* ]]
}

@test "a login shell's environment is no login" {
	as_nobody
	serve USER=alice HOME="$T/home" SHELL=/bin/sh \
	    "$T/bin/lemon-imapd $T/home/Maildir"
	run -0 talk 'a1 SELECT INBOX'
	[[ $output == '* BYE '* ]]
	kill "$SERVER"
	wait "$SERVER" || :
	rm "$T/port"
	serve "env USER=alice LOGNAME=alice HOME=$T/home SHELL=/bin/sh \
	    $T/bin/lemon-imapd $T/home/Maildir"
	run -0 talk 'a1 SELECT INBOX'
	[[ $output == '* BYE '* ]]
}

@test "a chain that left us root is refused" {
	[ "$(id -u)" = 0 ] || skip "needs root"
	serve "env AUTHENTICATED=alice HOME=$T/home IMAPLOGINTAG=a1 \
	    $T/bin/lemon-imapd"
	run -0 talk 'a2 SELECT INBOX'
	[[ $output == '* BYE '* ]]
}

@test "a tag cannot bring an answer of its own" {
	printf '#!/bin/sh\nAUTHENTICATED=alice HOME=%s IMAPLOGINTAG="a OK\r\nb"
export AUTHENTICATED HOME IMAPLOGINTAG\nexec %s\n' "$T/home" \
	    "$T/bin/lemon-imapd" >"$T/bin/forge"
	chmod 755 "$T/bin/forge"
	as_nobody
	serve "$T/bin/forge"
	run -0 talk 'a2 SELECT INBOX'
	[[ $output == '* BYE '* ]]
}

#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# lemon-serve provisions, listens, and stops cleanly.

setup() {
	cd "$BATS_TEST_TMPDIR"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"
	chmod 755 "$(dirname "$BATS_TEST_TMPDIR")"
	SERVE=
}

teardown() {
	[ -z "$SERVE" ] || kill "$SERVE" 2>/dev/null || :
	[ -z "$SERVE" ] || wait "$SERVE" 2>/dev/null || :
}

# start DIR [OPTION]…: on free ports; $base, $ready.  A background job of a
# shell would ignore SIGINT.
start() {
	local dir=$1 try code
	shift
	for try in 1 2 3 4 5 6 7 8; do
		base=$((10000 + (RANDOM * 32768 + RANDOM) % 40000))
		rm -f ready.fifo
		mkfifo ready.fifo
		env --default-signal=INT lemon-serve -d "$dir" -p $base "$@" \
		    >ready.fifo 2>serve.log 3>&- &
		SERVE=$!
		if read -r ready <ready.fifo; then
			return 0
		fi
		code=0
		wait $SERVE || code=$?
		SERVE=
		[ $code = 75 ] && grep -q taken serve.log || break
	done
	cat serve.log
	return 1
}

stop() {
	kill -"${1:-TERM}" $SERVE
	code=0
	wait $SERVE || code=$?
	SERVE=
	return $code
}

listening() {
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

port() {
	expr " $ready " : ".* $1=\([0-9]*\) "
}

# Everything that runs out of this test's directory.
ours() {
	local p
	for p in /proc/[0-9]*; do
		{ tr '\0' ' ' <"$p/cmdline" | grep -F "$PWD/" ||
		    tr '\0' '\n' <"$p/environ" |
		    grep -F "LEMON_CONTROL=$PWD/"; } >/dev/null 2>&1 &&
		    echo "${p#/proc/} $(tr '\0' ' ' <"$p/cmdline")"
	done
	return 0
}

@test "the ready line lists what there is, and it all listens" {
	start d -u alice:secret
	[[ $ready == "ready "*" dir=$(pwd -P)/d" ]]
	[ "$(port submission)" = $((base + 587)) ]
	[ "$(port submissions)" = $((base + 465)) ]
	[ ! -x "$(dirname "$(command -v lemon-serve)")/lemon-imapd" ] ||
	    [ "$(port imap) $(port imaps)" = "$((base + 143)) $((base + 993))" ]
	[ ! -x "$(dirname "$(command -v lemon-serve)")/lemon-deliver" ] ||
	    [ "$(port lmtp)" = $((base + 24)) ]
	for word in $ready; do
		case $word in
		ready | dir=*) ;;
		*) listening "${word#*=}" ;;
		esac
	done
	stop
}

@test "it provisions the directory as the manual says" {
	start d -D example.org -u alice:secret -u bob:a:b:
	[ "$(cat d/control/me)" = example.org ]
	grep -qx example.org d/control/locals
	[ -d d/users/alice/Maildir/new ]
	[ -d d/users/bob/Maildir/cur ]
	grep -qx alice@example.org d/control/users/alice/addresses
	openssl x509 -in d/control/tls.pem -noout -ext subjectAltName >names
	for n in DNS:localhost "IP Address:127.0.0.1" DNS:example.org; do
		grep -q "$n" names
	done
	[ "$(stat -c %a d/control/tls.pem d/control/tickets | sort -u)" = 400 ]
	[ "$(id -u)" != 0 ] || [ "$(stat -c %U d/users/alice d/control/tls.pem |
	    sort -u)" = nobody ]
	[ -z "$(find d/control/users -perm /077)" ]
	stop
}

@test "a second start keeps what is there, and -u sets the password" {
	start d -u alice:secret
	stop
	cp d/control/tls.pem d/control/users/alice/verifier d/control/tickets .
	echo hello >d/users/alice/Maildir/new/1.x
	echo 12 >d/control/databytes
	start d
	stop
	cmp tls.pem d/control/tls.pem
	cmp verifier d/control/users/alice/verifier
	[ -e d/users/alice/Maildir/new/1.x ]
	[ "$(cat d/control/databytes)" = 12 ]
	[ "$(wc -l <d/control/tickets)" = 2 ]
	[ "$(tail -n 1 d/control/tickets)" = "$(head -n 1 tickets)" ]
	start d -u alice:other
	stop
	! cmp -s verifier d/control/users/alice/verifier || false
}

@test "a taken port is one line and exit 75, and nothing is left running" {
	start d -u alice:secret
	code=0
	lemon-serve -d e -p $base >out 2>err || code=$?
	[ $code = 75 ]
	[ "$(wc -l <err)" = 1 ]
	grep -q "port $((base + 143)) (imap) is taken\|port $((base + 587)) (submission) is taken" err
	[ ! -s out ]
	stop
	[ -z "$(ours)" ]
	! ls -A e | grep serve || false
}

@test "one directory is served once" {
	start d -u alice:secret
	code=0
	lemon-serve -d d -p 9000 >out 2>err || code=$?
	[ $code = 75 ]
	[ "$(wc -l <err)" = 1 ]
	grep -q "another lemon-serve runs" err
	stop
}

@test "SIGTERM stops all, live connections too, and exits 0" {
	start d -u alice:secret
	exec 4<>"/dev/tcp/127.0.0.1/$(port submission)"
	read -r greeting <&4
	[[ $greeting == 220* ]]
	[ -n "$(ours)" ]
	stop TERM
	[ -z "$(ours)" ] || { ours; false; }
	for word in $ready; do
		case $word in
		ready | dir=*) ;;
		*) ! listening "${word#*=}" ;;
		esac
	done
	# The session is gone: no more is said to it.
	! read -r -t 5 line <&4 || false
	[ ! -e d/run/lmtp ]
	start d
	stop
}

@test "a signed URL of one user is fetched by another" {
	start d -u alice:secret -u bob:hush
	export LEMON_CONTROL=$PWD/d/control
	printf 'From: bob@localhost\nSubject: x\n\nfor bob\n' |
	    lemon-deliver alice
	url=$(lemon-urlauth mint -a user+bob -u 1 -p TEXT alice)
	printf '%s\r\n' 'a login bob hush' "b urlfetch \"$url\"" 'c logout' |
	    timeout 20 openssl s_client -quiet -ign_eof \
	    -connect "127.0.0.1:$(port imaps)" >out 2>/dev/null
	grep -qx $'for bob\r' out || { cat out serve.log; false; }
	# He sends it on, too, without ever having it.
	url=$(lemon-urlauth mint -a submit+bob -u 1 alice)
	printf '%s\r\n' 'EHLO x' "AUTH PLAIN $(printf '\0bob\0hush' | base64)" \
	    'MAIL FROM:<bob@localhost>' 'RCPT TO:<bob@localhost>' \
	    "BURL $url LAST" QUIT |
	    timeout 20 openssl s_client -quiet -ign_eof \
	    -connect "127.0.0.1:$(port submissions)" >out 2>/dev/null
	grep -q '^250 2.0.0' out || { cat out serve.log; false; }
	grep -qx 'for bob' d/users/bob/Maildir/new/*
	stop
	[ ! -e d/run/urlfetch ]
}

@test "SIGINT stops all, even a session that heeds no SIGTERM" {
	bin=$(dirname "$(command -v lemon-serve)")
	mkdir bin
	cp "$bin"/lemon-serve "$bin"/lemon-user "$bin"/lemon-verifier bin
	printf '#!/bin/sh\ntrap "" TERM\necho hello\nread x\n' >bin/lemon-imapd
	chmod -R a+rX bin
	chmod 755 bin/*
	PATH=$PWD/bin:$PATH
	start d -u alice:secret
	exec 4<>"/dev/tcp/127.0.0.1/$(port imap)"
	read -r greeting <&4
	[ "$greeting" = hello ]
	stop INT
	[ -z "$(ours)" ] || { ours; false; }
}

# only_imapd COMMAND: of the servers there is one, and it does that
only_imapd() {
	local bin
	bin=$(dirname "$(command -v lemon-serve)")
	mkdir bin
	cp "$bin"/lemon-serve "$bin"/lemon-user "$bin"/lemon-verifier bin
	printf '#!/bin/sh\n%s\n' "$1" >bin/lemon-imapd
	chmod 755 bin bin/*
	PATH=$PWD/bin:$PATH
}

@test "only what is there is run" {
	only_imapd "echo hello"
	start d
	[ "$ready" = "ready imap=$((base + 143)) imaps=$((base + 993)) dir=$(pwd -P)/d" ]
	stop
}

@test "what the servers log goes to standard error" {
	only_imapd 'echo "lemon-imapd[1]: told" >&2'
	start d
	exec 4<>"/dev/tcp/127.0.0.1/$(port imap)"
	cat <&4 >/dev/null
	stop
	grep -qx 'lemon-imapd\[1\]: told' serve.log
}

@test "a checkout that only root can enter can be served from" {
	[ "$(id -u)" = 0 ] || skip "not root"
	bin=$(dirname "$(command -v lemon-serve)")
	mkdir -m 700 private
	mkdir private/bin
	cp "$bin"/lemon-* private/bin
	PATH=$PWD/private/bin:$PATH
	start d -u alice:secret
	exec 4<>"/dev/tcp/127.0.0.1/$(port submission)"
	read -r greeting <&4
	[[ $greeting == 220* ]]
	stop
}

# A letter from alice to bob, there and back.
exchange() {
	printf 'From: alice@localhost\r\nSubject: x\r\n\r\nhi\r\n' >letter
	curl -sS --max-time 30 -k --ssl-reqd -u alice:secret \
	    "smtp://127.0.0.1:$(port submission)" -T letter \
	    --mail-from alice@localhost --mail-rcpt bob@localhost
	curl -sS --max-time 30 -k --ssl-reqd -u bob:hush \
	    "imap://127.0.0.1:$(port imap)/INBOX;MAILINDEX=1" >got
	grep -q '^hi' got
}

@test "a checkout below a directory that only root can enter can be served" {
	[ "$(id -u)" = 0 ] || skip "not root"
	bin=$(dirname "$(command -v lemon-serve)")
	mkdir -m 700 private
	mkdir -p private/c/bin
	cp "$bin"/lemon-* private/c/bin
	cp -r "$bin/../libexec" private/c
	PATH=$PWD/private/c/bin:$PATH
	chmod 755 private/c private/c/bin
	start private/c/lemon.d -u alice:secret -u bob:hush
	exchange
	stop
	[ ! -e "$(dirname "$(cat private/c/lemon.d/control/lmtp-socket)")" ]
	mkdir -m 755 public
	cp "$bin"/lemon-* public
	cp -r "$bin/../libexec" .
	PATH=$PWD/public:$PATH
	start private/d -u alice:secret -u bob:hush
	exchange
	stop
}

@test "a path that is too long for a socket can be served" {
	long=$(printf 'x%.0s' {1..100})
	start "$long" -u alice:secret -u bob:hush
	exchange
	stop
}

@test "what the account cannot enter at all is refused in one line" {
	[ "$(id -u)" = 0 ] || skip "not root"
	bin=$(dirname "$(command -v lemon-serve)")
	mkdir -m 700 private1 private2
	mkdir private1/bin
	cp "$bin"/lemon-* private1/bin
	code=0
	private1/bin/lemon-serve -d private2/d >out 2>err || code=$?
	[ $code = 75 ]
	[ "$(wc -l <err)" = 1 ]
	grep -q "nobody cannot get at" err
}

@test "as root the servers run as the account of -U" {
	[ "$(id -u)" = 0 ] || skip "not root"
	start d -U daemon -u alice:secret
	[ "$(stat -c %U d/users/alice)" = daemon ]
	for p in $(ours | awk '/tcpserver|unixserver/ { print $1 }'); do
		[ "$(awk '/^Uid/ { print $2, $3, $4 }' /proc/$p/status)" = \
		    "$(id -u daemon) $(id -u daemon) $(id -u daemon)" ]
	done
	stop
	code=0
	lemon-serve -d d -U root >out 2>err || code=$?
	[ $code = 75 ]
	grep -q "never served as root" err
}

@test "a wrong command line is exit 64" {
	for args in "-p 61346" "-p x" "-p 12345678901234567890" "-u alice" \
	    "-u :x" "-u alice:" "-D -x" "-D a/b" "-x" "more"; do
		code=0
		lemon-serve -d d $args >out 2>err || code=$?
		[ $code = 64 ] || { echo "$args: $code"; false; }
		grep -q usage err
		[[ $args = more ]] || grep -q '^lemon-serve: ' err
		[ ! -e d ]
	done
}

@test "a name that lemon-user refuses ends it" {
	code=0
	lemon-serve -d d -u ../x:secret >out 2>err || code=$?
	[ $code = 1 ]
	[ "$(wc -l <err)" = 1 ]
}

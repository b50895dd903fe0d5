#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The service directories and files of etc/ work with the programs they are
# for.

setup_file() {
	cd "$BATS_FILE_TMPDIR"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR"
	# An account's reach, as when installed.
	mkdir bin
	cp "$(dirname "$(command -v lemon-serve)")"/lemon-* bin
	cp -r "$(dirname "$(command -v lemon-serve)")/../libexec" .
	cp "$BATS_TEST_DIRNAME/../etc/inetd/lemon-inetd" bin
	chmod 755 bin bin/*
	export BIN=$PWD/bin PATH=$PWD/bin:$PATH
	export CONTROL=$PWD/d/control
	# lemon-serve makes accounts and a certificate; then it may go.
	mkfifo ready
	for try in 1 2 3 4 5 6; do
		lemon-serve -d d -p $((10000 + RANDOM)) -u alice:secret \
		    >ready 2>log 3>&- &
		! read -r line <ready || break
	done
	[ -n "$line" ] || { cat log; false; }
	kill $!
	wait $! || :
}

setup() {
	cd "$BATS_TEST_TMPDIR"
	chmod 755 "$BATS_TEST_TMPDIR" "$(dirname "$BATS_TEST_TMPDIR")"
	ETC=$BATS_TEST_DIRNAME/../etc
}

# For a test that failed on its way.
teardown() {
	[ -z "${activate:-}" ] || kill "$activate" 2>/dev/null || :
	[ -z "${inetd:-}" ] || kill "$inetd" 2>/dev/null || :
	[ -z "${svscan:-}" ] || kill "$svscan" 2>/dev/null || :
	[ ! -d scan ] || svc -dx scan/* scan/*/log 2>/dev/null || :
}

# Ports that were free a moment ago.
free_ports() {
	python3 - "$1" <<-'END'
	import socket, sys
	s = [socket.socket() for i in range(int(sys.argv[1]))]
	for x in s:
	    x.bind(("127.0.0.1", 0))
	print(*[x.getsockname()[1] for x in s])
	END
}

# settle DIR: its services on loopback, free ports and an ordinary account.
settle() {
	local d ports
	read -r -a ports < <(free_ports 6)
	for d in "$1"/*/; do
		echo nobody >"$d/env/ACCOUNT"
		echo "$CONTROL" >"$d/env/LEMON_CONTROL"
		if [ -e "$d/env/PORT" ]; then
			echo 127.0.0.1 >"$d/env/HOST"
			echo "${ports[0]}" >"$d/env/PORT"
			ports=("${ports[@]:1}")
		else
			echo "$PWD/run/$(basename "$(cat "$d/env/SOCKET")")" \
			    >"$d/env/SOCKET"
		fi
	done
}

# until_true COMMAND…: at most ten seconds.
until_true() {
	local i
	for ((i = 0; i < 200; i++)); do
		! "$@" 2>/dev/null || return 0
		sleep 0.05
	done
	echo "never: $*"
	return 1
}

listening() {
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

greets() {
	local line
	exec 4<>"/dev/tcp/127.0.0.1/$1" && read -r -t 10 line <&4
	exec 4>&-
	[[ $line == $2* ]] || { echo "$1: '$line'"; return 1; }
}

greets_over_tls() {
	{ timeout 10 openssl s_client -quiet -connect "127.0.0.1:$1" \
	    2>/dev/null </dev/null || :; } | head -n 1 >line
	[[ $(cat line) == $2* ]] || { echo "$1: '$(cat line)'"; return 1; }
}

all_greet() {
	greets "$(cat "$1/lemon-imapd/env/PORT")" '* OK'
	greets_over_tls "$(cat "$1/lemon-imapsd/env/PORT")" '* OK'
	greets "$(cat "$1/lemon-submit/env/PORT")" 220
	greets_over_tls "$(cat "$1/lemon-submits/env/PORT")" 220
	greets "$(cat "$1/lemon-lmtp/env/PORT")" 220
	# The client's end of unixclient is descriptor 6.
	unixclient run/lmtp sh -c 'head -n 1 <&6' >line
	[[ $(cat line) == 220* ]]
	printf '0:,0:,1:x,' >request
	unixclient run/urlfetch sh -c 'cat request >&7; head -c 1 <&6' >line
	[ "$(cat line)" = - ]
}

as_root() {
	[ "$(id -u)" = 0 ] || skip "starting services takes root"
}

@test "the s6 services start, say when they are ready, and greet" {
	as_root
	cp -R "$ETC/s6" scan
	settle scan
	s6-svscan scan >scan.log 2>&1 3>&- &
	svscan=$!
	until_true s6-svok scan/lemon-imapd
	for d in scan/lemon-*; do
		until_true s6-svok "$d"
		s6-svwait -U -t 10000 "$d" || { cat scan.log; false; }
	done
	all_greet scan
	until_true test -s scan/lemon-imapd/log/main/current
	s6-svscanctl -t scan
	wait $svscan || :
	! listening "$(cat scan/lemon-imapd/env/PORT)" || false
}

@test "the daemontools services start and greet" {
	as_root
	cp -R "$ETC/daemontools" scan
	settle scan
	# A sanitizer maps more than any limit on addresses.
	! ldd "$(command -v lemon-imapd)" | grep -q asan ||
	    sed -i '/softlimit/d' scan/*/run
	svscan scan >scan.log 2>&1 3>&- &
	svscan=$!
	for d in scan/lemon-*; do
		if [ -e "$d/env/PORT" ]; then
			until_true listening "$(cat "$d/env/PORT")"
		else
			until_true test -S "$(cat "$d/env/SOCKET")"
		fi
	done
	all_greet scan
	until_true test -s scan/lemon-imapd/log/main/current
	kill $svscan
	svc -dx scan/* scan/*/log
	for d in scan/*; do
		until_true eval "! svok $d"
	done
	! listening "$(cat scan/lemon-imapd/env/PORT)" || false
}

@test "the inetd services greet, and their log does not reach the client" {
	as_root
	read -r -a p < <(free_ports 5)
	sed "s|/usr/local/bin|$BIN|; s|vmail|nobody|; s|^127.0.0.1:||
	    s|^143|127.0.0.1:${p[0]}|; s|^993|127.0.0.1:${p[1]}|
	    s|^587|127.0.0.1:${p[2]}|; s|^465|127.0.0.1:${p[3]}|
	    s|^24|127.0.0.1:${p[4]}|" "$ETC/inetd/inetd.conf" >inetd.conf
	LEMON_CONTROL=$CONTROL inetd -E -i "$PWD/inetd.conf" \
	    >inetd.log 2>&1 3>&- &
	inetd=$!
	for x in "${p[@]}"; do
		until_true listening "$x"
	done
	greets "${p[0]}" '* OK'
	greets_over_tls "${p[1]}" '* OK'
	greets "${p[2]}" 220
	greets_over_tls "${p[3]}" 220
	greets "${p[4]}" 220
	# A login that fails is logged.
	exec 4<>"/dev/tcp/127.0.0.1/${p[2]}"
	printf 'EHLO x\r\nAUTH PLAIN AGFsaWNlAHg=\r\nQUIT\r\n' >&4
	timeout 20 cat <&4 >said
	exec 4>&-
	grep -q '^221' said
	! grep -v '^[0-9][0-9][0-9][ -]' said || false
	kill $inetd
	wait $inetd || :
}

@test "systemd finds nothing wrong with the units" {
	cp "$ETC"/systemd/* .
	sed -i "s|/usr/local/bin|$BIN|; s|vmail|daemon|" ./*.service
	for s in *.socket; do
		cp "${s%.socket}@.service" "${s%.socket}@1.service"
	done
	# Only what is said about our own units counts.
	systemd-analyze verify ./*@1.service ./*.socket 2>&1 |
	    grep 'lemon-' | grep -v 'lemon-serve' >bad || :
	[ ! -s bad ] || { cat bad; false; }
}

@test "a service of systemd greets who comes to its socket" {
	read -r port < <(free_ports 1)
	command=$(sed -n "s|^ExecStart=/usr/local/bin|$BIN|p" \
	    "$ETC/systemd/lemon-imapd@.service")
	# What Accept=yes and StandardInput=socket give, without PID 1.
	systemd-socket-activate --accept --inetd -l "127.0.0.1:$port" \
	    -E "LEMON_CONTROL=$CONTROL" $command >log 2>&1 3>&- &
	activate=$!
	until_true listening "$port"
	greets "$port" '* OK' || { cat log; false; }
	kill $activate
}

@test "the sockets and services of systemd belong together" {
	cd "$ETC/systemd"
	for s in *.socket; do
		[ -e "${s%.socket}@.service" ]
		grep -q '^Accept=yes' "$s"
		grep -q '^StandardError=journal' "${s%.socket}@.service"
		program=$(sed -n 's|^ExecStart=/usr/local/bin/\([a-z-]*\).*|\1|p' \
		    "${s%.socket}@.service")
		[ -x "$BIN/$program" ]
	done
}

@test "what is installed twice is there once" {
	for i in 1 2; do
		make -s -C "$BATS_TEST_DIRNAME/.." install -o all \
		    DESTDIR="$PWD/root" PREFIX=/usr
	done
	[ "$(ls root/usr/share/lemon/examples)" = "$(ls "$ETC")" ]
	[ -x root/usr/bin/lemon-user ]
	[ "$(ls root/usr/libexec/lemon)" = tls.so ]
}

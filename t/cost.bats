#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What a connection does not pay for: every one is a new process, so what it
# loads, sets up and touches counts.  bench/ has the times.

load serve.bash

setup_file() {
	# A sanitizer cannot look for leaks in what is traced.
	export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
	serve -u alice:secret
	echo 1 >"$DIR/control/plaintext"
}

teardown_file() {
	unserve
}

sanitized() {
	ldd "$(command -v lemon-imapd)" | grep -q asan
}

# awaits TEXT FILE: until it is there
awaits() {
	local tries=400
	until grep -qF -- "$1" "$2"; do
		[ $((tries -= 1)) -gt 0 ] || return 1
		sleep 0.05
	done
}

# traced PORT SECURITY: the system calls of a session on that port, from its
# exec on, to $T/calls
traced() {
	T=$BATS_TEST_TMPDIR
	[ -n "$(command -v strace)" ] || skip "no strace here"
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace"
	listener=$(pgrep -f "tcpserver .* $1 ")
	strace -f -q -o "$T/all" -p "$listener" 3>&- &
	tracer=$!
	awaits "$tracer" "/proc/$listener/status"
	session "$1" "$2" LOGOUT
	awaits '+++ exited' "$T/all"
	kill $tracer
	wait $tracer || :
	sed '1,/execve("/d' "$T/all" >"$T/calls"
	grep -q '"cur"' "$T/calls"		# it did trace
}

# session PORT SECURITY COMMAND: LOGIN, SELECT, COMMAND
session() {
	python3 - "$@" <<-'END'
	import imaplib, ssl, subprocess, sys
	port, security, command = sys.argv[1:]
	unsafe = ssl._create_unverified_context()
	m = imaplib.IMAP4_SSL("127.0.0.1", int(port), ssl_context=unsafe) \
	    if security == "tls" else imaplib.IMAP4("127.0.0.1", int(port))
	m.login("alice", "secret")
	m.select()
	if command == "LOGOUT":
	    m.logout()
	    sys.exit()
	m.send(b"i IDLE\r\n")
	assert m.readline().startswith(b"+")
	listener = subprocess.check_output(["pgrep", "-f",
	    "tcpserver .* %s " % port]).decode().strip()
	pid = int(subprocess.check_output(["pgrep", "-n", "-P", listener]))
	# What is clean is the program's file, shared with the next session.
	print(sum(int(l.split()[1]) for l in
	    open("/proc/%d/smaps_rollup" % pid)
	    if l.startswith("Private_Dirty")))
	END
}

@test "a plain session loads the C library and no other" {
	traced "$IMAP" plain
	grep -o 'open.*\.so[.0-9]*"' "$T/calls" | grep -v '/libc\.so' >"$T/so" || :
	sanitized || [ ! -s "$T/so" ] || { cat "$T/so"; false; }
	! grep -E 'libicu|libsasl|libssl|libcrypto' "$T/calls"
}

@test "a plain session sets up nothing of OpenSSL" {
	traced "$IMAP" plain
	! grep openssl.cnf "$T/calls"
	# OpenSSL does each part of that once, which ends in waking whoever
	# might have waited for it; we ourselves have no threads.
	sanitized || ! grep 'futex(' "$T/calls"
}

@test "a session under TLS reads no settings of OpenSSL" {
	traced "$IMAPS" tls
	! grep openssl.cnf "$T/calls"
	sanitized || grep -q 'futex(' "$T/calls"
}

@test "an idle session has less than 0.5 MB of its own, under TLS 1.5" {
	! sanitized || skip "a sanitizer has more"
	[ "$(id -u)" = 0 ] || skip "only root sees what a session has"
	plain=$(session "$IMAP" plain IDLE)
	tls=$(session "$IMAPS" tls IDLE)
	echo "$plain KiB, under TLS $tls KiB"
	[ "$plain" -gt 50 ] && [ "$plain" -lt 488 ]
	[ "$tls" -gt 200 ] && [ "$tls" -lt 1464 ]
}

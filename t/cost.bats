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

# session PORT SECURITY COMMAND [maps]: LOGIN, SELECT, COMMAND; of one in IDLE
# prints what memory it has of its own, or all that it has
session() {
	python3 - "$@" <<-'END'
	import imaplib, ssl, subprocess, sys
	port, security, command = sys.argv[1:4]
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
	if sys.argv[4:]:
	    print(open("/proc/%d/maps" % pid).read())
	    sys.exit()
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
	! grep -E 'libicu|libsasl|libssl|libcrypto|tls\.so' "$T/calls" || false
}

@test "a session under TLS opens OpenSSL, and none of its settings" {
	traced "$IMAPS" tls
	grep -q 'openat.*/libexec/lemon/tls\.so' "$T/calls"
	! grep -E 'openssl\.cnf|libssl|libcrypto' "$T/calls" || false
	# Nor does it do what counts only where there are threads.
	sanitized || ! grep 'futex(' "$T/calls"
}

# places PORT SECURITY: where the program and OpenSSL lie in a session.
places() {
	session "$1" "$2" IDLE maps | grep -E 'r-xp .*(lemon-imapd|tls\.so)' |
	    sed 's/-.*\// /'
}

@test "program and OpenSSL lie elsewhere in each session" {
	[ "$(id -u)" = 0 ] || skip "only root sees where a session lies"
	for i in 1 2 3; do places "$IMAPS" tls; done >"$BATS_TEST_TMPDIR/seen"
	cat "$BATS_TEST_TMPDIR/seen"
	[ "$(grep -c lemon-imapd "$BATS_TEST_TMPDIR/seen")" = 3 ]
	[ "$(grep -c tls.so "$BATS_TEST_TMPDIR/seen")" = 3 ]
	[ "$(sort -u "$BATS_TEST_TMPDIR/seen" | wc -l)" = 6 ]
}

@test "without the object with OpenSSL there is no TLS, and the log says why" {
	cd "$BATS_TEST_TMPDIR"
	mkdir bin
	cp "$(command -v lemon-imapd)" bin
	! LEMON_CONTROL=$DIR/control bin/lemon-imapd -s </dev/null 2>log || false
	grep 'libexec/lemon/tls.so is not there' log
	# The same program with one of another build.
	mkdir -p libexec/lemon
	echo 'const unsigned lemon_tls[32] = { 1 };' |
	    cc -shared -fPIC -o libexec/lemon/tls.so -x c -
	! LEMON_CONTROL=$DIR/control bin/lemon-imapd -s </dev/null 2>log || false
	grep 'tls.so is not there, or of another build' log
	cp "$(dirname "$(command -v lemon-imapd)")/../libexec/lemon/tls.so" \
	    libexec/lemon
	LEMON_CONTROL=$DIR/control bin/lemon-imapd -s </dev/null 2>log
	! grep 'tls.so' log || false
}

@test "nothing is loaded from the directory that somebody is in" {
	[ "$(id -u)" = 0 ] || skip "mounts need root"
	cd "$BATS_TEST_TMPDIR"
	mkdir -p bin here/bin here/libexec/lemon
	cp "$(command -v lemon-imapd)" bin
	ln bin/lemon-imapd here/bin
	echo '#include <unistd.h>
	__attribute__((constructor)) static void f(void) { _exit(99); }' |
	    cc -shared -fPIC -o here/libexec/lemon/tls.so -x c -
	cd here
	# Without /proc only the path by which it was started is known.
	run env LEMON_CONTROL="$DIR/control" unshare -m sh -c '
	    mount -t tmpfs none /proc && exec bin/lemon-imapd -s </dev/null'
	[ "$status" != 99 ]
	[[ $output = *"tls.so is not there"* ]]
}

@test "an idle session has less than 0.5 MB of its own, under TLS 1.5" {
	! sanitized || skip "a sanitizer has more"
	[ "$(id -u)" = 0 ] || skip "only root sees what a session has"
	# What was linked a moment ago counts as changed until it is written.
	bin=$(dirname "$(command -v lemon-imapd)")
	sync "$bin/lemon-imapd" "$bin/../libexec/lemon/tls.so"
	plain=$(session "$IMAP" plain IDLE)
	tls=$(session "$IMAPS" tls IDLE)
	echo "$plain KiB, under TLS $tls KiB"
	[ "$plain" -gt 50 ]
	[ "$plain" -lt 488 ]
	[ "$tls" -gt 200 ]
	[ "$tls" -lt 1464 ]
}

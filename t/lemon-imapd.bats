#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# How the process behaves: what it exits with, whom it lets in, what it costs
# and what is left when a client goes away.  What it says is in t/talk/imapd.

bats_require_minimum_version 1.5.0

load room

setup() {
	umask 022
	T=$BATS_TEST_TMPDIR
	export HOME=$T LEMON_CONTROL=$T/control T
	mkdir -p "$T/control" "$T/Maildir"/{cur,new,tmp}
	unset "${!TCP@}" "${!SSL@}" PROTO REMOTE_ADDR REMOTE_HOST USER LOGNAME
}

# mail FOLDER TEXT: into that folder's new/, by another program
mail() {
	mkdir -p "$T/Maildir/$1"/{cur,new,tmp}
	printf 'Subject: %s\n\n%s\n' "$2" "$2" \
	    >"$T/Maildir/$1/new/$((1000000000 + RANDOM)).M${RANDOM}P1Q1.test"
}

# say COMMAND…: one after the other on a pipe; prints all that is answered
say() {
	printf '%s\r\n' "$@" | lemon-imapd "$T/Maildir" 2>>"$T/log" |
	    tr -d '\r'
}

# client ARG… <<PYTHON: imap(*argv) starts a server and has send, line, until
client() {
	cat >"$T/body.py"
	cat >"$T/client.py" <<-'END'
	import os, socket, subprocess, time
	T = os.environ["T"]
	class imap:
	    def __init__(self, *argv):
	        self.s, theirs = socket.socketpair()
	        self.p = subprocess.Popen(["lemon-imapd"] + list(argv),
	            stdin=theirs, stdout=theirs,
	            stderr=open(T + "/log", "ab"))
	        theirs.close()
	        self.s.settimeout(30)
	        self.held = b""
	        if argv:
	            self.line()
	    def send(self, octets):
	        self.s.sendall(octets)
	    def line(self):
	        while b"\n" not in self.held:
	            got = self.s.recv(65536)
	            if not got:
	                return None
	            self.held += got
	        line, self.held = self.held.split(b"\n", 1)
	        return line.rstrip(b"\r").decode("latin-1")
	    def until(self, begin):
	        seen = []
	        while True:
	            seen.append(self.line())
	            if seen[-1] is None:
	                raise SystemExit("closed after %r" % seen)
	            if seen[-1].startswith(begin):
	                return seen
	    def ask(self, command):
	        self.send(b"t " + command.encode() + b"\r\n")
	        return self.until("t ")
	    def peak(self):
	        for l in open("/proc/%d/status" % self.p.pid):
	            if l.startswith("VmHWM:"):
	                return int(l.split()[1])
	    def end(self):
	        self.s.close()
	        return self.p.wait(30)
	END
	cat "$T/body.py" >>"$T/client.py"
	python3 "$T/client.py"
}

@test "a wrong command line is 64, and -h is none" {
	run -0 lemon-imapd -h
	[[ $output == usage:* ]]
	run -64 lemon-imapd -x
	run -64 lemon-imapd -s -t
	run -64 lemon-imapd ./a ./b
}

@test "a Maildir on a pipe is served to whoever starts it" {
	mail . hello
	run -0 say 'a SELECT INBOX' 'b LOGOUT'
	[[ ${lines[0]} == '* PREAUTH [CAPABILITY IMAP4rev1 '* ]]
	[[ $output == *$'\n* 1 EXISTS\n'* ]]
	[[ $output == *$'\nb OK '* ]]
}

@test "a Maildir that is not there is made" {
	run -0 say 'a SELECT INBOX' 'b LOGOUT'
	rm -rf "$T/Maildir"
	run -0 say 'a SELECT INBOX' 'b LOGOUT'
	[[ $output == *$'\n* 0 EXISTS\n'* ]]
	[ -d "$T/Maildir/cur" ]
}

@test "a Maildir on a network socket is refused" {
	run -75 --separate-stderr env TCPREMOTEIP=192.0.2.1 \
	    lemon-imapd "$T/Maildir" </dev/null
	[[ $output == '* BYE '* ]]
	[[ $stderr == *refused* ]]
	run -75 env PROTO=TCP6 TCP6REMOTEIP=2001:db8::1 \
	    lemon-imapd "$T/Maildir" </dev/null
	run -75 env REMOTE_ADDR=192.0.2.1 lemon-imapd "$T/Maildir" </dev/null
}

@test "a user who does not exist is not served" {
	run -75 --separate-stderr lemon-imapd nobody-at-all </dev/null
	[[ $output == '* BYE '* ]]
}

@test "the log names user, address and reason in a fixed order" {
	export LEMON_AUTH_DELAY=0
	echo secret | lemon-user add alice 2>/dev/null
	printf 'a LOGIN "bad\x1b]man user=x" y\r\nb LOGOUT\r\n' |
	    TCPREMOTEIP=192.0.2.7 LEMON_PLAINTEXT=1 lemon-imapd 2>"$T/err"
	grep -E '^lemon-imapd\[[0-9]+\]: login-failed user=[^ ]* rip=192\.0\.2\.7 method=LOGIN why=credentials$' "$T/err"
	grep -E '^lemon-imapd\[[0-9]+\]: disconnect user= rip=192\.0\.2\.7 why=logout commands=2 in=[0-9]+ out=[0-9]+ fetched=0 appended=0 expunged=0 cpu_ms=[0-9]+ wall_ms=[0-9]+$' "$T/err"
	[ "$(wc -l <"$T/err")" = 2 ]
	echo app | lemon-user app alice tv -s submit 2>/dev/null
	echo app | lemon-user app alice old -e 2020-01-01 2>/dev/null
	for who in alice alice+tv alice+old; do
		printf 'a AUTHENTICATE PLAIN %s\r\nb LOGIN %s app\r\nc LOGOUT\r\n' \
		    "$(printf '\0%s\0app' $who | base64)" $who |
		    LEMON_PLAINTEXT=1 lemon-imapd 2>"$T/$who"
	done >"$T/said"
	[ "$(grep -Eo '^[ab] NO .*' "$T/said" | cut -c3- | sort -u | wc -l)" = 1 ]
	for m in PLAIN LOGIN; do
		grep "user=alice rip=local method=$m why=credentials$" "$T/alice"
		grep "user=alice+tv rip=local method=$m why=scope$" "$T/alice+tv"
		grep "user=alice+old rip=local method=$m why=expired$" "$T/alice+old"
	done
	say 'a LOGOUT' >/dev/null
	grep -E ': login user=[^ ]+ rip=local method=local tls=local confined=(full|partial|none)$' "$T/log"
}

@test "a password is in no transcript" {
	echo 'open sesame' | lemon-user add alice 2>/dev/null
	mkdir "$T/trace"
	export LEMON_AUTH_DELAY=0
	printf 'a LOGIN alice "closed sesame"\r\nb AUTHENTICATE PLAIN AGFsaWNlAG9wZW4gc2VzYW11\r\nc AUTHENTICATE PLAIN\r\nAGFsaWNlAG9wZW4gc2VzYW11\r\n' |
	    LEMON_TRACE=$T/trace lemon-imapd >/dev/null 2>&1
	printf 'a LOGIN alice {13+}\r\nclosed sesame\r\nb LOGOUT\r\n' |
	    LEMON_TRACE=$T/trace lemon-imapd >/dev/null 2>&1
	[ "$(cat "$T"/trace/* | grep -c AUTHENTICATIONFAILED)" = 4 ]
	run -1 grep -E 'sesame|AGFsaWNl' "$T"/trace/*
}

@test "pipelined commands are answered in one write" {
	client <<-'END'
	c = imap(T + "/Maildir")
	c.send(b"a NOOP\r\nb NOOP\r\nc NOOP\r\n")
	got = c.s.recv(65536)
	assert got.count(b" OK ") == 3, got
	c.end()
	END
}

@test "a greeting costs neither ICU nor libsasl2 nor the index" {
	client <<-'END'
	c = imap()
	c.line()
	maps = open("/proc/%d/maps" % c.p.pid).read()
	for lib in ("icu", "sasl", "data.mdb"):
	    assert lib not in maps, maps
	c.end()
	END
}

@test "a client that vanishes in a command, a literal or IDLE leaves no process" {
	client <<-'END'
	for said in (b"a NO", b"a SELECT {10}\r\nabc", b"a IDLE\r\n",
	        b"a SELECT INBOX\r\nb IDLE\r\n",
	        b"a APPEND INBOX {1000+}\r\nabc"):
	    c = imap(T + "/Maildir")
	    c.send(said)
	    assert c.end() == 0, said
	END
	[ -z "$(find "$T/Maildir/cur" "$T/Maildir/new" -type f)" ]
	run -0 say 'a STATUS INBOX (MESSAGES)'
	[[ $output == *'(MESSAGES 0)'* ]]
	[ -z "$(ls "$T/Maildir/tmp")" ]
}

@test "a message of 60 MB goes in and out in constant memory" {
	client <<-'END'
	c = imap(T + "/Maildir")
	head = b"Subject: big\r\n\r\n"
	line = b"x" * 98 + b"\r\n"
	lines = 600000
	c.send(b"a APPEND INBOX {%d+}\r\n" % (len(head) + 100 * lines))
	c.send(head)
	for i in range(lines // 1000):
	    c.send(line * 1000)
	c.send(b"\r\n")
	assert c.until("a ")[-1].startswith("a OK [APPENDUID "), 1
	c.ask("SELECT INBOX")
	c.send(b"b FETCH 1 BODY.PEEK[]\r\n")
	want = len(head) + 100 * lines
	assert c.line() == "* 1 FETCH (BODY[] {%d}" % want
	got = len(c.held)
	while got < want:
	    got += len(c.s.recv(1 << 20))
	assert c.peak() < 24 * 1024, c.peak()
	c.end()
	END
}

@test "a client that does not read what it asked for costs no memory" {
	client <<-'END'
	c = imap(T + "/Maildir")
	body = b"Subject: x\r\n\r\n" + (b"y" * 98 + b"\r\n") * 10000
	for i in range(20):
	    c.send(b"a APPEND INBOX {%d+}\r\n%s\r\n" % (len(body), body))
	    c.until("a OK")
	c.ask("SELECT INBOX")
	for i in range(50):
	    c.send(b"b FETCH 1:* BODY.PEEK[]\r\n")
	# others are not kept waiting
	d = imap(T + "/Maildir")
	d.ask("SELECT INBOX")
	assert d.ask("STORE 1 +FLAGS (\\Seen)")[-1].startswith("t OK")
	d.end()
	assert c.peak() < 24 * 1024, c.peak()
	c.end()
	END
}

@test "IDLE hears another session within 50 ms" {
	client <<-'END'
	a, b = imap(T + "/Maildir"), imap(T + "/Maildir")
	a.ask("SELECT INBOX")
	b.ask("SELECT INBOX")
	a.send(b"i IDLE\r\n")
	a.until("+ ")
	best = 1
	for i in range(5):
	    b.send(b"x APPEND INBOX {3+}\r\na\r\n\r\n")
	    b.until("x OK")
	    begin = time.monotonic()
	    a.until("* %d EXISTS" % (i + 1))
	    best = min(best, time.monotonic() - begin)
	    a.until("* ")
	assert best < 0.05, best
	b.ask("STORE 1 +FLAGS (\\Deleted $Forwarded)")
	assert "$Forwarded" in a.until("* 1 FETCH ")[-1]
	b.ask("EXPUNGE")
	a.until("* 1 EXPUNGE")
	a.send(b"DONE\r\n")
	a.until("i OK")
	END
}

@test "IDLE hears a delivery by another program" {
	client <<-'END'
	a = imap(T + "/Maildir")
	a.ask("SELECT INBOX")
	a.send(b"i IDLE\r\n")
	a.until("+ ")
	open(T + "/Maildir/tmp/1.test", "w").write("Subject: x\n\nx\n")
	os.rename(T + "/Maildir/tmp/1.test", T + "/Maildir/new/1.test")
	a.until("* 1 EXISTS")
	END
}

@test "no EXPUNGE while sequence numbers are in use" {
	client <<-'END'
	a, b = imap(T + "/Maildir"), imap(T + "/Maildir")
	for i in range(3):
	    a.send(b"x APPEND INBOX {%d+}\r\nSubject: %d\r\n\r\n\r\n" % (14, i))
	    a.until("x OK")
	a.ask("SELECT INBOX")
	b.ask("SELECT INBOX")
	b.ask("STORE 2 +FLAGS (\\Deleted)")
	b.ask("EXPUNGE")
	for quiet in ("FETCH 1 FLAGS", "STORE 1 +FLAGS (\\Seen)",
	        "SEARCH ALL"):
	    seen = a.ask(quiet)
	    assert not any("EXPUNGE" in l for l in seen), seen
	# message 3 is message 3 still, and 2 is gone
	assert any("Subject: 2" in l for l in a.ask("FETCH 3 BODY.PEEK[HEADER]"))
	seen = a.ask("FETCH 2 BODY.PEEK[]")
	assert seen[-1].startswith("t NO [EXPUNGEISSUED]"), seen
	assert a.ask("STORE 2 +FLAGS (\\Seen)")[-1].startswith(
	    "t NO [EXPUNGEISSUED]")
	assert a.ask("UID FETCH 2 BODY.PEEK[]")[-1].startswith("t OK"), seen
	a.ask("NOOP")
	assert any("Subject: 2" in l for l in a.ask("FETCH 2 BODY.PEEK[HEADER]"))
	assert a.ask("FETCH 3 FLAGS")[-1].startswith("t BAD")
	END
}

@test "what another session changes is told at the next command" {
	client <<-'END'
	a, b = imap(T + "/Maildir"), imap(T + "/Maildir")
	a.send(b"x APPEND INBOX {3+}\r\na\r\n\r\n")
	a.until("x OK")
	a.ask("SELECT INBOX")
	b.ask("SELECT INBOX")
	b.ask("STORE 1 +FLAGS (\\Flagged)")
	seen = a.ask("NOOP")
	assert any(l.startswith("* 1 FETCH (FLAGS (\\Flagged") for l in seen)
	assert len(a.ask("NOOP")) == 1
	# its own changes are not told twice, nor silent ones once
	assert len(a.ask("STORE 1 -FLAGS.SILENT (\\Flagged)")) == 1
	assert len(a.ask("NOOP")) == 1
	b.send(b"x APPEND INBOX {3+}\r\nb\r\n\r\n")
	b.until("x OK")
	assert "* 2 EXISTS" in a.ask("NOOP")
	END
}

@test "a message is recent in the session that heard of it first" {
	client <<-'END'
	a, b = imap(T + "/Maildir"), imap(T + "/Maildir")
	a.ask("SELECT INBOX")
	b.send(b"x APPEND INBOX {3+}\r\na\r\n\r\n")
	b.until("x OK")
	assert "* 1 RECENT" in a.ask("NOOP")
	# a answers this when it has noted that
	a.ask("CAPABILITY")
	assert "* 0 RECENT" in b.ask("SELECT INBOX")
	END
}

@test "COPY of sequence numbers copies all of them or nothing" {
	client <<-'END'
	a, b = imap(T + "/Maildir"), imap(T + "/Maildir")
	for i in range(3):
	    a.send(b"x APPEND INBOX {3+}\r\na\r\n\r\n")
	    a.until("x OK")
	a.ask("CREATE Work")
	a.ask("SELECT INBOX")
	b.ask("SELECT INBOX")
	b.ask("STORE 2 +FLAGS.SILENT (\\Deleted)")
	b.ask("EXPUNGE")
	assert a.ask("COPY 1:3 Work")[-1].startswith("t NO [EXPUNGEISSUED]")
	assert "(MESSAGES 0)" in a.ask("STATUS Work (MESSAGES)")[0]
	b.ask("STORE 1 +FLAGS.SILENT (\\Deleted)")
	b.ask("EXPUNGE")
	assert " 3 1]" in a.ask("UID COPY 1:* Work")[-1]
	END
}

@test "a mailbox that is deleted ends the sessions that have it open" {
	client <<-'END'
	a, b = imap(T + "/Maildir"), imap(T + "/Maildir")
	a.ask("CREATE Work")
	a.ask("SELECT Work")
	assert b.ask("DELETE Work")[-1].startswith("t OK")
	a.send(b"x NOOP\r\n")
	assert a.until("* BYE")
	END
}

@test "a message whose file cannot be read is a NO, and the rest is served" {
	[ "$(id -u)" != 0 ] || chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$T"
	mail . one
	mail . two
	say 'a SELECT INBOX' >/dev/null
	chmod 0 "$(grep -l one -r "$T/Maildir/cur" "$T/Maildir/new")"
	[ "$(id -u)" != 0 ] || chown -R 65534:65534 "$T/Maildir"
	run -0 say 'a SELECT INBOX' 'b FETCH 1:2 BODY.PEEK[TEXT]' 'c LOGOUT'
	[[ $output == *$'\nb NO '* ]]
	[[ $output == *$'\ntwo\n'* ]]
	[[ $output == *$'\nc OK '* ]]
}

@test "a file that was changed in place is shown as it is, and the rest served" {
	mail . first
	mail . second
	say 'a SELECT INBOX' 'b FETCH 1:* (ENVELOPE BODYSTRUCTURE)' 'c LOGOUT'
	files=("$T"/Maildir/cur/*)
	truncate -s 12 "${files[0]}"
	echo 'one line more' >>"${files[1]}"
	say 'a SELECT INBOX' 'b FETCH 1:* (BODY.PEEK[] BODY.PEEK[TEXT])' \
	    'c FETCH 1:2 BODY.PEEK[]<5.90>' 'd LOGOUT' >"$T/out"
	grep -q '^d OK' "$T/out"
	[ "$(grep -c '^one line more' "$T/out")" -ge 2 ]
	grep -q 'BODY\[\] {1[0-9]}' "$T/out"
}

@test "a message whose file is gone is not made up" {
	mail . one
	mail . two
	client <<-'END'
	import glob
	c = imap(T + "/Maildir")
	c.ask("SELECT INBOX")
	for f in glob.glob(T + "/Maildir/*/*"):
	    if b"one" in open(f, "rb").read():
	        os.unlink(f)
	for what in ("RFC822.SIZE", "ENVELOPE", "BODY.PEEK[]"):
	    got = c.ask("FETCH 1:2 " + what)
	    assert sum(l.startswith("* ") for l in got) == 1, got
	    assert got[-1].startswith("t NO [EXPUNGEISSUED]"), got
	assert c.ask("UID FETCH 1:* RFC822.SIZE")[-1].startswith("t OK")
	END
	run ! grep warning "$T/log"
}

@test "no size is told of a file that cannot be read" {
	[ "$(id -u)" != 0 ] || chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$T"
	mail . one
	chmod 0 "$T"/Maildir/new/*
	[ "$(id -u)" != 0 ] || chown -R 65534:65534 "$T/Maildir"
	run -0 say 'a SELECT INBOX' 'b FETCH 1 RFC822.SIZE' 'c LOGOUT'
	[[ $output == *$'\nb NO '* ]]
	[[ $output != *SIZE* ]]
	grep 'FETCH: .*/Maildir: open a message: Permission denied' "$T/log"
}

@test "a header too long to be kept is told in full" {
	{
		for i in {1..11000}; do
			printf 'X-%0100d: x\n' "$i"
		done
		printf 'Subject: late\n\nbody\n'
	} >"$T/Maildir/new/1000000000.M1P1Q1.test"
	run -0 say 'a SELECT INBOX' \
	    'b FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]' 'c LOGOUT'
	[[ $output == *$'\nSubject: late\n'* ]]
}

@test "a NUL in a message is never sent, and the sizes are true" {
	printf 'Subject: a\0b\n\nc\0d\n' \
	    >"$T/Maildir/new/1000000000.M1P1Q1.test"
	client <<-'END'
	c = imap(T + "/Maildir")
	c.ask("SELECT INBOX")
	got = c.ask("FETCH 1 (RFC822.SIZE BODY.PEEK[])")
	assert "RFC822.SIZE 21 BODY[] {21}" in got[0], got
	assert got[1:4] == ["Subject: a\x80b", "", "c\x80d"], got
	got = c.ask("FETCH 1 BODY.PEEK[HEADER.FIELDS (Subject)]")
	assert got[1] == "Subject: a\x80b", got
	END
}

@test "SIGTERM ends a session with BYE, between two commands" {
	client <<-'END'
	import signal
	for said in (b"", b"a IDLE\r\n"):
	    c = imap(T + "/Maildir")
	    c.send(said)
	    if said:
	        c.until("+ ")
	    c.p.send_signal(signal.SIGTERM)
	    assert c.line().startswith("* BYE "), said
	    assert c.line() is None
	    assert c.p.wait(30) == 0
	# the other side of a pipe
	p = subprocess.Popen(["lemon-imapd", T + "/Maildir"],
	    stdin=subprocess.PIPE, stdout=subprocess.PIPE)
	p.stdout.readline()
	p.send_signal(signal.SIGTERM)
	assert p.stdout.readline().startswith(b"* BYE ")
	assert p.wait(30) == 0
	END
	grep 'why=stopped' "$T/log"
}

@test "who does not log in, and who is idle for too long, is sent away" {
	client <<-'END'
	os.environ["LEMON_LOGINTIMEOUT"] = "1"
	os.environ["LEMON_IMAP_TIMEOUT"] = "1"
	c = imap()
	c.line()
	assert c.line().startswith("* BYE ")
	assert c.p.wait(30) == 0
	for said in (b"", b"a IDLE\r\n"):
	    c = imap(T + "/Maildir")
	    c.send(said)
	    if said:
	        c.until("+ ")
	    assert c.line().startswith("* BYE ")
	    assert c.p.wait(30) == 0
	END
	[ "$(grep -c 'why=timeout' "$T/log")" = 3 ]
}

@test "a search stops when its client is gone" {
	client <<-'END'
	c = imap(T + "/Maildir")
	body = b"Subject: x\r\n\r\n" + (b"n" * 98 + b"\r\n") * 160000
	c.send(b"a APPEND INBOX {%d+}\r\n%s\r\n" % (len(body), body))
	c.until("a OK")
	c.ask("SELECT INBOX")
	for i in range(6):
	    c.ask("COPY 1:* INBOX")
	c.end()
	for patient in (True, False):
	    c = imap(T + "/Maildir")
	    c.ask("SELECT INBOX")
	    c.send(b"b SEARCH BODY nowhere\r\n")
	    if patient:
	        c.until("b OK")
	    c.end()
	END
	run -0 sed -n 's/.* cpu_ms=\([0-9]*\) .*/\1/p' "$T/log"
	[ "${lines[2]}" -lt $((lines[1] / 2)) ]
}

@test "each copy has one UID, whoever looks at the mailbox meanwhile" {
	client <<-'END'
	import threading
	a, b, c = [imap(T + "/Maildir") for i in range(3)]
	a.ask("CREATE Work")
	a.send(b"x APPEND INBOX {14+}\r\nSubject: 1\r\n\r\n\r\n")
	a.until("x OK")
	def copy(s):
	    s.ask("SELECT INBOX")
	    for i in range(60):
	        assert s.ask("COPY 1 Work")[-1].startswith("t OK [COPYUID")
	copiers = [threading.Thread(target=copy, args=(s,)) for s in (a, b)]
	for t in copiers:
	    t.start()
	c.ask("SELECT Work")
	while any(t.is_alive() for t in copiers):
	    c.ask("CHECK")
	    c.ask("UID STORE 1:* +FLAGS.SILENT (\\Seen)")
	assert "* STATUS Work (MESSAGES 120)" in a.ask("STATUS Work (MESSAGES)")
	assert c.ask("UID FETCH 1:* BODY.PEEK[]")[-1].startswith("t OK")
	END
}

@test "mailboxes that were left in a hurry cost few descriptors" {
	mkdir -p "$T/Maildir/.B"/{cur,new,tmp}
	for i in {100..139}; do
		printf 'a\n' >"$T/Maildir/cur/1700000$i.M1P1Q1.test:2,"
		printf 'b\n' >"$T/Maildir/.B/cur/1700000$i.M1P1Q1.test:2,"
	done
	sign=+
	for i in {1..15}; do
		for name in inbox B; do
			printf '%s\r\n' "a select $name" \
			    "a store 1:* ${sign}flags.silent (\Seen)"
		done
		[ "$sign" = + ] && sign=- || sign=+
	done >"$T/many"
	(ulimit -n 64; lemon-imapd "$T/Maildir" <"$T/many" 2>>"$T/log") >"$T/out"
	[ "$(grep -c '^a OK' "$T/out")" = 60 ]
}

@test "a MOVE that dies while the uidlist is written anew loses nothing" {
	strace -o "$T/calls" true || skip "strace may not trace"
	real=$(command -v lemon-imapd)
	mkdir "$T/bin"
	# A sanitizer cannot look for leaks in what is traced.
	export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
	printf '#!/bin/sh\nexec strace -qq -o "$T/calls" %s "%s" "$@"\n' \
	    '-e inject=fdatasync:signal=KILL:when=$N' "$real" \
	    >"$T/bin/lemon-imapd"
	chmod +x "$T/bin/lemon-imapd"
	died=
	for ((N = 1; N < 40; N++)); do
		export N
		rm -rf "$T/Maildir"
		mkdir -p "$T/Maildir/"{,.B/}{cur,new,tmp}
		printf 'a\n' >"$T/Maildir/cur/1700000000.M1P1Q1.test:2,"
		say 'a select inbox' 'a status B (messages)' 'a logout' >/dev/null
		PATH=$T/bin:$PATH client <<-'END' >"$T/out" 2>&1 || :
		c = imap(T + "/Maildir")
		c.send(b"a select inbox\r\n")
		c.until("a ")
		os.unlink(T + "/Maildir/lemon-uidlist")
		c.send(b"b uid move 1 B\r\n")
		print(c.until("b "))
		END
		say 'a select B' 'a select inbox' 'a logout' >/dev/null
		[ "$(find "$T/Maildir" -name '1*' | wc -l)" = 1 ]
		grep -q 'b OK' "$T/out" && break
		died=$N
	done
	[ -n "$died" ]
	[ "$N" -lt 40 ]
}

@test "TLS without a certificate says in the log which file is missing" {
	run -75 --separate-stderr lemon-imapd -s </dev/null
	[ -z "$output" ]
	[[ $stderr == *"no tls.pem"* ]]
	CERTFILE=$T/none run -75 --separate-stderr lemon-imapd -s </dev/null
	[[ $stderr == *"CERTFILE"* ]]
}

@test "a certificate that is none is named in the log" {
	echo junk >"$T/control/tls.pem"
	run --separate-stderr lemon-imapd -s </dev/null
	[ "$status" != 0 ]
	[[ $stderr == *"cannot use $T/control/tls.pem: "* ]]
}

@test "accounts that we may not enter do not count for a Maildir by path, nor behind a chain" {
	ordinary
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$T" || :
	cp "$(command -v lemon-imapd)" "$T"
	mkdir -p "$T/control/users/ruth"
	export USER=ruth
	echo 'INBOX. .' >"$T/control/namespace"
	echo /  >"$T/control/users/ruth/namespace"
	chmod 777 "$T/Maildir"
	# imapd [VARIABLE=VALUE]…
	imapd() {
		printf 'a NAMESPACE\r\nb LOGOUT\r\n' |
		    "${as[@]}" env "$@" "$T/lemon-imapd" "$T/Maildir"
	}
	general='NAMESPACE (("INBOX." "."))'
	for closed in users users/ruth
	do
		chmod 0 "$T/control/$closed"
		run -0 imapd
		[[ $output == *"$general"* ]]
		run -0 imapd AUTHENTICATED=ruth HOME="$T"
		[[ $output == *"$general"* ]]
		chmod 755 "$T/control/$closed"
	done
	run -0 imapd
	[[ $output == *'NAMESPACE (("" "/"))'* ]]
	# Of the file itself it is a mistake still.
	chmod 0 "$T/control/users/ruth/namespace"
	run -75 imapd
	[[ $output == *"$T/control/users/ruth/namespace: Permission denied"* ]]
}

@test "TLS files that we may not read stop the program, each with a line that names it" {
	[ "$(id -u)" = 0 ] || skip "only root has another account to be"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$T"
	mkdir "$T/bin"
	cp "$(command -v lemon-imapd)" "$(command -v lemon-submit)" "$T/bin"
	cp -r "$(dirname "$(command -v lemon-imapd)")/../libexec" "$T"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -days 2 -subj /CN=localhost -keyout "$T/k" -out "$T/c" 2>/dev/null
	cat "$T/k" "$T/c" >"$T/control/tls.pem"
	# as_nobody PROGRAM OPTION…: as a client of 192.0.2.7 finds it
	as_nobody() {
		run -75 --separate-stderr setpriv --reuid=65534 \
		    --regid=65534 --clear-groups env TCPREMOTEIP=192.0.2.7 \
		    PROTO=TCP "$T/bin/$@" </dev/null
	}
	chmod 400 "$T/control/tls.pem"
	for how in lemon-imapd 'lemon-imapd -s' lemon-submit 'lemon-submit -s'
	do
		as_nobody $how
		[[ $stderr == *"$T/control/tls.pem: Permission denied" ]]
	done
	chmod 444 "$T/control/tls.pem"
	openssl rand -hex 80 >"$T/control/tickets"
	chmod 400 "$T/control/tickets"
	as_nobody lemon-imapd -s
	[[ $stderr == *"$T/control/tickets: Permission denied" ]]
	# What is in them is wrong.
	chmod 444 "$T/control/tickets"
	echo junk >"$T/control/tickets"
	as_nobody lemon-imapd -s
	[[ $stderr == *"cannot use $T/control/tickets: the ticket keys cannot be read"* ]]
	rm "$T/control/tickets"
	cp "$T/c" "$T/control/tls.pem"
	as_nobody lemon-imapd -s
	[[ $stderr == *"cannot use $T/control/tls.pem: no private key in it"* ]]
}

@test "URLMECH is told where nobody listens, or the administrator minds not" {
	mkdir -p "$T/control"
	echo "$T/home/%u" >"$T/control/home"
	echo sesame | lemon-user add alice
	mkdir -p "$T/home/alice"
	[ "$(id -u)" != 0 ] || chown nobody:nogroup "$T/home/alice"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$T" || :
	cat >"$T/scram.py" <<-'END'
	import base64, hashlib, hmac, socket, subprocess, sys
	ours, theirs = socket.socketpair()
	p = subprocess.Popen(["env", "PROTO=TCP", "TCPREMOTEIP=127.0.0.1",
	    *sys.argv[1:], "lemon-imapd"], stdin=theirs, stdout=theirs,
	    stderr=subprocess.DEVNULL)
	theirs.close()
	f = ours.makefile("rwb")
	def say(text):
	    f.write(text + b"\r\n")
	    f.flush()
	def until(start):
	    lines = []
	    while not lines or not lines[-1].startswith(start):
	        lines.append(f.readline())
	        assert lines[-1], lines
	    return lines
	mac = lambda key, text: hmac.new(key, text, hashlib.sha256).digest()
	until(b"* OK")
	first = b"n=alice,r=nonce"
	say(b"a AUTHENTICATE SCRAM-SHA-256 " + base64.b64encode(b"n,," + first))
	server = base64.b64decode(until(b"+ ")[-1][2:])
	r, s, i = [w[2:] for w in server.split(b",")[:3]]
	key = hashlib.pbkdf2_hmac("sha256", b"sesame", base64.b64decode(s), int(i))
	client = mac(key, b"Client Key")
	last = b"c=biws,r=" + r
	signed = mac(hashlib.sha256(client).digest(), first + b"," + server +
	    b"," + last)
	proof = bytes(x ^ y for x, y in zip(client, signed))
	say(base64.b64encode(last + b",p=" + base64.b64encode(proof)))
	until(b"+ ")
	say(b"")
	until(b"a OK")
	for c in b"SELECT INBOX", b"RESETKEY INBOX":
	    say(b"a " + c)
	    print(b"".join(until(b"a OK")).count(b"[URLMECH INTERNAL]"))
	say(b"a LOGOUT")
	until(b"a OK")
	END
	[ "$(python3 "$T/scram.py" | tr '\n' ' ')" = "0 0 " ]
	[ "$(python3 "$T/scram.py" LEMON_PLAINTEXT=1 | tr '\n' ' ')" = "1 1 " ]
}

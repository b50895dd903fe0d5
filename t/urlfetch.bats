#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# lemon-urlauth -s: what one user's signed URL gives to another.

bats_require_minimum_version 1.5.0

load room

# Three accounts; of the system's users each home is another's, if we may.
setup_file() {
	umask 022
	cd "$BATS_FILE_TMPDIR"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR"
	export LEMON_CONTROL=$PWD/control D=$PWD
	mkdir -p control home
	echo "$PWD/home/%u" >control/home
	echo example.org >control/locals
	echo mail.example.org >control/me
	while read -r u uid; do
		mkdir -p "control/users/$u" "home/$u"
		printf 'Subject: of %s\n\n%s\n' $u $u >m
		[ "$(id -u)" != 0 ] || chown "$uid:nogroup" "home/$u"
		lemon-deliver $u <m
	done <<-'X'
	alice nobody
	bob daemon
	carol games
	X
}

setup() {
	room
	export LEMON_CONTROL=$BATS_FILE_TMPDIR/control
	SERVED=
	S=$T/socket
}

teardown() {
	[ -z "$SERVED" ] || kill $SERVED 2>/dev/null || :
	rm -f "$LEMON_CONTROL/submitters" "$LEMON_CONTROL/urlfetch-socket" \
	    "$LEMON_CONTROL/timeout"
}

# serve: behind $S; what it says is in log.
serve() {
	unixserver -p 666 -c 20 -- "$S" lemon-urlauth -s 2>log 3>&- &
	SERVED=$!
	until [ -S "$S" ]; do
		kill -0 $SERVED
	done
	echo "$S" >"$LEMON_CONTROL/urlfetch-socket"
}

mint() {
	lemon-urlauth mint -e never -u 1 -p TEXT "$@"
}

# ask <<PYTHON: with r, a connection, and request.
ask() {
	(echo 'import os, subprocess, sys, time'
	echo 'from urlfetch import *'
	echo "S = '$S'; r = Remote(S)"
	cat) >ask.py
	python3 ask.py "$@"
}

imap() {
	local user=$1
	shift
	printf '%s\r\n' "$@" 'z logout' | lemon-imapd $user 2>imap.log
}

# logged TEXT: such a line is in the log, or comes.
logged() {
	local i
	for ((i = 0; i < 500; i++)); do
		! grep -q -- "$1" log || return 0
		sleep 0.02
	done
	cat log
	return 1
}

@test "URLFETCH gives another owner's mail to whom it was signed for" {
	serve
	for a in authuser user+bob user+bob@example.org anonymous; do
		url=$(mint -a $a alice)
		imap bob "a urlfetch \"$url\"" >out
		grep -qx $'alice\r' out || { cat out log imap.log; false; }
	done
	grep -q 'fetched user=bob rip=local owner=alice mailbox=INBOX uid=1 size=7' log
	! grep -q internal log || false
	url=$(mint -a user+bob alice)
	imap carol "a urlfetch \"$url\"" | grep -qF "* URLFETCH \"$url\" NIL"
	logged 'refused user=carol rip=local owner=alice .*why="\?wrong\\x20access'
}

@test "submit+ is for submitters alone" {
	serve
	url=$(mint -a submit+bob alice)
	imap bob "a urlfetch \"$url\"" | grep -qF "\"$url\" NIL"
	logged 'refused user=bob .*why=the\\x20fetcher\\x20is\\x20not\\x20in\\x20submitters'
	echo bob >"$LEMON_CONTROL/submitters"
	imap bob "a urlfetch \"$url\"" | grep -qx $'alice\r'
	ask "$url" <<-'X'
	assert r.ask("bob", sys.argv[1])[0] == b"-"
	assert r.ask("bob", sys.argv[1], "s") == (b"+", b"", b"alice\r\n")
	assert r.ask("", sys.argv[1], "s")[0] == b"-"
	X
}

@test "answers come in the order of requests, for more owners than are kept" {
	serve
	ask "$(mint alice)" "$(mint bob)" "$(mint carol)" <<-'X'
	a, b, c = sys.argv[1:]
	urls = [a, b, c, b, a.replace("alice@", "alice%40example.org@"), a, c, a]
	dead = ["imap://%s@h/INBOX/;UID=1;URLAUTH=anonymous:internal:01%s" % (
	    n, "0" * 64) for n in ("dora", "erin", "frank", "gina")]
	mixed = urls[:4] + dead[:2] + urls[4:] + dead[2:] + urls
	r.send(b"".join(request("bob", u) for u in mixed))
	for u in mixed:
	    want = {"a": b"alice", "b": b"bob", "c": b"carol"}[u[7]] \
	        if u in urls and "%40" not in u else None
	    x = r.answer()
	    assert x[0] == (b"+" if want else b"-"), (u, x)
	    assert not want or x[2] == want + b"\r\n"
	X
}

@test "an unknown user, mailbox, key and token look the same" {
	serve
	lemon-urlauth revoke bob
	url=$(mint alice)
	ask "$url" <<-'X'
	good = sys.argv[1]
	rump, token = good.rsplit(":", 1)
	for u in (rump + ":" + token[:-1] + ("0" if token[-1] != "0" else "1"),
	          good.replace("alice@", "nobody@"),
	          good.replace("alice@", "ALICE@"),
	          good.replace("alice@", "alice+x@"),
	          good.replace("alice@", "..@"), good.replace("alice@", "bob@"),
	          good.replace("/INBOX", "/none"), good.replace("TEXT", "1"),
	          rump, good.replace("alice@", ""), "x", "", "/INBOX/;UID=1"):
	    r.send(request("carol", u) + request("carol", good))
	    assert r.answer() == (b"-", None, None), u
	    assert r.answer()[0] == b"+"
	X
	# Not even where the caller's own key, which is asked then, made the token.
	mint carol >/dev/null
	ask "$D/home/carol/Maildir/lemon-metadata" <<-'X'
	import hashlib, hmac, re
	key = bytes.fromhex(re.search(" ([0-9a-f]{64}) ", open(sys.argv[1]).read())[1])
	for owner, good in (("carol", b"+"), ("nobody", b"-")):
	    rump = "imap://%s@h/INBOX/;UID=1/;SECTION=TEXT;URLAUTH=anonymous" % owner
	    token = hmac.new(b"\1" + key, rump.encode(), hashlib.sha256).hexdigest()
	    x = r.ask("carol", rump + ":internal:01" + token)
	    assert x[0] == good, (owner, x)
	X
	# As many processes, and as many looks at an index.
	for u in "$url" "${url/alice@/nobody@}"; do
		printf '5:carol,0:,%s:%s,' "${#u}" "${u/;UID=1/;UID=2}" >in
		# A sanitizer cannot look for leaks under another tracer.
		ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 \
		    strace -f -qq -o trace -e trace=clone,fork,openat \
		    lemon-urlauth -s <in >out 2>/dev/null
		[ "$(cat out)" = - ]
		echo "$(grep -cE 'fork|clone' trace)" \
		    "$(grep -c 'data.mdb' trace)" \
		    "$(grep -c 'lemon-metadata' trace)"
	done >work
	[ "$(sort -u work | wc -l)" = 1 ] || { cat work; false; }
}

@test "no odd URL, of 200, makes it look for a host" {
	python3 - >in <<-X
	import subprocess, sys
	from urlfetch import *
	for u in subprocess.run([sys.executable, "$BATS_TEST_DIRNAME/odd_urls.py"],
	                        capture_output=True).stdout.splitlines():
	    sys.stdout.buffer.write(request("bob", u))
	X
	ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 \
	    strace -f -qq -e trace=network,execve,openat -o trace \
	    lemon-urlauth -s <in >out 2>/dev/null
	! grep -E 'connect\(|AF_INET|AF_NETLINK|resolv\.conf|/etc/hosts|nsswitch' trace || false
	[ "$(grep -c execve trace)" = 1 ]
	[ "$(tr -d - <out | wc -c)" = 0 ]
	[ "$(stat -c %s out)" -ge 200 ]
}

@test "octets can be had decoded, with their structure" {
	serve
	{ printf '%s\n' 'MIME-Version: 1.0' \
	    'Content-Type: multipart/mixed; boundary=b' '' \
	    --b 'Content-Type: image/png' 'Content-Transfer-Encoding: base64' \
	    '' YQBiCg== --b 'Content-Type: text/plain' \
	    'Content-Transfer-Encoding: x-none' '' z --b--
	} | lemon-deliver alice
	uid=$(lemon-urlauth explain alice /INBOX/\;UID=2 >/dev/null && echo 2)
	ask "$(lemon-urlauth mint -u $uid -p 1 alice)" \
	    "$(lemon-urlauth mint -u $uid -p 2 alice)" <<-'X'
	one, two = sys.argv[1:]
	assert r.ask("bob", one) == (b"+", b"", b"YQBiCg==")
	assert r.ask("bob", one, "b") == (b"*", b"", b"a\0b\n")
	a, s, o = r.ask("bob", one, "bt")
	assert a == b"*" and s.startswith(b'("IMAGE" "PNG"') or \
	    s.lower().startswith(b'("image" "png"'), s
	assert b'"binary"' in s.lower() and s.endswith(b" 4)"), s
	assert r.ask("bob", two, "b") == (b"?", b"", None)
	a, s, o = r.ask("bob", two, "t")
	assert a == b"+" and b"x-none" in s.lower() and o == b"z"
	X
	imap bob "a urlfetch (\"$(lemon-urlauth mint -u $uid -p 1 alice)\" BINARY)" |
	    grep -qa '(BINARY ~{4}'
}

@test "a token of a mailbox that was made anew, or is gone, is good for nothing" {
	serve
	imap alice 'a create Box' 'b select inbox' 'c copy 1 Box' >/dev/null
	url=$(mint -m Box alice)
	short=$(mint -a authuser alice "imap://alice@h/Box/;UID=1" 2>/dev/null ||
	    lemon-urlauth mint -a authuser alice "imap://alice@h/Box/;UID=1")
	check() {
		ask "$url" "$short" <<-X
		for u in sys.argv[1:]:
		    x = r.ask("bob", u)
		    assert x[0] == b"$1", (u, x)
		X
	}
	check +
	imap alice 'a delete Box' >/dev/null
	check -
	imap alice 'a create Box' 'b select inbox' 'c copy 1 Box' >/dev/null
	check -
	imap alice 'a delete Box' >/dev/null
}

@test "while a connection stays, what is revoked or expunged is refused" {
	serve
	imap alice 'a create Two' 'b select inbox' 'c copy 1 Two' >/dev/null
	ask "$(mint -m Two alice)" <<-'X'
	u = sys.argv[1]
	for act in ("revoke -m Two", "revoke"):
	    assert r.ask("bob", u)[0] == b"+"
	    subprocess.run("lemon-urlauth %s alice" % act, shell=True, check=True)
	    assert r.ask("bob", u)[0] == b"-"
	    u = subprocess.run("lemon-urlauth mint -u 1 -m Two alice", shell=True,
	                       check=True, capture_output=True, text=True).stdout.strip()
	assert r.ask("bob", u)[0] == b"+"
	subprocess.run(["lemon-imapd", "alice"], check=True, input=
	    b"a select Two\r\nb store 1 +flags (\\deleted)\r\nc expunge\r\nd logout\r\n",
	    capture_output=True)
	assert r.ask("bob", u)[0] == b"-"
	X
}

@test "whose mail it is, is a process of its own that reaches nothing else" {
	[ "$(id -u)" = 0 ] || skip "becoming the owner takes root"
	! ldd "$(command -v lemon-urlauth)" | grep -q asan ||
	    skip "a sanitizer is not confined"
	serve
	ask "$(mint alice)" "$(mint carol)" "$S" <<-'X'
	import pwd
	for u in sys.argv[1:3]:
	    assert r.ask("bob", u)[0] == b"+"
	found = {}
	for p in os.listdir("/proc"):
	    try:
	        line = open("/proc/%s/cmdline" % p).read().split("\0")
	        here = os.readlink("/proc/%s/cwd" % p) == os.getcwd()
	        status = dict(l.split(":\t", 1) for l in
	                      open("/proc/%s/status" % p).read().splitlines()
	                      if ":\t" in l)
	    except (OSError, ValueError):
	        continue
	    if not here or not line[0].endswith("lemon-urlauth"):
	        continue
	    uid = status["Uid"].split()[0]
	    found[uid] = status
	    if uid == "0":
	        continue
	    assert status["NoNewPrivs"] == "1", status
	    assert status["Seccomp"] == "2"
	    assert int(status["CapEff"], 16) == 0
	    assert status["Groups"].strip() == ""
	    # Nothing but the pair, the log and the owner's files.
	    for fd in os.listdir("/proc/%s/fd" % p):
	        to = os.readlink("/proc/%s/fd/%s" % (p, fd))
	        who = "alice" if uid == str(pwd.getpwnam("nobody").pw_uid) else "carol"
	        assert to.startswith("socket:") and fd in "01" or fd == "2" or \
	            "/home/%s/" % who in to, (fd, to)
	want = {"0"} | {str(pwd.getpwnam(n).pw_uid) for n in ("nobody", "games")}
	assert set(found) == want, found.keys()
	X
}

@test "an owner's process knows nothing of what others were asked" {
	[ "$(id -u)" = 0 ] || skip "only root may look"
	! ldd "$(command -v lemon-urlauth)" | grep -q asan ||
	    skip "a sanitizer keeps what was freed"
	serve
	ask "$(mint alice)" "$(mint carol)" <<-'X'
	import pwd, re
	alice, carol = sys.argv[1:]
	uid = str(pwd.getpwnam("games").pw_uid)
	def keeper():
	    for p in os.listdir("/proc"):
	        try:
	            if os.readlink("/proc/%s/cwd" % p) == os.getcwd() and \
	                    "Uid:\t" + uid in open("/proc/%s/status" % p).read():
	                return p
	        except OSError:
	            pass
	r.send(request("bob", alice) + request("bob", carol) +
	       request("bob", alice))
	for want in (b"alice", b"carol", b"alice"):
	    assert r.answer()[2] == want + b"\r\n"
	pid, read = keeper(), 0
	with open("/proc/%s/maps" % pid) as maps, \
	        open("/proc/%s/mem" % pid, "rb", 0) as mem:
	    for l in maps:
	        m = re.match(r"(\w+)-(\w+) rw", l)
	        if m:
	            a, b = int(m[1], 16), int(m[2], 16)
	            mem.seek(a)
	            octets = mem.read(b - a)
	            assert alice[-66:].encode() not in octets, l
	            read += carol[-66:].encode() in octets
	assert read > 0, "nothing was looked at"
	X
}

@test "who is another user of the system speaks for himself alone" {
	[ "$(id -u)" = 0 ] || skip "being others takes root"
	serve
	chmod 755 "$T"
	printf 'bob\ncarol\n' >"$LEMON_CONTROL/submitters"
	cat >other.py <<-'X'
	import os, sys
	from urlfetch import *
	os.setgid(65534); os.setuid(int(sys.argv[1]))
	def verdict(caller, url, flags=""):
	    return Remote(sys.argv[2]).ask(caller, url, flags)[0].decode()
	anyone, user, bob, submit = sys.argv[3:]
	print("".join([verdict("bob", user), verdict("carol", user),
	    verdict("bob", bob), verdict("carol", bob),
	    verdict("", anyone), verdict("", user),
	    verdict("bob", submit, "s"), verdict("carol", submit, "s"),
	    verdict("nobody", user), verdict("bob@example.org", user)]))
	X
	set -- "$S" "$(mint alice)" "$(mint -a authuser alice)" \
	    "$(mint -a user+bob alice)" "$(mint -a submit+bob alice)"
	# bob, carol, a stranger, root
	[ "$(python3 other.py "$(id -u daemon)" "$@")" = "+-+-+-+---" ]
	[ "$(python3 other.py "$(id -u games)" "$@")" = "-+--+--+--" ]
	[ "$(python3 other.py "$(id -u man)" "$@")" = "----+-----" ]
	[ "$(python3 other.py 0 "$@")" = "+++-+-++++" ]
	echo carol >"$LEMON_CONTROL/submitters"
	[ "$(python3 other.py "$(id -u daemon)" "$@")" = "+-+-+-----" ]
	grep -q 'why=the\\x20caller\\x20is\\x20somebody\\x20else' log
}

@test "what is no request ends the connection, and takes no memory" {
	serve
	ask <<-'X'
	bad = [b"x", b"01:a,0:,1:x,", b"3:bob;0:,1:x,", b"65:" + b"a" * 65 + b",",
	    b"99999999999999999999999:", b"-1:,", b"0:,1:x,1:x,", b"0:,2:bs,1:x,",
	    b"0:,2:ss,1:x,", b"0:,9:sbtsbtsbt,1:x,", b"0:,0:,8193:", b":", b"\0" * 100,
	    b"0:,0:,4:x", b"0:,0:,1:xx"]
	for b in bad:
	    r = Remote(S)
	    r.send(b)
	    r.s.shutdown(socket.SHUT_WR)
	    assert r.answer()[0] == b"", b
	r = Remote(S)
	r.send(request("bob", "y" * 8192))
	assert r.answer()[0] == b"-"
	X
	logged 'bye user=- rip=local why=protocol'
}

@test "a client that is silent, or does not finish, is dropped" {
	echo 1 >"$LEMON_CONTROL/timeout"
	serve
	ask <<-'X'
	assert r.answer()[0] == b""
	X
	logged 'why=timeout requests=0'
}

@test "a big part streams: no more memory than for a small one" {
	serve
	{ printf 'Subject: big\n\n'; head -c 15000000 /dev/urandom | base64; } \
	    >big
	lemon-deliver carol <big
	small=$(mint carol)
	big=$(lemon-urlauth mint -u 2 -p TEXT carol)
	for u in "$small" "$big"; do
		printf '3:bob,0:,%s:%s,' "${#u}" "$u" >in
		python3 - <<-'X' >>sizes
		import os, subprocess
		p = subprocess.Popen(["lemon-urlauth", "-s"], stdin=open("in"),
		    stdout=open("out", "w"), stderr=subprocess.DEVNULL)
		print(os.wait4(p.pid, 0)[2].ru_maxrss)
		X
	done
	tail -c 1 out | grep -q ,
	[ "$(stat -c %s out)" -gt 20000000 ]
	{ read -r a; read -r b; } <sizes
	[ $((b - a)) -lt 4096 ] || { cat sizes; false; }
}

@test "mail that cannot be opened now is told so, and others go on" {
	[ "$(id -u)" = 0 ] || skip "taking rights away takes root"
	serve
	alice=$(mint alice) bob=$(mint bob)
	mv "$D/home/alice/Maildir/lemon-metadata" keys
	mkdir "$D/home/alice/Maildir/lemon-metadata"
	ask "$alice" "$bob" <<-'X' || code=$?
	assert r.ask("carol", sys.argv[1])[0] == b"~"
	assert r.ask("carol", sys.argv[2])[0] == b"+"
	assert r.ask("carol", sys.argv[1])[0] == b"~"
	X
	rmdir "$D/home/alice/Maildir/lemon-metadata"
	mv keys "$D/home/alice/Maildir/lemon-metadata"
	[ "${code:-0}" = 0 ]
	imap bob "a urlfetch \"$alice\"" | grep -qx $'alice\r'
}

@test "a keeper that dies is told as later, and is started anew" {
	serve
	ask "$(mint alice)" <<-'X'
	import signal
	u = sys.argv[1]
	assert r.ask("bob", u)[0] == b"+"
	kids = []
	for p in os.listdir("/proc"):
	    try:
	        here = os.readlink("/proc/%s/cwd" % p) == os.getcwd()
	        if here and open("/proc/%s/cmdline" % p).read().startswith(
	           "lemon-urlauth"):
	            kids += open("/proc/%s/task/%s/children" % (p, p)).read().split()
	    except OSError:
	        pass    # gone, or another's
	assert len(kids) == 1, kids
	os.kill(int(kids[0]), signal.SIGKILL)
	a = r.ask("bob", u)
	assert a[0] == b"~", a
	assert r.ask("bob", u)[0] == b"+"
	X
}

@test "a socket with nobody behind it is tried once in a URLFETCH" {
	local u="imap://alice@h/INBOX/;UID=1"
	u="$u;URLAUTH=anonymous:internal:$(printf '0%.0s' {1..66})"
	mkfifo up
	python3 - "$S" >up 2>&1 3>&- <<-'X' &
	import os, socket, sys
	s = socket.socket(socket.AF_UNIX)
	s.bind(sys.argv[1])
	os.chmod(sys.argv[1], 0o666)
	s.listen()
	print(flush=True)
	while True:
	    s.accept()[0].close()
	    open("tried", "a").write("x")
	X
	SERVED=$!
	read -r <up
	echo "$S" >"$LEMON_CONTROL/urlfetch-socket"
	imap bob "a urlfetch $u $u $u" "b urlfetch $u" >out
	[ "$(grep -o ' NIL' out | wc -l)" = 4 ]
	grep -q '^a NO \[UNAVAILABLE\]' out
	grep -q '^b NO \[UNAVAILABLE\]' out
	until [ -s tried ]; do
		kill -0 $SERVED
	done
	[ "$(wc -c <tried)" -le 2 ]
}

@test "over the network there is nothing" {
	run --separate-stderr env PROTO=TCP TCPREMOTEIP=127.0.0.1 \
	    lemon-urlauth -s </dev/null
	[ "$status" = 75 ]
	[ -z "$output" ]
	[[ $stderr = *"only a UNIX socket is safe here" ]]
}

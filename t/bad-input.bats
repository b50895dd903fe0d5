#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Input that no honest client sends and mail that no honest sender made.  Bad
# commands are in t/talk/imapd/bad.talk, bad names in create.talk, octets
# behind STARTTLS in starttls.talk and lemon-submit.bats, full disks in
# promises.bats.

bats_require_minimum_version 1.5.0

load room

setup() {
	room
}

# alice <<PYTHON: client, where M is alice's Maildir, and lmtp() a process that
# has it
alice() {
	mkdir -p control
	echo "$T/home/%u" >control/home
	echo example.org >control/locals
	echo pass | lemon-user add alice 2>/dev/null
	PRELUDE=$(cat <<-'X'
	M = T + "/home/alice/Maildir"
	for d in ("cur", "new", "tmp"):
	    os.makedirs(M + "/" + d)
	give(T + "/home")
	def lmtp(**how):
	    return subprocess.Popen(["lemon-deliver", "-l"],
	        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
	        stderr=subprocess.DEVNULL, **how)
	BEGIN = b"LHLO x\r\nMAIL FROM:<>%s\r\nRCPT TO:<alice>\r\n"
	def deliver(text):
	    p = lmtp()
	    out = p.communicate(BEGIN % b"" + b"BDAT %d LAST\r\n%s" % (
	        len(text), text) + b"QUIT\r\n")[0]
	    assert out.count(b"\r\n250 2.") + out.startswith(b"250 2.") >= 3, out
	X
	) client
}

# unprivileged [VARIABLE=VALUE]… <<PYTHON: with imap_client.py, by an account
# that permissions keep out
unprivileged() {
	ordinary
	[ "$(id -u)" != 0 ] || chown nobody .
	# Where that account may enter, whatever the checkout is below.
	cp "$BATS_TEST_DIRNAME/imap_client.py" .
	mkdir -p bin
	cp "$(command -v lemon-imapd)" bin
	cat >unprivileged.py
	"${as[@]}" env PATH="$PWD/bin:$PATH" PYTHONPATH=. "$@" \
	    python3 unprivileged.py
}

@test "a message of 4 GiB announced is refused before it comes" {
	alice <<-'END'
	s = Imap(M)
	for n in (1 << 32, 1 << 62):
	    said = s.ask(b"APPEND INBOX {%d}" % n)
	    assert re.match(rb"t (NO|BAD) ", said[-1]), said
	    said = s.ask(b"APPEND INBOX {3+}\r\na:b {%d}" % n)
	    assert re.match(rb"t (NO|BAD) ", said[-1]), said
	    said = lmtp().communicate(b"LHLO x\r\nMAIL FROM:<> SIZE=%d\r\n"
	        b"QUIT\r\n" % n)[0]
	    assert b"\r\n552 5.3.4 " in said or b"\r\n501 5." in said, said
	assert not Box(s, "INBOX").msgs
	s.ok("LOGOUT")
	# What RFC 3501 can still count is the administrator's to bound; no
	# room is made for it before it comes.
	s = Imap(M)
	s.send(b"t APPEND INBOX {4294967295}\r\n")
	assert s.response().startswith(b"+ ")
	s.send(b"x" * 70000)
	assert s.end() == 0
	s = Imap(M, ["env", "LEMON_DATABYTES=1000"])
	assert s.ask("APPEND INBOX {4294967295}")[-1].startswith(
	    b"t NO [TOOBIG]")
	# What comes unasked cannot be read past; the rest is no command.
	for n in (1 << 32, 1 << 62):
	    s = Imap(M)
	    s.send(b"a APPEND INBOX {%d+}\r\nb CREATE evil\r\n" % n)
	    try:
	        said = s.until(b"a ")
	        assert re.match(rb"a (NO|BAD) ", said[-1]), said
	        s.sock.shutdown(1)
	        while True:
	            assert not s.response().startswith(b"b ")
	    except (Gone, ConnectionError):
	        pass
	    p = lmtp()
	    out = p.communicate(BEGIN % b"" + b"BDAT %d LAST\r\n" % n +
	        b"MAIL FROM:<>\r\n" * 5)[0]
	    said = out.split(b"\r\n250 2.1.5 ")[1].split(b"\r\n", 1)[1]
	    assert not re.search(rb"^[23]", said, re.M), out
	    assert not os.listdir(M + "/tmp"), n
	assert list(look(M)) == ["INBOX"] and not look(M)["INBOX"].msgs
	END
}

@test "a client that vanishes in a message leaves nothing, over LMTP too" {
	alice <<-'END'
	text = b"Subject: half\r\n\r\n" + b"x\r\n" * 30000
	for begin in (b"DATA\r\n" + text, b"BDAT 500000\r\n" + text,
	        b"DATA\r\n" + text + b".", b"DATA\r\n" + text + b".\r",
	        b"BDAT 3\r\na:b", b"BDAT 3\r\na:bBDAT 9 LAST\r\nx"):
	    out = lmtp().communicate(BEGIN % b"" + begin)[0]
	    assert b"250 2.0.0" not in out.split(b"2.1.5 ")[1].split(
	        b"a:b")[0] or begin.startswith(b"BDAT 3"), (begin[-9:], out)
	    assert not os.listdir(M + "/tmp") and not os.listdir(M + "/new")
	s = Imap(M)
	for begin in (b"a APPEND INBOX {500000+}\r\n" + text,
	        b"a APPEND INBOX {3+}\r\na:b {900+}\r\n" + text[:800],
	        b"a APPEND INBOX {3+}\r\na:b"):
	    c = Imap(M)
	    c.send(begin)
	    assert c.end() == 0
	    assert not os.listdir(M + "/tmp"), begin[:30]
	assert not Box(s, "INBOX").msgs
	END
}

@test "100 levels of MIME, and 5,000, are stored and shown" {
	alice <<-'END'
	def nested(levels, kind):
	    if kind == "message":
	        head = b"Content-Type: message/rfc822\r\n\r\n"
	        return head * levels + b"Subject: inmost\r\n\r\nfound\r\n"
	    text = b""
	    for i in range(levels):
	        text += (b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n"
	            b"--b%d\r\n" % (i, i))
	    text += b"\r\nfound\r\n"
	    for i in reversed(range(levels)):
	        text += b"--b%d--\r\n" % i
	    return text
	for kind in ("multipart", "message"):
	    for levels in (99, 100, 101, 5000):
	        text = b"Subject: %d\r\n" % levels + nested(levels, kind)
	        deliver(text)
	        s = Imap(M)
	        n = Box(s, "INBOX").exists
	        said = b"".join(s.ok("FETCH %d (BODYSTRUCTURE ENVELOPE)" % n))
	        assert said.count(b"(") >= min(levels, 90), (kind, levels)
	        assert said.count(b"(") < 100 * 40, (kind, levels)
	        said = b"".join(s.ok("FETCH %d BODY.PEEK[]" % n))
	        assert text in said, (kind, levels)
	        part = ".".join(["1"] * min(levels, 90))
	        said = b"".join(s.ok("FETCH %d BODY.PEEK[%s]" % (n, part)))
	        assert b"found" in said, (kind, levels, said[:300])
	        assert s.ask("FETCH %d BODY.PEEK[%s]" % (n,
	            ".".join(["1"] * 2000)))[-1][:4] in (b"t OK", b"t BA", b"t NO")
	        assert b" %d" % n in b"".join(s.ok("SEARCH TEXT found"))
	        s.ok("LOGOUT")
	        assert s.end() == 0
	END
}

@test "a header of 1 MB, in one field or in many, is stored and shown" {
	alice <<-'END'
	M1 = 1 << 20
	addr = b", ".join(b"a%d@example.org" % i for i in range(50000))
	fold = lambda t: re.sub(rb"(.{1,900}[, ])", rb"\1\r\n ", t)
	headers = [
	    b"Subject: " + b"x" * M1, b"Subject: " + fold(b"word " * (M1 // 5)),
	    b"To: " + fold(addr), b"To: " + addr,
	    b"\r\n".join(b"X-Field-%d: x" % i for i in range(60000)),
	    b"Content-Type: text/plain; " + b"; ".join(
	        b"p%d=v" % i for i in range(100000)),
	    b"Content-Type: multipart/mixed; boundary=" + b"b" * M1,
	    b"To: " + b"(" * M1, b"Subject: " + b"=?" * (M1 // 2),
	    b"From: " + b"\\" * M1, b"References: " + fold(
	        b" ".join(b"<%d@x>" % i for i in range(90000)))]
	for i, header in enumerate(headers):
	    text = b"X-First: 1\r\n" + header + b"\r\nX-Last: 2\r\n\r\nbody\r\n"
	    deliver(text)
	    s = Imap(M)
	    s.ok("SELECT INBOX")
	    said = b"".join(s.ok("FETCH %d (ENVELOPE BODYSTRUCTURE)" % (i + 1)))
	    assert len(said) < 4 * len(text), (i, len(said))
	    said = b"".join(s.ok("FETCH %d BODY.PEEK[]" % (i + 1)))
	    assert text in said, i
	    said = b"".join(s.ok(
	        "FETCH %d BODY.PEEK[HEADER.FIELDS (X-LAST)]" % (i + 1)))
	    assert b"X-Last: 2" in said, i
	    s.ok('SEARCH OR SUBJECT "nowhere" TO "nobody"')
	    peak = int(re.search(r"VmHWM:\s+(\d+)",
	        open("/proc/%d/status" % s.proc.pid).read())[1])
	    assert peak < 64 * 1024 or "SAN" in os.environ.get(
	        "ASAN_OPTIONS", "") or "-asan" in os.environ.get(
	        "LEMON_BUILD", ""), (i, peak)
	    s.ok("LOGOUT")
	    assert s.end() == 0
	END
}

@test "NUL in commands, addresses and messages harms nobody" {
	alice <<-'END'
	text = b"Subject: a\0b\r\n\r\nc\0d\r\n"
	s = Imap(M)
	said = s.append("INBOX", text)
	assert said[-1].startswith(b"t BAD") or said[-1].startswith(b"t NO"), said
	out = lmtp().communicate(b"LHLO x\r\nNO\0OP\r\nMAIL FROM:<a\0b@x>\r\n"
	    b"MAIL FROM:<>\r\nRCPT TO:<alice\0>\r\nRCPT TO:<ali\0ce>\r\n"
	    b"RCPT TO:<alice>\r\nDATA\r\n" + text + b".\r\nQUIT\r\n")[0]
	got = [l[:3] for l in out.split(b"\r\n") if l and l[3:4] == b" "]
	# the greeting, LHLO, two refused, MAIL, two refused, RCPT, 354
	assert got[1] == b"250" and got[2][:1] == got[3][:1] == b"5", out
	assert got[4] == b"250" and got[5][:1] == got[6][:1] == b"5", out
	assert got[7] == b"250" and got[8] == b"354", out
	box = Box(s, "INBOX")
	if got[9] == b"250":
	    # IMAP has no NUL (RFC 3501 9, CHAR8); the file has what came.
	    (flags, kept), = box.msgs.values()
	    assert b"\0" not in kept, kept
	    assert kept.replace(b"\x80", b"\0").endswith(text), kept
	    name, = os.listdir(M + "/new")
	    kept = open(M + "/new/" + name, "rb").read()
	    assert kept.endswith(text), kept
	else:
	    assert got[9][:1] == b"5" and not box.msgs, out
	END
}

@test "what cannot be read in a Maildir is a NO, and the rest is served" {
	unprivileged <<-'END'
	import os, shutil
	from imap_client import *
	M = os.getcwd() + "/Maildir"
	s = Imap(M)
	for box in ("Dir", "Cur", "List", "File", "Fine"):
	    s.ok("CREATE " + box)
	    s.append(box, "Subject: in %s\r\n\r\n" % box)
	s.ok("LOGOUT")
	paths = [M + p for p in ("/.Dir", "/.Cur/cur", "/.List/lemon-uidlist")]
	paths.append(M + "/.File/cur/" + os.listdir(M + "/.File/cur")[0])
	for index in ("kept", "lost"):
	    for p in paths:
	        os.chmod(p, 0)
	    if index == "lost":
	        shutil.rmtree(M + "/.lemon")
	    s = Imap(M)
	    assert b"Fine" in b"".join(s.ok('LIST "" *'))
	    for box in ("Dir", "Cur", "List", "File"):
	        said = s.ask("SELECT " + box)
	        assert said[-1][:4] in (b"t OK", b"t NO"), (index, box, said)
	        if said[-1].startswith(b"t OK"):
	            s.ask("FETCH 1:* BODY.PEEK[]")
	            s.ask("CHECK")
	        assert s.ask("APPEND %s {3+}\r\na:b" % box)[-1][:4] in (
	            b"t OK", b"t NO"), (index, box)
	    assert Box(s, "Fine").texts() == [b"Subject: in Fine\r\n\r\n"]
	    s.ok("LOGOUT")
	    assert s.end() == 0
	    for p in paths:
	        os.chmod(p, 0o700)
	    now = look(M)
	    for box in ("Dir", "Cur", "List", "File", "Fine"):
	        assert b"Subject: in %s\r\n\r\n" % box.encode() in \
	            now[box].texts(), (index, box, now[box].msgs)
	END
}

@test "a signed URL gives what its owner may read now" {
	# Both, or it looks like a login chain.
	unprivileged USER=alice LOGNAME=alice <<-'END'
	import os, re
	from imap_client import *
	M = os.getcwd() + "/Maildir"
	s = Imap(M)
	s.ok("CREATE box")
	s.append("box", "Subject: in it\r\n\r\n")
	rump = "imap://alice@h/box/;UID=1;URLAUTH=authuser"
	url = re.search(b'"(.*)"', s.ok("GENURLAUTH %s INTERNAL" % rump)[0])[1]
	for session in "same", "new":
	    assert b"in it" in s.ok(b"URLFETCH " + url)[0], session
	    os.chmod(M + "/.box", 0)
	    said = s.ask(b"URLFETCH " + url)
	    assert said[0] == b'* URLFETCH "%s" NIL' % url, (session, said)
	    assert said[-1].startswith(b"t OK"), (session, said)
	    said = s.ask("GENURLAUTH %s INTERNAL" % rump)
	    assert said == [b"t BAD No such mailbox."], (session, said)
	    os.chmod(M + "/.box", 0o700)
	    assert b"in it" in s.ok(b"URLFETCH " + url)[0], session
	    s.ok("LOGOUT")
	    s = Imap(M)
	END
}

@test "IDLE hears a delivery by the bell alone, without inotify or a poll" {
	unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_inotify_instances' ||
	    skip "no user namespaces here"
	mkdir -p Maildir/{cur,new,tmp}
	cat >client.py <<-'END'
	import os, subprocess
	from imap_client import *
	M = os.environ["T"] + "/Maildir"
	s = Imap(M, ["unshare", "-Ur", "sh", "-c",
	    'echo 0 >/proc/sys/user/max_inotify_instances; exec "$@"', "sh"])
	s.ok("SELECT INBOX")
	s.send(b"i IDLE\r\n")
	s.until(b"+ ")
	fds = "/proc/%d/fd/" % s.proc.pid
	assert not any("inotify" in os.readlink(fds + f) for f in os.listdir(fds))
	s.sock.settimeout(20)       # the poll would come after 30 s
	for i in (1, 2):
	    subprocess.run(["lemon-deliver", M], input=b"Subject: 1\n\n",
	        check=True)
	    s.until(b"* %d EXISTS" % i)
	s.send(b"DONE\r\n")
	assert s.until(b"i ")[-1].startswith(b"i OK")
	END
	python3 client.py
}

@test "who ends lines in LF alone is told so" {
	mkdir -p control
	echo example.org >control/locals
	for p in "lemon-deliver -l" lemon-submit lemon-imapd; do
		run -0 --separate-stderr sh -c "printf 'a NOOP\n' | $p"
		[[ $output = *"Lines end in CR LF"* ]]
	done
}

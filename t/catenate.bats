#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# CATENATE (RFC 4469) beyond its transcript, t/talk/imapd/catenate.talk: what
# clients send that is wrong, too much, or somebody else's.

load room

setup() {
	room
	mkdir -p control Maildir/{cur,new,tmp}
	export PRELUDE='
def messages(*texts):
    s = Imap(M)
    for t in texts:
        assert b"OK" in s.append("INBOX", t)[-1]
    return s
def tmp():
    return [f for d, _, fs in os.walk(M) for f in fs if d.endswith("/tmp")]
def part(url):
    return b"URL \"" + url.encode() + b"\""
def text(t, sync=b"+"):
    return b"TEXT {%d%s}\r\n%s" % (len(t), sync, t)
def catenate(*parts, box=b"INBOX"):
    return b"APPEND " + box + b" CATENATE (" + b" ".join(parts) + b")"
'
}

@test "messages put together from their parts are the messages" {
	client <<-'END'
	top = os.environ["PYTHONPATH"] + "/data/mail"
	files = sorted(os.path.join(d, f) for d, _, fs in os.walk(top)
	    for f in fs if f not in ("SOURCE", "README"))
	for i, f in enumerate(files):
	    shutil.copyfile(f, "%s/new/%d.M1P1Q1.x" % (M, 1000000000 + i))
	s = Imap(M)
	n = len(files)
	s.ok("SELECT INBOX")
	s.ok("CREATE there")
	# One of them is empty, and none can be made.
	some = [u for u in range(1, n + 1, 3) if os.path.getsize(files[u - 1])]
	for i in range(0, len(some), 100):
	    s.ok(b"APPEND there" + b"".join(
	        b" CATENATE (URL /INBOX/;UID=%d/;SECTION=HEADER "
	        b"URL ;UID=%d/;SECTION=TEXT/;PARTIAL=0.99 "
	        b"URL ;UID=%d/;SECTION=TEXT/;PARTIAL=99)" % (u, u, u)
	        for u in some[i:i + 100]))
	def said(box, uids):
	    s.ok("SELECT " + box)
	    return [s.ok("FETCH %d (BODYSTRUCTURE BINARY.PEEK[])" % u)[0].split(
	        b" ", 2)[2] for u in uids]
	for f, a, b in zip(files, said("INBOX", some),
	                   said("there", range(1, len(some) + 1))):
	    # What is declared binary is base64 now.
	    assert a == b or b"binary" in a.lower(), (f, a, b)
	s.ok("SELECT INBOX")
	assert s.ok("SEARCH SEEN")[0] == b"* SEARCH"
	END
}

@test "whatever is wrong, the next command is the next command" {
	client <<-'END'
	s = messages(b"A: b\r\n\r\nc\r\n")
	s.ok("SELECT INBOX")
	good, evil = part(";UID=1"), text(b"x NOOP\r\nx LOGOUT\r\n")
	mistakes = [
	    (b"NO [BADURL", [part(";UID=2")]),
	    (b"NO [BADURL", [part("/none/;UID=1")]),
	    (b"NO [BADURL", [part(";UID=1/;SECTION=7")]),
	    (b"NO [BADURL", [part("imap://h/INBOX/;UID=1")]),
	    (b"NO [BADURL", [part("//h/INBOX/;UID=1")]),
	    (b"NO [BADURL", [part("/INBOX")]),
	    (b"NO That URL", [part("")]),
	    (b"NO [BADURL", [part("/INBOX;UIDVALIDITY=1/;UID=1")]),
	    (b"NO [BADURL", [part("/INBOX/;UID=1;EXPIRE=2099-01-01T00:00:00Z"
	                          ";URLAUTH=anonymous")]),
	    (b"NO [BADURL", [part(";UID=1/;SECTION=]")]),
	    (b"BAD", [b"URL ("]), (b"BAD", [b"TEXT"]), (b"BAD", [b"FILE x"]),
	    (b"BAD", [b"TEXT \"x\""]), (b"BAD", [b""]), (b"BAD", [b"("]),
	    (b"BAD", [b"TEXT {1+}\r\n\0"]), (b"BAD", [b"URL {2+}\r\n;\0"]),
	    (b"BAD", [good + b")"]), (b"BAD", [good + good]),
	    (b"NO [LIMIT]", [text(b"x")] * 1001),
	    (b"NO", [text(b"")]),
	]
	n = 0
	for code, wrong in mistakes:
	    for before in [[], [good], [evil], [evil, good]]:
	        if wrong == [text(b"")] and before + after:
	            continue
	        for after in [[], [evil], [good, evil, evil, good]]:
	            n += 1
	            s.send(b"w%d %s\r\nn%d NOOP\r\n" % (
	                n, catenate(*before, *wrong, *after), n))
	            said = s.until(b"n%d " % n)
	            assert said[0].startswith(b"w%d %s" % (n, code)), (wrong, said)
	            assert said[1:] == [b"n%d OK Done." % n], (wrong, said)
	s.send(b"a " + catenate(good, b"TEXT {4294967295}\r\nb NOOP")[:-1] + b"\r\n")
	assert s.response().startswith(b"a NO [TOOBIG]")
	assert s.response().startswith(b"b OK")
	# A target that is not there is said first (TRYCREATE), and the URL
	# that comes first is the one that is named.
	s.send(b"a " + catenate(part(";UID=9"), evil, box=b"none") + b"\r\n")
	assert s.response().startswith(b"a NO [TRYCREATE]")
	s.send(b"b " + catenate(part(";UID=8"), evil, part(";UID=9")) + b"\r\n")
	assert s.response().startswith(b"b NO [BADURL ;UID=8] ")
	assert s.ok("STATUS INBOX (MESSAGES UIDNEXT)")[0].endswith(
	    b"(MESSAGES 1 UIDNEXT 2)")
	assert not tmp()
	END
}

@test "a text that waits is not asked for after a URL that is none" {
	client <<-'END'
	s = messages(b"A: b\r\n\r\nc\r\n")
	s.send(b"a APPEND INBOX CATENATE (TEXT {1}\r\n")
	assert s.response().startswith(b"+ ")
	s.send(b"x URL \"/INBOX/;UID=5\" TEXT {9}\r\n")
	assert s.response().startswith(b"a NO [BADURL /INBOX/;UID=5] ")
	s.send(b"b NOOP\r\n")
	assert s.response().startswith(b"b OK ")
	END
}

@test "without a mailbox selected a URL names its own" {
	client <<-'END'
	s = messages(b"A: b\r\n\r\nc\r\n")
	said = s.ask(catenate(part(";UID=1")))
	assert said == [b"t NO [BADURL ;UID=1] That URL names no octets here."]
	s.ok(catenate(part("/INBOX/;UID=1")))
	END
}

@test "what a URL is named by cannot end the code it stands in" {
	client <<-'END'
	s = messages(b"A: b\r\n\r\nc\r\n")
	s.send(b"a APPEND INBOX CATENATE (URL {15+}\r\n/x] y\\\r\nb\tc\xff\x01"
	       b"\x7f\" URL \"\")\r\n")
	assert s.response().startswith(
	    b"a NO [BADURL /x%5D%20y%5C%0D%0Ab%09c%FF%01%7F\"] "), s.held
	s.send(b"a " + catenate(b"URL {60000+}\r\n" + b"x" * 60000) + b"\r\n")
	assert len(s.response()) < 9000
	END
}

@test "no URL leads to another user's mail" {
	client <<-'END'
	for who in "alice", "bob":
	    for d in "cur", "new", "tmp":
	        os.makedirs(T + "/home/%s/Maildir/%s" % (who, d))
	give(T + "/home")
	bob, alice = [Imap(T + "/home/%s/Maildir" % who)
	              for who in ("bob", "alice")]
	for s in bob, alice:
	    assert b"OK" in s.append("INBOX", "Subject: of one\r\n\r\nx\r\n")[-1]
	    s.ok("SELECT INBOX")
	for url in ["imap://bob@localhost/INBOX/;UID=1", "//bob@h/INBOX/;UID=1",
	            "/~bob/;UID=1", "/bob/INBOX/;UID=1", "/user/bob/;UID=1",
	            "/../bob/Maildir/;UID=1", "/%2e%2e/%2e%2e/bob/;UID=1",
	            "/INBOX%00/;UID=1", "/%2Fetc/;UID=1", "/INBOX/../INBOX/;UID=1",
	            "/#shared/bob/;UID=1", "/Other%20Users/bob/;UID=1",
	            "../INBOX/;UID=1", "INBOX/;UID=1"]:
	    said = alice.ask(catenate(part(url)))
	    assert said[-1].startswith(b"t NO [BADURL "), (url, said)
	alice.ok(catenate(part("/INBOX/;UID=1")))
	END
}

@test "names beyond ASCII and nested ones are found" {
	client <<-'END'
	s = messages()
	for name, url in [("Entw&APw-rfe", "/Entw%C3%BCrfe/;UID=1"),
	                  ("&ZeVnLIqe-/a b", "/%E6%97%A5%E6%9C%AC%E8%AA%9E/a%20b/;UID=1"),
	                  ("a/b/c", "/a/b/c;UIDVALIDITY=%d/;uid=1")]:
	    s.ok('CREATE "%s"' % name)
	    said = s.append('"%s"' % name, "Subject: x\r\n\r\nin %s\r\n" % name)
	    v = int(re.search(rb"APPENDUID (\d+)", said[-1])[1])
	    s.ok(catenate(part(url % v if "%d" in url else url)))
	s.ok("SELECT INBOX")
	said = b"".join(s.ok("FETCH 1:* BODY.PEEK[TEXT]"))
	assert said.count(b"in ") == 3, said
	END
}

@test "a source that is expunged elsewhere is no source" {
	client <<-'END'
	s, other = messages(b"A: b\r\n\r\nc\r\n", b"A: d\r\n\r\ne\r\n"), Imap(M)
	s.ok("SELECT INBOX")
	s.ok("CREATE there")
	# It is, though, while its octets are on their way.
	s.send(b"a APPEND there CATENATE (URL ;UID=1 TEXT {1}\r\n")
	assert s.response().startswith(b"+ ")
	other.ok("SELECT INBOX")
	other.ok("STORE 1 +FLAGS (\\Deleted)")
	other.ok("EXPUNGE")
	s.send(b"x URL ;UID=2)\r\n")
	said = s.until(b"a ")
	assert said[-1].startswith(b"a OK"), said
	said = s.ask(catenate(part(";UID=1")))
	assert said[-1].startswith(b"t NO [BADURL ;UID=1]"), said
	s.ok("SELECT there")
	assert b"c\r\nxA: d" in b"".join(s.ok("FETCH 1 BODY[]"))
	END
}

@test "a message put together of itself a thousand times stays bounded" {
	echo 100000 >control/databytes
	client <<-'END'
	s = messages(b"Subject: x\r\n\r\n" + b"y" * 998 + b"\r\n")
	s.ok("SELECT INBOX")
	def used():
	    return sum(os.path.getsize(os.path.join(d, f))
	        for d, _, fs in os.walk(M) for f in fs if "/.lemon" not in d)
	before = used()
	# Nothing stays of one, nor of many messages in one command.
	for command in [
	        catenate(*[part(";UID=1")] * 1000),
	        catenate(*[part(";UID=1/;PARTIAL=0.1")] * 1001),
	        catenate(text(b"x" * 99999), part(";UID=1/;PARTIAL=0.2")),
	        b"APPEND INBOX" + b" CATENATE (URL ;UID=1 URL ;UID=1)" * 50]:
	    said = s.ask(command)
	    assert re.match(rb"t NO \[(TOOBIG|LIMIT)\]", said[-1]), said
	    assert used() == before and not tmp()
	s.ok(catenate(text(b"x" * 99999), part(";UID=1/;PARTIAL=0.1")))
	# What is too big is not stored first, to be taken back then; what the
	# index is told of the message before may come meanwhile.
	def written():
	    return int(re.search(rb"wchar: (\d+)",
	        open("/proc/%d/io" % s.proc.pid, "rb").read())[1])
	wrote = written()
	said = s.ask(catenate(text(b"x"), *[part(";UID=1")] * 99))
	assert b"[TOOBIG]" in said[-1] and written() - wrote < 50000
	# One grows out of the other until it would be too big.
	s.ok("CREATE big")
	s.ok(b"APPEND big CATENATE (URL ;UID=1 URL ;UID=1)")
	s.ok("SELECT big")
	for i in range(1, 40):
	    said = s.ask(b"APPEND big CATENATE (URL ;UID=%d URL ;UID=%d)" % (i, i))
	    if not said[-1].startswith(b"t OK"):
	        break
	assert i == 6 and b"[TOOBIG]" in said[-1], (i, said)
	assert used() < 500000 and not tmp()
	END
}

@test "what grows too big as base64 is too big" {
	echo 1000 >control/databytes
	client <<-'END'
	s = messages()
	head = b"Content-Transfer-Encoding: binary\r\n\r\n"
	for command in [
	        lambda t: b"APPEND INBOX ~{%d+}\r\n%s" % (len(t), t),
	        lambda t: catenate(text(head), text(t[len(head):]))]:
	    assert s.ask(command(head + b"\1" * 600))[-1].startswith(b"t OK")
	    said = s.ask(command(head + b"\1" * 900))
	    assert said[-1].startswith(b"t NO [TOOBIG]"), said
	assert b"(MESSAGES 2)" in s.ok("STATUS INBOX (MESSAGES)")[0]
	assert not tmp()
	END
}

@test "a client that goes away leaves nothing" {
	client <<-'END'
	s = messages(b"Subject: x\r\n\r\ny\r\n")
	for cut in [b"URL /INBOX/;UID=1", b"URL /INBOX/;UID=1 TEXT {9+}\r\nx",
	            b"TEXT {1+}\r\nx URL {9+}\r\n/I"]:
	    o = Imap(M)
	    o.send(b"a APPEND INBOX CATENATE (" + cut)
	    assert o.end() == 0
	    assert not tmp()
	assert b"(MESSAGES 1)" in s.ok("STATUS INBOX (MESSAGES)")[0]
	END
}

@test "a part of 50 MB takes no more memory than a small one" {
	client <<-'END'
	s = messages(b"Subject: x\r\n\r\ny\r\n")
	line = b"a line of seventy-six characters, as base64 has them, one after another \r\n"
	s.send(b"a APPEND INBOX {%d+}\r\n" % (16 + 700000 * len(line)))
	s.send(b"Subject: big\r\n\r\n")
	for i in range(700):
	    s.send(line * 1000)
	s.send(b"\r\n")
	assert s.until(b"a ")[-1].startswith(b"a OK")
	s = Imap(M)
	def peak():
	    return int(re.search(r"VmHWM:\s+(\d+)",
	        open("/proc/%d/status" % s.proc.pid).read())[1])
	s.ok(catenate(part("/INBOX/;UID=1")))
	before = peak()
	s.ok(catenate(part("/INBOX/;UID=2/;SECTION=HEADER"), text(b"x"),
	              part("/INBOX/;UID=2/;SECTION=TEXT")))
	s.ok(catenate(part("/INBOX/;UID=2/;PARTIAL=30000000.10000000")))
	after = peak()
	assert after - before < 4096 or "SAN" in os.environ.get(
	    "ASAN_OPTIONS", "") or "-asan" in os.environ.get(
	    "LEMON_BUILD", ""), (before, after)
	s.ok("SELECT INBOX")
	assert b"RFC822.SIZE %d)" % (17 + 700000 * len(line)) in s.ok(
	    "FETCH 4 RFC822.SIZE")[0]
	assert b"RFC822.SIZE 10000000)" in s.ok("FETCH 5 RFC822.SIZE")[0]
	END
}

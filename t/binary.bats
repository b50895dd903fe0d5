#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Binary mail (RFC 3516) goes in and comes out octet for octet; the commands'
# transcript is t/talk/imapd/binary.talk, the decoder's test t/mime.bats.

load room

setup() {
	room
	mkdir -p control Maildir/{cur,new,tmp}
}

@test "every mailbox takes binary data, and gives back the very octets" {
	client <<-'END'
	import random
	random.seed(3516)
	some = [bytes(range(256)), b"", b"\0", b"\r", b"\n", b"\r\n", b"\n\r\0",
	    b".\r\n.\r\n\n.\n", b"x" * 70000 + b"\0\n", b"no line end at all",
	    b"Gr\xc3\xbc\xc3\x9fe\r\n", b"\r\n\r\n\0", random.randbytes(100000)]
	some += [random.randbytes(random.randrange(999)) for _ in range(12)]
	binary = b"Content-Transfer-Encoding: binary\r\n"
	def single(o):      # with what it says of itself, and what not
	    return binary + b"Content-Type: image/x\r\n\r\n" + o
	def silent(o):
	    return b"Subject: =?utf-8?q?=C3=BC?=\r\n\r\n" + o
	def parts(o):       # in a multipart, as its second part
	    return (b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed;"
	        b" boundary=b\r\n" + binary + b"\r\n--b\r\n\r\ntext\r\n--b\r\n"
	        b"Content-Type: image/x\r\n" + binary + b"\r\n" + o +
	        b"\r\n--b--\r\n")
	forms = [(single, "1"), (silent, "1"), (parts, "2")]
	def octets(s, what):
	    said = s.ok("FETCH %s" % what)[0]
	    m = re.search(rb"(~?)\{(\d+)\}\r\n", said)
	    if not m:
	        assert said.endswith(b' "")'), said
	        return b""
	    o = said[m.end():m.end() + int(m[2])]
	    assert (m[1] == b"~") == (b"\0" in o), (what, said[:99])
	    return o
	def same(s, i, part, o):
	    n = "%d BINARY.PEEK[%s]" % (i, part)
	    assert octets(s, n) == o, (n, o[:99])
	    size = s.ok("FETCH %d BINARY.SIZE[%s]" % (i, part))[0]
	    assert size.endswith(b" %d)" % len(o)), size
	    at = random.randrange(len(o) + 2)
	    assert octets(s, n + "<%d.%d>" % (at, 300)) == o[at:at + 300]
	s = Imap(M)
	every = ["INBOX", "Sent", "a/b/c", '"with a blank"', "Entw&APw-rfe"]
	for box in every[1:]:
	    s.ok("CREATE " + box)
	for box in every:
	    put = []
	    for form, part in forms:
	        for o in some if box == "INBOX" else some[::5]:
	            t = form(o)
	            s.ok(b"APPEND %s ~{%d+}\r\n%s" % (box.encode(), len(t), t))
	            put.append((part, o))
	    s.ok("SELECT " + box)
	    for i, (part, o) in enumerate(put, 1):
	        same(s, i, part, o)
	# No word of an encoded header is decoded, nor lost.
	assert b"Subject: =?utf-8?q?=C3=BC?=" in octets(s,
	    "%d BINARY.PEEK[]" % (len(put) // 3 + 1))
	# Where a part was base64 for whom does not know BINARY, it is legal.
	for i, (part, o) in enumerate(put, 1):
	    body = s.ok("FETCH %d BODY" % i)[0].lower()
	    assert b'"binary"' not in body, body
	s.ok("LOGOUT")
	shutil.rmtree(M + "/.lemon")
	s = Imap(M)
	s.ok("SELECT " + every[-1])
	for i, (part, o) in enumerate(put, 1):
	    same(s, i, part, o)
	END
}

#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What somebody who does not log in can do to the servers: nothing.  Many of
# them at once are in strangers.bats, single bad commands in t/talk.

bats_require_minimum_version 1.5.0

load room

setup_file() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -days 2 -subj /CN=localhost -keyout "$BATS_FILE_TMPDIR/k" \
	    -out "$BATS_FILE_TMPDIR/c" 2>/dev/null
}

setup() {
	room
	export LEMON_AUTH_DELAY=0
	mkdir -p control home/alice
	echo "$T/home/%u" >control/home
	echo example.org >control/locals
	echo mail.example.org >control/me
	cat "$BATS_FILE_TMPDIR"/[kc] >control/tls.pem
	echo sesame | lemon-user add alice 2>/dev/null
	[ "$(id -u)" != 0 ] || chown nobody:nogroup home/alice
}

hostile() {
	(echo 'from hostile import *'; cat) >client.py
	python3 client.py >said || { cat said; tail -n 20 log; return 1; }
	cat said >&3
}

@test "a flood of any kind ends, and costs no memory before a login" {
	hostile <<-'END'
	A = b"A" * 8000
	any = {
	    "octets": b"A" * 300000, "8-bit": b"\xff\xfe\r\n" * 20000,
	    "NUL": b"\0" * 100000, "NUL lines": b"t NO\0OP\r\n" * 5000,
	    "LF": b"\n" * 50000, "CR": b"\r" * 50000, "CRLF": b"\r\n" * 50000,
	    "unknown": b"t NOPE\r\n" * 10000, "lines": (A + b"\r\n") * 50}
	imap = {
	    "NOOP": b"t NOOP\r\n" * 10000, "ID": b't ID ("a" "b")\r\n' * 2000,
	    "CAPABILITY": b"t CAPABILITY\r\n" * 2000,
	    "tags": (A + b" NOOP\r\n") * 150,
	    "parentheses": b"(" * 300000,
	    "parentheses of ID": (b"t ID " + b"(" * 7000 + b"\r\n") * 20,
	    "quotes": (b't LOGIN "' + b"\\\\" * 3000 + b"\r\n") * 120,
	    "empty literals": b"t LOGIN" + b" {0+}\r\n" * 20000,
	    "literals": (b"t LOGIN {4000+}\r\n" + A[:4000] + b" {4000+}\r\n" +
	        A[:4000] + b"\r\n") * 20,
	    "literals not wanted": (b"t NOPE {60000+}\r\n" + b"x" * 60000 +
	        b"\r\n") * 20,
	    "literals of 4 GiB": b"t LOGIN {4294967295}\r\n" * 1000,
	    "literals of 4 GiB, unasked": b"t LOGIN {4294967295+}\r\n" * 1000,
	    "literals beyond counting": b"t LOGIN {18446744073709551616+}\r\n" *
	        1000,
	    "cancelled AUTHENTICATE": b"t AUTHENTICATE PLAIN\r\n*\r\n" * 1000,
	    "AUTHENTICATE without end": b"t AUTHENTICATE SCRAM-SHA-256\r\n" +
	        (base64.b64encode(b"n,,n=alice,r=" + b"x" * 3000) +
	        b"\r\n") * 100,
	    "mechanisms": b"t AUTHENTICATE NOPE\r\n" * 2000,
	    "STARTTLS": b"t STARTTLS x\r\n" * 1000,
	    "wrong passwords": b"t LOGIN alice wrong\r\n" * 1000,
	    "a password for ICU": b"t LOGIN alice \"\xd0\xbf\xe2\x82\xac\"\r\n",
	    "wrong PLAIN": b"t AUTHENTICATE PLAIN " + plain("alice", "no") +
	        b"\r\n" * 1000}
	smtp = {
	    "NOOP": b"NOOP\r\n" * 10000, "RSET": b"RSET\r\n" * 10000,
	    "HELP": b"HELP\r\n" * 10000, "VRFY": b"VRFY root\r\n" * 10000,
	    "EHLO": b"EHLO x\r\nLHLO x\r\n" * 2000,
	    "long EHLO": (b"EHLO " + A[:200] + b"\r\n") * 1000,
	    "MAIL": b"MAIL FROM:<a@b>\r\n" * 5000,
	    "RCPT": b"MAIL FROM:<a@b>\r\n" + b"RCPT TO:<nobody>\r\n" * 9000,
	    "DATA": b"DATA\r\n" * 1000, "STARTTLS": b"STARTTLS x\r\n" * 1000,
	    "BDAT": b"BDAT 18446744073709551615\r\n" * 1000,
	    "cancelled AUTH": b"AUTH PLAIN\r\n*\r\n" * 1000,
	    "AUTH without end": b"AUTH LOGIN\r\n" + (A + b"\r\n") * 100,
	    "mechanisms": b"AUTH NOPE\r\n" * 1000,
	    "wrong passwords": b"AUTH PLAIN " + plain("alice", "no") +
	        b"\r\n" * 1000}
	san = "-asan" in os.environ.get("LEMON_BUILD", "")
	def flood(kind, name, octets, whole):
	    """How many KiB it costs while the server waits; None: it ended."""
	    c = Client(kind, LEMON_RCPTMAX="100")
	    if c.smtp:
	        c.hello()
	    # What the libraries take for an honest try does not count.
	    if b"AUTH" in octets or b"LOGIN" in octets:
	        c.ask(b"AUTH SCRAM-SHA-256" if c.smtp else
	            b"t AUTHENTICATE SCRAM-SHA-256")
	        c.ask(b"*")
	    assert c.quiet()
	    was, grown = c.private(), None
	    c.flood(octets, 1)
	    if c.quiet():
	        # It waits for the rest of something, not for a next one.
	        grown = c.private() - was
	        assert grown <= 64 or san, (kind, name, grown)
	        # (or to see us read that it says good bye).
	        assert not whole or octets.count(b"\r\n") < 100 or \
	            b"good bye" in c.held, (kind, name, c.held[-99:])
	    code = c.end()
	    assert code == 0, (kind, name, code)
	    return grown
	cost = {}
	for kind in ("imap", "imap+tls", "submit", "submit+tls", "lmtp"):
	    for name, octets in {**any, **(imap if kind.startswith("imap")
	                                   else smtp)}.items():
	        grown = flood(kind, name, octets, True)
	        # Where that ends the session, as much of it as does not.
	        while grown is None and len(octets) > 4 and not san and \
	                "+" not in kind:
	            octets = octets[:len(octets) // 4]
	            grown = flood(kind, name, octets, False)
	        cost[kind, name] = grown
	seen = [grown for grown in cost.values() if grown is not None]
	assert san or all(cost[k] is not None for k in cost if "+" not in k[0])
	print("# %d floods, at most %d KiB of %d of them" % (
	    len(cost), max(seen), len(seen)))
	END
}

# A time-out that each octet begins anew would never come; so none of these
# is waited for longer than it takes to see that.
@test "whoever sends an octet now and then is sent away in time" {
	export LEMON_LOGINTIMEOUT=1 LEMON_TIMEOUT=2
	hostile <<-'END'
	def hello(c):
	    c.hello()
	def auth(c):
	    if c.smtp:
	        c.hello()
	    c.ask(b"AUTH PLAIN" if c.smtp else b"t AUTHENTICATE PLAIN")
	def starttls(c):
	    if c.smtp:
	        c.hello()
	    c.ask(b"STARTTLS" if c.smtp else b"t STARTTLS")
	def literal(c):
	    c.send(b"t LOGIN {2000}\r\n")
	def wanted(c):
	    c.starttls()
	    c.send(b"t LOGIN {2000+}\r\n")
	def message(c):
	    c.hello()
	    for l in b"MAIL FROM:<>", b"RCPT TO:<alice>", b"DATA":
	        c.ask(l)
	def chunk(c):
	    c.hello()
	    for l in b"MAIL FROM:<>", b"RCPT TO:<alice>":
	        c.ask(l)
	    c.send(b"BDAT 5000\r\n")
	nothing = lambda c: None
	hand = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"r" * 500
	slow = [("imap", nothing, b"A"), ("imap", nothing, b"t NOOP\r\n"),
	    ("imap", nothing, b"\r\n"), ("imap", auth, b"A"),
	    ("imap", starttls, hand), ("imap", literal, b"A"),
	    ("imap", wanted, b"A"), ("imap+tls", nothing, b"A"),
	    ("imaps", None, hand), ("imaps", None, b"\x16\x03\x01\x00\x00"),
	    ("submit", nothing, b"A"), ("submit", hello, b"NOOP\r\n"),
	    ("submit", auth, b"A"), ("submit", starttls, hand),
	    ("submit+tls", auth, b"A"), ("submits", None, hand),
	    ("lmtp", nothing, b"A"), ("lmtp", hello, b"RCPT TO:<a"),
	    ("lmtp", message, b"A"), ("lmtp", message, b"A\r\n"),
	    ("lmtp", chunk, b"A")]
	def one(kind, begin, octets):
	    c = Client(kind, greet=begin is not None)
	    if begin is not None:
	        begin(c)
	    return c.drip(octets), c.end()
	took = at_once(one, slow)
	for s, (seconds, code) in zip(slow, took):
	    assert seconds < 25 and code in (0, 75), (s, seconds, code)
	print("# %d slow clients, gone after %.1f to %.1f s" % (len(took),
	    min(took)[0], max(took)[0]))
	END
}

@test "whoever does not read the answers is sent away in time" {
	export LEMON_LOGINTIMEOUT=1 LEMON_TIMEOUT=2
	hostile <<-'END'
	def one(kind, octets):
	    c = Client(kind)
	    if c.smtp:
	        c.hello()
	    c.sock.setblocking(False)
	    try:
	        while True:
	            c.sock.send(octets)
	    except (OSError, ssl.SSLError):
	        pass
	    # Not even the end is read.
	    return c.proc.wait(25)
	deaf = [("imap", b"t CAPABILITY\r\n" * 50), ("imap", b"t ID NIL\r\n" * 90),
	    ("imap+tls", b"t CAPABILITY\r\n" * 50), ("submit", b"EHLO x\r\n" * 90),
	    ("submit+tls", b"HELP\r\n" * 90), ("lmtp", b"HELP\r\n" * 90)]
	codes = at_once(one, deaf)
	assert codes == [0] * len(deaf), codes
	END
}

@test "what comes with STARTTLS is never used, wherever it is cut" {
	hostile <<-'END'
	for kind, first, evil in (
	        ("imap", b"t STARTTLS\r\n", b"evil CAPABILITY\r\n"),
	        ("submit", b"EHLO x\r\nSTARTTLS\r\n", b"EHLO evil\r\n")):
	    text = first + evil
	    for cut in range(1, len(text)):
	        c = Client(kind)
	        c.send(text[:cut])
	        c.send(text[cut:])
	        said = c.drain()
	        assert b"evil" not in said, (kind, cut, said)
	        assert said.count(b"CAPABILITY") + said.count(b"250 ") <= 1, (
	            kind, cut, said)
	        assert c.end() == 0
	    # Nothing is said between the answer and the handshake, and nothing
	    # of before it counts after it.
	    c = Client(kind)
	    if c.smtp:
	        c.ask(b"EHLO before")
	        c.starttls()
	        assert c.ask(b"MAIL FROM:<alice@example.org>")[-1][:4] == b"503 "
	        assert c.ask(b"AUTH PLAIN =")[-1][:4] == b"503 "
	    else:
	        c.starttls()
	        assert c.ask(b"t STARTTLS")[-1].startswith(b"t BAD")
	    assert c.end() == 0
	END
}

@test "garbage instead of a TLS handshake ends the connection" {
	hostile <<-'END'
	import random
	random.seed(8)
	good = b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03" + b"r" * 193
	junk = [b"GET / HTTP/1.0\r\n\r\n", b"t CAPABILITY\r\n", b"\0" * 600,
	    b"\xff" * 600, b"\x16\x03\x01\xff\xff" + b"x" * 65535,
	    b"\x16\x03\x01\x00\x04\x01\xff\xff\xff", good[:40], good,
	    b"\x80\x2e\x01\x00\x02" + b"x" * 60, b"\x15\x03\x01\x00\x02\x01\x00",
	    b"\x17\x03\x03\x00\x10" + b"x" * 16, b"\x14\x03\x03\x00\x01\x01" * 99]
	for i in range(20):
	    j = bytearray(good)
	    for k in range(random.randrange(1, 20)):
	        j[random.randrange(len(j))] = random.randrange(256)
	    junk.append(bytes(j))
	for kind in ("imaps", "submits", "imap", "submit"):
	    for j in junk:
	        c = Client(kind, greet=not kind.endswith("s"))
	        if kind == "submit":
	            c.hello()
	        if not kind.endswith("s"):
	            c.ask(b"STARTTLS" if c.smtp else b"t STARTTLS")
	        c.send(j)
	        c.sock.shutdown(socket.SHUT_WR)
	        said = c.drain()
	        assert b"CAPABILITY" not in said and b"250" not in said, said
	        assert c.end() in (0, 75), (kind, j)
	print("# %d handshakes" % (4 * len(junk)))
	END
	[ "$(grep -c 'rip=192.0.2.1 .*tls' log)" -gt 100 ]
}

@test "a literal's number is one, and before a login a small one" {
	hostile <<-'END'
	numbers = ["0", "1", "007", "4000", "8192", "8193", "65535", "65536",
	    "2147483647", "2147483648", "4294967295", "4294967296",
	    "9223372036854775807", "9223372036854775808",
	    "18446744073709551615", "18446744073709551616", "9" * 100, "-1",
	    "+1", "1e3", "0x10", "1 ", " 1", "", "1.5", "1,2", "1++", "1-"]
	for n in numbers:
	    for form in ("{%s}", "{%s+}", "~{%s}", "~{%s+}"):
	        c = Client("imap", LEMON_PLAINTEXT="1")
	        c.send(("t LOGIN " + form % n).encode() + b"\r\n")
	        c.send(b"x" * 5000 + b"\r\nu NOOP\r\nv NOOP\r\n")
	        c.sock.shutdown(socket.SHUT_WR)
	        said = c.drain()
	        small = n.isdigit() and int(n) < 8000
	        if not small:
	            assert b"+ OK" not in said, (n, form, said)
	        assert b"t OK" not in said, (n, form, said)
	        assert c.end() == 0, (n, form)
	END
}

@test "an unknown user and a wrong password are one answer, and one line" {
	hostile <<-'END'
	import hashlib, hmac
	def scrambled(line):
	    return re.sub(rb"\[\d+\]|user=\S+", b"", line)
	def tries(user, password):
	    """Each way to get it wrong, and what is said and logged."""
	    out = []
	    for kind, lines in (
	            ("imap+tls", [b"t LOGIN %s %s" % (user, password)]),
	            ("imap+tls", [b"t AUTHENTICATE PLAIN " + plain(
	                user.decode(), password.decode())]),
	            ("imap+tls", [b"t AUTHENTICATE LOGIN",
	                base64.b64encode(user), base64.b64encode(password)]),
	            ("submit+tls", [b"EHLO x", b"AUTH PLAIN " + plain(
	                user.decode(), password.decode())]),
	            ("submit+tls", [b"EHLO x", b"AUTH LOGIN",
	                base64.b64encode(user), base64.b64encode(password)])):
	        open(T + "/log", "w").close()
	        c = Client(kind)
	        said = [c.ask(l) for l in lines]
	        assert said[-1][-1][:4] in (b"t NO", b"535 "), said
	        c.end()
	        log = [l for l in open(T + "/log", "rb") if re.search(
	            rb": (login|auth)-failed ", l)]
	        # One line with the address for each failure, for fail2ban.
	        assert len(log) == 1, log
	        assert b" rip=192.0.2.1 " in log[0], log
	        out.append((said, scrambled(log[0])))
	    return out
	def scram(user, hash):
	    c = Client("imap+tls")
	    c.send(b"t AUTHENTICATE SCRAM-" + hash + b"\r\n")
	    c.answer()
	    first = base64.b64decode(c.ask(base64.b64encode(
	        b"n,,n=%s,r=abc" % user))[-1][2:])
	    m = re.fullmatch(rb"r=abc[^,]+,s=([^,]+),i=(\d+)", first)
	    last = c.ask(base64.b64encode(b"c=biws,r=%s,p=%s" % (
	        re.search(rb"r=([^,]+)", first)[1],
	        base64.b64encode(b"x" * (32 if hash == b"SHA-256" else 20)))))
	    c.end()
	    return len(base64.b64decode(m[1])), m[2], last
	known = tries(b"alice", b"wrong")
	for user in (b"nobody", b"alice@example.org", b"alice@elsewhere.org",
	        b"alice+phone", b"root", b"x" * 300, b"../alice", b".unknown"):
	    assert tries(user, b"wrong") == known, user
	for hash in (b"SHA-1", b"SHA-256"):
	    assert len({str(scram(u, hash)) for u in (b"alice", b"nobody",
	        b"alice+phone", b"root")}) == 1, hash
	# Nothing that is said has a path in it.
	assert b"/" not in b"".join(b"".join(map(b"".join, s)) for s, l in
	    known).replace(b"AUTH=", b""), known
	END
}

#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The time of day jumps, back a day or ahead past 2038, in a session and
# between two.  t/fault.c moves it; the times of files are the kernel's, and
# are set.

bats_require_minimum_version 1.5.0

load room

setup() {
	room
	export BUILD=${LEMON_BUILD:-$BATS_TEST_DIRNAME/../build}
	mkdir control
	echo "$T/home/%u" >control/home
	echo example.org >control/locals
}

# All programs go by the clock that jump() sets: seconds off, none at first.
PRELUDE=$(cat <<'X'
import base64, mmap, socket, ssl, struct
DAY, YEARS = 86400, 20 * 365 * 86400
with open(T + "/fault", "wb") as f:
    f.write(bytes(4096))
os.chmod(T + "/fault", 0o666)
os.environ["FAULT"] = T + "/fault"
os.environ["ASAN_OPTIONS"] = ":".join(filter(None, [
    os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0"]))
fault = mmap.mmap(os.open(T + "/fault", os.O_RDWR), 4096)
os.environ["LD_PRELOAD"] = os.environ["BUILD"] + "/t/fault.so"
def jump(seconds):
    fault[:8] = struct.pack("q", seconds)
def uid_of(said):
    return int(re.search(rb"(?:APPEND|COPY)UID \d+ (?:\d+ )?(\d+)",
                         said[-1])[1])
def stamp(path, seconds):
    os.utime(path, (time.time() + seconds,) * 2)
X
)

# A client of lemon-deliver -l and lemon-submit.
smtp() {
	cat <<-'X'
	class Lines:
	    def __init__(self, *argv, **env):
	        self.sock, theirs = socket.socketpair()
	        self.proc = subprocess.Popen(argv, stdin=theirs, stdout=theirs,
	            stderr=subprocess.DEVNULL, env=dict(os.environ, **env))
	        theirs.close()
	        self.sock.settimeout(60)
	        self.file = self.sock.makefile("rb")
	    def reply(self):
	        line = b"   -"
	        while line[3:4] == b"-":
	            line = self.file.readline()
	        return line
	    def say(self, octets):
	        self.sock.sendall(octets + b"\r\n")
	        return self.reply()
	X
}

@test "the clock of the programs under test jumps" {
	client <<-'END'
	for off in (0, -DAY, YEARS):
	    jump(off)
	    now = float(subprocess.check_output(["date", "+%s.%N"]))
	    assert abs(now - time.time() - off) < 60, (now, off)
	END
}

@test "names of files are unique and can be read, whatever the clock does" {
	client <<-'END'
	s = Imap(M)
	for i, off in enumerate((0, -DAY, YEARS, 0, -DAY, -DAY, YEARS, YEARS)):
	    jump(off)
	    for box in range(3):
	        s.append("INBOX", "Subject: %d\r\n\r\n" % i)
	    s.ok("EXAMINE INBOX")       # SELECT sweeps tmp/ afterwards
	    s.ok("COPY 1 INBOX")
	    subprocess.run(["lemon-deliver", M], check=True,
	        input=b"Subject: pipe\n\n")
	names = os.listdir(M + "/cur") + os.listdir(M + "/new")
	assert len(names) == 8 * 5, names
	bases = [n.split(":")[0] for n in names]
	assert len(set(bases)) == len(bases), names
	for b in bases:
	    m = re.fullmatch(r"(\d+)\.M\d+P\d+Q\d+R[0-9a-f]{16}\.[^,:/]+"
	                     r",S=\d+,W=\d+", b)
	    assert m, b
	# They tell the time that it was for the programs.
	days = [round((int(b.split(".")[0]) - time.time()) / DAY) for b in bases]
	assert sorted(days) == [-1] * 15 + [0] * 10 + [7300] * 15, days
	END
}

@test "UIDs rise while the clock jumps, and name what they named" {
	client <<-'END'
	seen, s = {}, Imap(M)
	for i, off in enumerate((YEARS, 0, -DAY, YEARS, -DAY, 0)):
	    jump(off)
	    text = b"Subject: %d\r\n\r\n" % i
	    uid = uid_of(s.append("INBOX", text))
	    assert uid > max(seen, default=0), (uid, seen)
	    seen[uid] = text
	    other = Imap(M)
	    text = b"Subject: other %d\r\n\r\n" % i
	    uid = uid_of(other.append("INBOX", text))
	    assert uid > max(seen), (uid, seen)
	    seen[uid] = text
	    other.ok("LOGOUT")
	    other.end()
	    if i == 3:
	        s.ok("LOGOUT")
	        s.end()
	        shutil.rmtree(M + "/.lemon")
	        s = Imap(M)
	    now = look(M)["INBOX"].msgs
	    assert {u: t for u, (f, t) in now.items()} == seen, (now, seen)
	END
}

@test "UIDVALIDITY rises although the clock goes back" {
	client <<-'END'
	last, s = 0, Imap(M)
	for off in (0, YEARS, -DAY, 0, YEARS, -DAY):
	    jump(off)
	    s.ok("CREATE Box")
	    s.append("Box", "Subject: one\r\n\r\n")
	    v = int(re.search(rb"UIDVALIDITY (\d+)",
	        b"".join(s.ok("STATUS Box (UIDVALIDITY)")))[1])
	    assert last < v < 1 << 32, (last, v)
	    last = v
	    s.ok("DELETE Box")
	s.ok("CREATE Box")
	s.ok("LOGOUT")
	s.end()
	last = look(M)["Box"].validity
	shutil.rmtree(M + "/.lemon")
	os.unlink(M + "/.Box/lemon-uidlist")
	assert look(M)["Box"].validity > last
	END
}

@test "MODSEQ rises while the clock jumps" {
	client <<-'END'
	def modseq():
	    p = subprocess.run([os.environ["BUILD"] + "/t/sweep/numbers", M],
	        check=True, stdout=subprocess.PIPE)
	    return int(re.search(rb"(\d+) INBOX$", p.stdout, re.M)[1])
	s = Imap(M)
	s.append("INBOX", "Subject: one\r\n\r\n")
	s.ok("SELECT INBOX")
	last = modseq()
	for i, off in enumerate((YEARS, 0, -DAY, YEARS, -DAY, 0)):
	    jump(off)
	    s.ok("STORE 1 %sFLAGS (\\Flagged)" % "+-"[i % 2])
	    now = modseq()
	    assert now > last, (now, last)
	    last = now
	s.ok("LOGOUT")
	s.end()
	jump(-DAY)
	shutil.rmtree(M + "/.lemon")
	assert modseq() >= last
	END
}

@test "an INTERNALDATE beyond 2038 is kept, and found" {
	client <<-'END'
	s = Imap(M)
	dates = [b" 1-Jan-1970 00:00:01 +0000", b"19-Jan-2038 03:14:07 +0000",
	    b"19-Jan-2038 03:14:08 +0000", b"29-Feb-2096 12:00:00 +0000",
	    b"31-Dec-2099 23:59:59 +0000"]
	for d in dates:
	    said = s.ask(b'APPEND INBOX "%s" {8+}\r\na: b\r\n\r\n' % d)
	    assert said[-1].startswith(b"t OK"), said
	def check(s):
	    said = s.ok("SELECT INBOX") and s.ok("FETCH 1:5 INTERNALDATE")
	    got = [re.search(rb'INTERNALDATE "([^"]*)"', r)[1]
	           for r in said[:5]]
	    assert got == dates, got
	    said = s.ok("SEARCH SINCE 19-Jan-2038")
	    assert b"* SEARCH 2 3 4 5" in said, said
	    said = s.ok("SEARCH SENTBEFORE 1-Jan-2040 BEFORE 19-Jan-2038")
	check(s)
	jump(YEARS)
	check(s)
	s.ok("LOGOUT")
	s.end()
	shutil.rmtree(M + "/.lemon")
	check(Imap(M))
	END
}

@test "folders dated in the future or the past lose nobody, and are heard of" {
	client <<-'END'
	s = Imap(M)
	for i in range(4):
	    s.append("INBOX", "Subject: %d\r\n\r\n" % i)
	for off in (YEARS, -YEARS, 3600, -DAY, YEARS):
	    for d in ("/cur", "/new", ""):
	        stamp(M + d, off)
	    said = s.ok("SELECT INBOX")
	    n = int(re.search(rb"\* (\d+) EXISTS", b"\n".join(said))[1])
	    for i in range(3):
	        assert not any(b"EXPUNGE" in r for r in s.ok("NOOP"))
	    assert not any(b"EXPUNGE" in r for r in s.ok("CHECK"))
	    with open(M + "/tmp/x", "wb") as f:
	        f.write(b"Subject: foreign\n\n")
	    give(M + "/tmp/x")
	    os.rename(M + "/tmp/x", M + "/new/1700000000.%d.f" % (off + YEARS))
	    said = s.ok("NOOP") + s.ok("CHECK") + s.ok("NOOP")
	    assert b"* %d EXISTS" % (n + 1) in said, (off, said)
	    assert not any(b"EXPUNGE" in r for r in said), said
	assert len(look(M)["INBOX"].msgs) == n + 1
	END
}

@test "what a shell removes is expunged, in a folder of the future too" {
	client <<-'END'
	s = Imap(M)
	for i in range(4):
	    s.append("INBOX", "Subject: %d\r\n\r\n" % i)
	s.ok("SELECT INBOX")
	for n, off in ((4, YEARS), (3, -YEARS)):
	    os.unlink(M + "/cur/" + min(os.listdir(M + "/cur")))
	    stamp(M + "/cur", off)
	    stamp(M + "/new", off)
	    said, until = [], time.monotonic() + 30
	    while len(said) < 3 and time.monotonic() < until:
	        said = s.ok("CHECK") + s.ok("NOOP")
	    assert re.fullmatch(rb"\* \d EXPUNGE", said[0]), said
	    assert len(look(M)["INBOX"].msgs) == n - 1
	END
}

@test "a folder dated in the future is not read again and again" {
	[ -n "$(command -v strace)" ] || skip "no strace here"
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace"
	client <<-'END'
	s = Imap(M)
	for i in range(5):
	    s.append("INBOX", "Subject: %d\r\n\r\n" % i)
	s.ok("CREATE There")
	s.ok("LOGOUT")
	s.end()
	for d in ("/cur", "/new", "/.There/cur", "/.There/new", "/.There", ""):
	    stamp(M + d, YEARS)
	os.environ["ASAN_OPTIONS"] += ":detect_leaks=0"
	with open(T + "/log", "wb"):
	    pass
	os.chmod(T + "/log", 0o666)
	s = Imap(M, ["strace", "-f", "-o", T + "/log", "-e",
	             "trace=getdents64"])
	def round():
	    s.ok("NOOP")
	    s.ok('LIST "" *')
	    s.ok("STATUS There (MESSAGES)")
	def reads():
	    with open(T + "/log") as f:
	        return f.read().count("getdents64(")
	s.ok("SELECT INBOX")
	round()
	first = reads()
	for i in range(10):
	    round()
	assert reads() == first, (first, reads())
	END
}

@test "two sessions and a delivery agree while the clock goes back a day" {
	client <<-'END'
	a, b = Imap(M), Imap(M)
	for i in range(3):
	    a.append("INBOX", "Subject: %d\r\n\r\n" % i)
	a.ok("SELECT INBOX")
	b.ok("SELECT INBOX")
	for n, off in enumerate((-DAY, YEARS, 0, -DAY)):
	    jump(off)
	    a.ok("STORE 2 +FLAGS (\\Flagged k%d)" % n)
	    said = b.ok("NOOP")
	    assert any(b"* 2 FETCH" in r and b"k%d" % n in r
	               for r in said), said
	    subprocess.run(["lemon-deliver", M], check=True,
	        input=b"Subject: later\n\n")
	    for s in (a, b):
	        said = s.ok("NOOP")
	        assert b"* %d EXISTS" % (4 + n) in said, said
	        assert not any(b"EXPUNGE" in r for r in said), said
	b.ok("STORE 1 +FLAGS (\\Deleted)")
	b.ok("EXPUNGE")
	assert b"* 1 EXPUNGE" in a.ok("NOOP")
	assert len(look(M)["INBOX"].msgs) == 6
	END
}

@test "IDLE outlives 20 years, and its time-out a clock that goes back" {
	client <<-'END'
	s = Imap(M)
	s.ok("SELECT INBOX")
	s.send(b"t IDLE\r\n")
	assert s.response().startswith(b"+ ")
	for off in (YEARS, -DAY):
	    jump(off)
	    subprocess.run(["lemon-deliver", M], check=True,
	        input=b"Subject: new\n\n")
	    while b"EXISTS" not in s.response():
	        pass
	    s.sock.setblocking(False)
	    try:
	        while not s.sock.recv(999).startswith(b"* BYE"):
	            pass
	        assert False, "IDLE ended"
	    except BlockingIOError:
	        s.sock.settimeout(60)
	s.send(b"DONE\r\n")
	s.until(b"t OK")
	jump(0)
	os.environ["LEMON_IMAP_TIMEOUT"] = "2"
	for idle in (False, True):
	    s = Imap(M)
	    began = time.monotonic()
	    if idle:
	        s.ok("SELECT INBOX")
	        s.send(b"t IDLE\r\n")
	        s.response()
	    jump(-DAY)
	    assert s.until(b"* BYE")
	    took = time.monotonic() - began
	    assert 1.5 < took < 30, took
	    jump(YEARS)
	END
}

@test "the deadline before login is kept by a clock that does not jump" {
	client <<-END
	$(smtp)
	os.environ["LEMON_LOGINTIMEOUT"] = "2"
	echo = dict(PROTO="TCP", TCPREMOTEIP="127.0.0.1", TCPLOCALIP="127.0.0.1",
	    TCPREMOTEPORT="1", TCPLOCALPORT="1")
	for argv in (["lemon-imapd"], ["lemon-submit"]):
	    for off in (-DAY, YEARS):
	        jump(0)
	        s = Lines(*argv, **echo)
	        began = time.monotonic()
	        s.file.readline()
	        jump(off)
	        while s.file.readline():
	            pass
	        took = time.monotonic() - began
	        assert 1.5 < took < 30, (argv, off, took)
	END
}

@test "LMTP goes on through jumps, and each message is there once" {
	echo secret | lemon-user add alice 2>/dev/null
	mkdir -p home/alice
	[ "$(id -u)" != 0 ] || chown nobody:nogroup home/alice
	client <<-END
	$(smtp)
	s = Lines("lemon-deliver", "-l")
	s.reply()
	s.say(b"LHLO x")
	for i, off in enumerate((YEARS, -DAY, 0, YEARS)):
	    assert s.say(b"MAIL FROM:<>").startswith(b"250")
	    jump(off)
	    assert s.say(b"RCPT TO:<alice>").startswith(b"250")
	    assert s.say(b"DATA").startswith(b"354")
	    jump(-off)
	    assert s.say(b"Subject: %d\r\n\r\n." % i).startswith(b"250"), off
	s.say(b"QUIT")
	s.sock.close()
	texts = look(T + "/home/alice/Maildir")["INBOX"].texts()
	assert sorted(re.search(rb"Subject: (\d)", t)[1] for t in texts) == [
	    b"0", b"1", b"2", b"3"], texts
	END
}

@test "an APPEND under way when the clock jumps is there, or is refused" {
	client <<-'END'
	s = Imap(M)
	s.append("INBOX", "Subject: 0\r\n\r\n")
	for off in (YEARS, -DAY):
	    jump(0)
	    s.send(b"t APPEND INBOX {40000+}\r\n" + b"a: b\r\n\r\n" +
	        b"x" * 30000)
	    until = time.monotonic() + 30
	    while not os.listdir(M + "/tmp") and time.monotonic() < until:
	        pass
	    jump(off)
	    was = len(look(M)["INBOX"].msgs)     # it sweeps tmp/
	    s.send(b"x" * 9992 + b"\r\n")
	    said = s.until(b"t ")[-1]
	    now = len(look(M)["INBOX"].msgs)
	    assert now - was == said.startswith(b"t OK"), (said, was, now)
	    assert said.startswith((b"t OK", b"t NO [")), said
	    if off < 0:
	        assert said.startswith(b"t OK"), said
	    assert not os.listdir(M + "/tmp")
	END
}

@test "an app password ends when its day comes, not before" {
	echo secret | lemon-user add alice 2>/dev/null
	mkdir -p home/alice
	[ "$(id -u)" != 0 ] || chown nobody:nogroup home/alice
	echo other | lemon-user app alice phone -s imap -e "$(date -d +2day +%F)"
	client <<-'END'
	os.environ["LEMON_PLAINTEXT"] = "1"
	def login():
	    p = subprocess.run(["lemon-imapd"], stdout=subprocess.PIPE,
	        stderr=subprocess.DEVNULL,
	        input=b"a LOGIN alice+phone other\r\nb LOGOUT\r\n")
	    return re.search(rb"^a OK", p.stdout, re.M) is not None
	for off, good in ((0, True), (YEARS, False), (-DAY, True),
	                  (4 * DAY, False), (0, True)):
	    jump(off)
	    assert login() == good, off
	END
}

@test "a TLS ticket of another day does no harm" {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert \
	    -subj /CN=localhost -days 9999 2>/dev/null
	cat key cert >control/tls.pem
	openssl rand -hex 80 >control/tickets
	client <<-'END'
	ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
	ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
	def connect(session):
	    mine, theirs = socket.socketpair()
	    p = subprocess.Popen(["lemon-imapd", "-s"], stdin=theirs,
	        stdout=theirs, stderr=subprocess.DEVNULL,
	        env=dict(os.environ, PROTO="TCP", TCPREMOTEIP="127.0.0.1"))
	    theirs.close()
	    mine.settimeout(60)
	    s = ctx.wrap_socket(mine, session=session,
	        server_hostname="localhost")
	    assert s.recv(9999).startswith(b"* OK")
	    s.sendall(b"a LOGOUT\r\n")
	    got = b""
	    while b"a OK" not in got:
	        more = s.recv(9999)
	        assert more, got
	        got += more
	    ticket, used = s.session, s.session_reused
	    s.close()
	    p.wait(60)
	    return ticket, used
	for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
	    ctx.maximum_version = version
	    jump(0)
	    ticket, used = connect(None)
	    assert not used
	    for off in (-DAY, YEARS, 0):
	        jump(off)
	        connect(ticket)
	END
}

@test "folders made in 2046 are there when the clock is right again" {
	client <<-'END'
	jump(YEARS)
	s = Imap(M)
	s.ok("CREATE Later")
	s.ok("SUBSCRIBE Later")
	s.append("Later", "Subject: later\r\n\r\n")
	s.ok("RENAME Later Sooner")
	s.ok("LOGOUT")
	s.end()
	jump(0)
	boxes = look(M)
	assert len(boxes["Sooner"].msgs) == 1 and "Later" not in boxes, boxes
	assert not [f for f in os.listdir(M) if f.startswith(".tmp.")]
	END
}

#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Memory is refused (t/fault.c), once or from then on, while each of the
# programs does what it is for: none crashes, none says what is not so.  What
# changes a store without a login is t/errors.t's.  MEMORY=all tries each
# allocation, else a share.

bats_require_minimum_version 1.5.0

load room

setup() {
	room
	export BUILD=${LEMON_BUILD:-$BATS_TEST_DIRNAME/../build}
	mkdir -p control home/alice lmtp
	echo "$T/home/%u" >control/home
	echo example.org >control/locals
	echo mail.example.org >control/me
	printf 'From: alice@example.org\nSubject: hello\n\ntext\n' >m
	echo sesame | lemon-user add alice 2>/dev/null
	[ "$(id -u)" != 0 ] || chown nobody:nogroup home/alice
}

PRELUDE=$(cat <<'X'
import atexit, base64, mmap, socket, struct
M = T + "/home/alice/Maildir"
SHARE = sys.maxsize if os.environ.get("MEMORY") == "all" else \
    2 if "-asan" in os.environ["BUILD"] else 6
PLAIN = base64.b64encode(b"\0alice\0sesame")
with open(T + "/fault", "wb") as f:
    f.write(bytes(4096))
os.chmod(T + "/fault", 0o666)
fault = mmap.mmap(os.open(T + "/fault", os.O_RDWR), 4096)
HARSH = dict(os.environ, FAULT=T + "/fault", LEMON_PLAINTEXT="1",
    LEMON_AUTH_DELAY="0", LD_PRELOAD=os.environ["BUILD"] + "/t/fault.so",
    ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") +
    ":verify_asan_link_order=0:detect_leaks=0")
def helper(name, *argv):
    """Another server that lives as long as we do; the line that it says."""
    p = subprocess.Popen([sys.executable, os.environ["PYTHONPATH"] + "/" +
        name, *argv], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    atexit.register(p.kill)
    return p.stdout.readline().decode()
def refuse(n, lasting):
    fault[8:48] = struct.pack("5q", n, 0, lasting, 0, 0)
def run(*argv, say=b"", **env):
    return subprocess.run(argv, input=say, capture_output=True,
        env=dict(HARSH, **env))
def each(attempt):
    """attempt(True) fails when it was not done; attempt(False), with memory
    refused, fails only for what is wrong in any case."""
    refuse(0, 0)
    attempt(True)
    many, = struct.unpack("q", fault[32:40])
    assert many > 0
    step = max(1, many / SHARE)
    points = [1 + int(i * step) for i in range(min(many, SHARE))]
    for n in points:
        for lasting in 0, 1:
            refuse(n, lasting)
            try:
                attempt(False)
            except AssertionError as e:
                raise AssertionError("of %d, %d%s: %s" % (many, n,
                    " and after" if lasting else "", e))
    refuse(0, 0)
    attempt(True)
    return "%d of %d allocations" % (len(points), many)
X
)

# client, and what it says
tell() {
	client >out || { cat out; false; }
	sed 's/^/# /' out >&3
}

@test "a login over IMAP without memory is a NO or an end, an APPEND whole" {
	tell <<-'END'
	text = b"Subject: x\r\n\r\n" + b"y\r\n" * 500
	for how in (b"b LOGIN alice sesame\r\n", b"b AUTHENTICATE PLAIN " +
	        PLAIN + b"\r\n", b"b AUTHENTICATE SCRAM-SHA-256 " +
	        base64.b64encode(b"n,,n=alice,r=abc") + b"\r\n*\r\n"):
	    good, n = b"SCRAM" not in how, 0
	    shutil.rmtree(M, ignore_errors=True)
	    def attempt(whole):
	        global n
	        p = run("lemon-imapd", say=b"a ID NIL\r\n" + how +
	            b"c APPEND INBOX {%d+}\r\n%s\r\nd SELECT INBOX\r\n"
	            b"e FETCH 1 (ENVELOPE BODYSTRUCTURE BODY.PEEK[])\r\n"
	            b"f SEARCH TEXT y\r\ng LOGOUT\r\n" % (len(text), text))
	        said = dict(re.findall(rb"^([a-g]) (\w+)", p.stdout, re.M))
	        assert p.returncode in (0, 75), p
	        for tag, word in said.items():
	            assert word == b"OK" or tag not in b"ag" and (
	                word == b"NO" or not good or b"NO" in said.values()), p
	        n += said.get(b"c") == b"OK"
	        if whole:
	            assert said.get(b"f") == (b"OK" if good else b"BAD"), p
	            assert said.get(b"c") == (b"OK" if good else b"BAD"), p
	            texts = look(M)["INBOX"].texts() if good else []
	            assert texts == [text] * len(texts), texts
	            # Killed after it was there, it may not have said so.
	            assert len(texts) >= n, (len(texts), n)
	    print("%.20s: %s" % (how.decode(), each(attempt)))
	END
}

@test "a handshake of TLS without memory ends the connection" {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -days 2 -subj /CN=localhost -keyout k -out c 2>/dev/null
	cat k c >control/tls.pem
	tell <<-'END'
	import ssl
	ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
	ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
	def attempt(whole):
	    mine, theirs = socket.socketpair()
	    mine.settimeout(60)
	    p = subprocess.Popen(["lemon-imapd", "-s"], stdin=theirs,
	        stdout=theirs, stderr=subprocess.DEVNULL, env=HARSH)
	    theirs.close()
	    got = b""
	    try:
	        s = ctx.wrap_socket(mine)
	        s.sendall(b"b LOGIN alice sesame\r\nc LOGOUT\r\n")
	        while True:
	            more = s.recv(9999)
	            if not more:
	                break
	            got += more
	        s.close()
	    except OSError:
	        mine.close()
	    assert p.wait(60) in (0, 75), (p.returncode, got)
	    assert not whole or b"\r\nc OK" in got, got
	print(each(attempt))
	END
}

@test "a submission without memory is a 4xx or an end, and none is lost" {
	# What is another account's it does not open itself.
	chown "$(id -u)" home/alice
	lemon-deliver home/alice/Maildir <m
	echo "$T/lmtp.sock" >control/lmtp-socket
	url='imap://alice@example.org/INBOX/;UID=1;URLAUTH=submit+alice'
	url=$(printf 'a GENURLAUTH "%s" INTERNAL\r\n' "$url" |
	    USER=alice LOGNAME=alice lemon-imapd home/alice/Maildir |
	    sed -n 's/^\* GENURLAUTH "\(.*\)"\r$/\1/p')
	URL=$url tell <<-'END'
	assert helper("fake_smtp.py", "-l", "-u", T + "/lmtp.sock",
	    T + "/lmtp") == "ready\n"
	def arrived():
	    return sum(f.endswith(".eml") for f in os.listdir(T + "/lmtp"))
	def talk(lines):
	    """The last reply, b"" where the connection ended."""
	    mine, theirs = socket.socketpair()
	    mine.settimeout(60)
	    p = subprocess.Popen(["lemon-submit"], stdin=theirs, stdout=theirs,
	        stderr=subprocess.DEVNULL, env=HARSH)
	    theirs.close()
	    f = mine.makefile("rb")
	    for line in [b""] + lines:
	        try:
	            mine.sendall(line)
	        except BrokenPipeError:
	            pass
	        said = b"   -"
	        while said[3:4] == b"-":
	            try:
	                said = f.readline()
	            except ConnectionResetError:
	                said = b""
	        if said[:1] not in (b"2", b"3"):
	            break
	    f.close()
	    mine.close()
	    assert p.wait(60) in (0, 75), (p.returncode, said)
	    return said
	begin = [b"EHLO x\r\n", b"AUTH PLAIN " + PLAIN + b"\r\n",
	    b"MAIL FROM:<alice@example.org>\r\n", b"RCPT TO:<alice@example.org>\r\n"]
	letter = b"From: alice@example.org\r\nSubject: x\r\n\r\n" + b"y\r\n" * 99
	for last in ([b"DATA\r\n", letter + b".\r\n"],
	        [b"BDAT %d LAST\r\n%s" % (len(letter), letter)],
	        [b"BURL %s LAST\r\n" % os.environ["URL"].encode()]):
	    def attempt(whole):
	        was = arrived()
	        said = talk(begin + last)
	        assert said[:1] in (b"", b"2", b"4"), said
	        came = arrived() - was
	        assert came == 1 if said[:1] == b"2" else came <= 1, (said, came)
	        assert came == 0 or said[:1] != b"4", (said, came)
	        assert not whole or said[:1] == b"2", said
	    print("%.4s: %s" % (last[0].decode(), each(attempt)))
	END
}

@test "lemon-store without memory finds nothing that is not, and says 75" {
	for i in 1 2 3; do lemon-deliver home/alice/Maildir <m; done
	[ "$(id -u)" != 0 ] || chown -R nobody:nogroup home/alice
	tell <<-'END'
	was = look(M)
	for argv, want in ((["check", "-d"], b"nothing wrong\n"),
	        (["list"], b" INBOX\n"), (["stat"], b"messages=3\n"),
	        (["rebuild"], b"INBOX: 3 messages")):
	    def attempt(whole):
	        p = run("lemon-store", *argv, "alice")
	        assert p.returncode in (0, 75), p
	        assert want in p.stdout or p.returncode, p
	        assert not whole or p.returncode == 0, p
	        if argv == ["rebuild"]:
	            assert look(M) == was, p
	    print("%s: %s" % (argv[0], each(attempt)))
	END
}

@test "lemon-urlauth without memory takes no bad URL, and refuses no good one" {
	lemon-deliver home/alice/Maildir <m
	[ "$(id -u)" != 0 ] || chown -R nobody:nogroup home/alice
	url=$(lemon-urlauth mint -a anonymous -e never -u 1 alice)
	URL=$url tell <<-'END'
	url = os.environ["URL"]
	bad = url[:-1] + "01"[url[-1] == "0"]
	net = lambda u: b"0:,0:,%d:%s," % (len(u), u.encode())
	mint = ["mint", "-a", "anonymous", "-u", "1"]
	for argv, say, code, want in (
	        (mint + ["alice"], b"", 0, b"imap://alice@"),
	        (["verify", "alice", url], b"", 0, url.encode()),
	        (["verify", "alice", bad], b"", 1, b""),
	        (["fetch", "alice", url], b"", 0, b"text"),
	        (["fetch", "alice", bad], b"", 1, b""),
	        (["explain", "alice", url], b"", 0, b"good\n"),
	        (["-s"], net(url), 0, b"+"), (["-s"], net(bad), 0, b"-")):
	    def attempt(whole):
	        p = run("lemon-urlauth", *argv, say=say)
	        assert p.returncode in (code, 75), p
	        if p.returncode == code and argv != ["-s"]:
	            assert want in p.stdout and (want or not p.stdout), p
	        assert b"text" not in p.stdout or url in argv or say == net(url), p
	        assert not whole or p.returncode == code and want in p.stdout, p
	    print("%s: %s" % (argv[0], each(attempt)))
	END
}

@test "lemon-forward without memory has sent it, or says that it did not" {
	touch orders
	LEMON_PASSWORD=sesame tell <<-'END'
	imap, smtp = helper("fake_forward.py", T).split()
	for how, sent in (("-c", b"BURL "), ("--burl", b"BURL "),
	        ("--download", b"\r\n.\r\n")):
	    def attempt(whole):
	        open(T + "/smtp", "wb").close()
	        p = run("lemon-forward", "-t", "none", "-i", "127.0.0.1:" + imap,
	            "-s", "127.0.0.1:" + smtp, "-u", "alice", "-f",
	            "alice@example.org", how, "-p", "2", "INBOX", "5",
	            "bob@example.net", say=b"see below\n")
	        assert p.returncode in (0, 75), p
	        heard = open(T + "/smtp", "rb").read()
	        if p.returncode == 0:
	            assert sent in heard, (p, heard)
	        assert not whole or p.returncode == 0, p
	    print("%s: %s" % (how, each(attempt)))
	END
}

@test "a password without memory makes whole lines, or none" {
	tell <<-'END'
	for password in b"sesame\n", "p\u00e9rdu\n".encode():
	    def attempt(whole):
	        p = run("lemon-verifier", say=password)
	        assert p.returncode in (0, 75), p
	        assert p.stdout.count(b"\n") == (2 if p.returncode == 0 else 0), p
	        assert not whole or p.returncode == 0, p
	    print("lemon-verifier: %s" % each(attempt))
	def attempt(whole):
	    p = run("lemon-checkreply", USER="alice", HOME=T)
	    assert p.returncode in (0, 75), p
	    assert bool(p.stdout) == (p.returncode == 0), p
	    assert not whole or p.returncode == 0, p
	print("lemon-checkreply: %s" % each(attempt))
	END
}

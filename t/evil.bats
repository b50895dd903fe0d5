#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# After a login the process is shut in: a build of the real programs that
# somebody has taken over (t/evil/evil.c) tries what it must not.

bats_require_minimum_version 1.5.0

load room

setup() {
	room
	export LEMON_AUTH_DELAY=0
	mkdir -p control home/{alice,bob}/Maildir/{cur,new,tmp} tmp
	chmod 1777 tmp
	echo "$T/home/%u" >control/home
	echo example.org >control/locals
	printf 'Subject: secret\n\n' >home/bob/Maildir/new/1.secret
	ln -s "$T/home/bob/Maildir/new/1.secret" home/alice/Maildir/planted
	touch control/tls.pem
	for u in alice bob; do
		echo "sesame of $u" | lemon-user add $u 2>/dev/null
	done
	# One account has all the mail, so that permissions keep nobody out.
	[ "$(id -u)" != 0 ] || chown -R nobody:nogroup home
	# Where that account may enter, whatever the checkout is below.
	cp -r "$LEMON_BUILD/evil" "$BATS_TEST_DIRNAME/hostile.py" .
	mkdir bin
	cp "$(command -v lemon-imapd)" bin
	cp -r "$(dirname "$(command -v lemon-imapd)")/../libexec" .
	cat >taken.py <<-'END'
	import os, re, socket, subprocess, sys, threading
	from hostile import *
	tcp = socket.create_server(("127.0.0.1", 0))
	unix = socket.socket(socket.AF_UNIX)
	unix.bind(T + "/socket")
	os.chmod(T + "/socket", 0o777)
	unix.listen()
	os.environ.update(EVIL_HOME=T + "/home/alice/Maildir",
	    EVIL_OTHER=T + "/home/bob/Maildir", EVIL_CONTROL=T + "/control",
	    EVIL_PORT=str(tcp.getsockname()[1]), EVIL_SOCKET=T + "/socket")
	USER = ["setpriv", "--reuid", "nobody", "--regid", "nogroup",
	    "--clear-groups"] if os.geteuid() == 0 else []
	victim = subprocess.Popen(USER + ["cat"], stdin=subprocess.PIPE,
	    stdout=subprocess.DEVNULL)
	os.environ["EVIL_VICTIM"] = str(victim.pid)
	def log():
	    return open(T + "/log", errors="replace").read()
	def skip(why):
	    victim.kill()
	    print("skip:", why)
	    sys.exit(0)
	def confined():
	    """Skip where there is nothing to be tried."""
	    level = re.findall(r"confined=(\w+)", log())
	    if level and level[-1] != "full":
	        skip("this build or kernel confines: " + level[-1])
	def outcome(allowed=()):
	    """What became of each act, when all of them were tried."""
	    tried = dict(reversed(l.split(" ", 1)) for l in re.findall(
	        r"^evil: (.*)$", log(), re.M))
	    done = {a for a in tried if tried[a] == "DONE"}
	    assert len(tried) >= 110, (len(tried), log())
	    assert done == set(allowed), done
	    print("# %d acts, %d refused" % (len(tried), len(tried) - len(done)))
	def shut_in(pid, root=False, caps="0000000000000000"):
	    s = open("/proc/%d/status" % pid).read()
	    def field(name):
	        return re.search("^%s:\t(.*)$" % name, s, re.M)[1].strip()
	    assert field("NoNewPrivs") == "1" and field("Seccomp") == "2", s
	    assert field("CapEff") == field("CapPrm") == caps, s
	    assert field("CapInh") == field("CapAmb") == "0" * 16, s
	    for ids in ("Uid", "Gid"):
	        n = set(field(ids).split())
	        assert len(n) == 1 and (root or n != {"0"}), s
	    assert root or os.geteuid() or field("Groups") == "", s
	    assert field("Threads") == "1", s
	def child(proc):
	    return int(subprocess.check_output(["pgrep", "-P", str(proc.pid)]))
	END
}

# taken <<PYTHON: with what taken.py has, as whoever we are
taken() {
	cat taken.py - >client.py
	echo 'victim.kill()' >>client.py
	chmod 644 client.py hostile.py
	run env PYTHONPATH="$T" PATH="$T/evil:$PATH" python3 client.py
	[ "${PIPESTATUS[0]:-0}" = 0 ]
	[[ $output != skip:* ]] || skip "${output#skip: }"
	[ "$status" = 0 ] || { echo "$output"; tail -n 300 log; false; }
	[ -z "$output" ] || echo "$output" >&3
	rm -f /var/tmp/lemon-evil /dev/shm/lemon-evil
}

imapd='
c = Client("imap", LEMON_PLAINTEXT="1", **how)
assert c.ask(b"t LOGIN alice \"sesame of alice\"")[-1].startswith(b"t OK")
assert c.ask(b"t NOOP")[-1].startswith(b"t OK"), c.held
confined()
outcome(["start a thread"])
shut_in(c.proc.pid)
# It works on, and knows the Maildir still.
assert c.ask(b"t SELECT INBOX")[-1].startswith(b"t OK")
assert c.ask(b"t LOGOUT")[-1].startswith(b"t OK")
assert c.end() == 0
secret = open(T + "/home/bob/Maildir/new/1.secret").read()
assert secret == "Subject: secret\n\n", secret
'

@test "an IMAP session that was taken over can do nothing elsewhere" {
	taken <<<"how = {}$imapd"
}

@test "nor can one that was never root" {
	[ "$(id -u)" = 0 ] || skip "the same as before, where we are not"
	chown -R nobody:nogroup control
	touch log
	chown nobody log
	taken <<<"
KINDS['imap'] = USER + KINDS['imap']
how = {}$imapd"
}

@test "the 32-bit calls end it" {
	! ldd "$(command -v lemon-imapd)" | grep -q asan ||
	    skip "a sanitizer is not confined"
	[ "$(uname -m)" = x86_64 ] || skip "x86_64 has them"
	taken <<-'END'
	c = Client("imap", LEMON_PLAINTEXT="1", EVIL_LAST="1")
	c.ask(b't LOGIN alice "sesame of alice"')
	if c.line() is not None:
	    confined()
	confined()
	assert c.proc.wait(WAIT) == -31, c.proc.returncode    # SIGSYS
	END
}

@test "a submission that was taken over reaches the hops and its spool" {
	export TMPDIR=$T/tmp
	taken <<-'END'
	os.environ["EVIL_HOME"] = T + "/tmp"
	c = Client("submit", LEMON_PLAINTEXT="1",
	    LEMON_RELAY="127.0.0.1:" + os.environ["EVIL_PORT"])
	c.hello()
	assert c.ask(b"AUTH PLAIN " + plain("alice", "sesame of alice"))[-1][
	    :3] == b"235"
	c.ask(b"MAIL FROM:<alice@example.org>")
	confined()
	# Who has which address is in the directory of the accounts.
	outcome(["connect to a UNIX socket", "read another account's verifiers",
	    "read the certificate's key"])
	root = os.geteuid() == 0
	# What lemon-submit(8) says of root's.
	shut_in(c.proc.pid, root, "0000000000000006" if root else "0" * 16)
	assert c.ask(b"QUIT")[-1][:3] == b"221"
	assert c.end() == 0
	END
}

@test "a delivery that was taken over can do nothing elsewhere" {
	taken <<-'END'
	text = b"Subject: x\r\n\r\n"
	if os.geteuid() == 0:
	    p = subprocess.run(["lemon-deliver", "-l"], capture_output=True,
	        input=b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<alice>\r\nDATA\r\n" +
	        text + b".\r\nQUIT\r\n")
	    assert b"\r\n250 2.0.0 Delivered" in p.stdout, p
	    open(T + "/log", "wb").write(p.stderr)
	    if "evil:" not in log():
	        skip("this build or kernel does not confine")
	    outcome()
	    c = Client("lmtp")
	    c.hello()
	    for l in b"MAIL FROM:<>", b"RCPT TO:<alice>", b"DATA":
	        c.ask(l)
	    assert c.ask(text + b".")[-1][:3] == b"250"
	    shut_in(child(c.proc))
	    c.end()
	p = subprocess.run(["lemon-deliver", T + "/home/alice/Maildir"],
	    capture_output=True, input=text)
	assert p.returncode == 0, p
	open(T + "/log", "wb").write(p.stderr)
	if "evil:" not in log():
	    skip("this build or kernel does not confine")
	outcome()
	END
	[ "$(find home/alice/Maildir/new -type f | wc -l)" -ge 1 ]
}

@test "who keeps an owner's URLs and was taken over can do nothing elsewhere" {
	taken <<-'END'
	url = b"imap://alice@h/INBOX/;UID=1;URLAUTH=anonymous:internal:01" + \
	    b"0" * 64
	def ask(become):
	    p = subprocess.run(become + ["lemon-urlauth", "-s"],
	        capture_output=True, input=b"3:bob,0:,%d:%s," % (len(url), url))
	    assert p.stdout == b"-", p
	    open(T + "/log", "wb").write(p.stderr)
	    if "evil:" not in log():
	        skip("this build or kernel does not confine")
	    outcome()
	    p = subprocess.Popen(become + ["lemon-urlauth", "-s"],
	        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
	        stderr=subprocess.DEVNULL, bufsize=0)
	    p.stdin.write(b"3:bob,0:,%d:%s," % (len(url), url))
	    assert p.stdout.read(1) == b"-"
	    shut_in(child(p))
	    p.stdin.close()
	    assert p.wait(WAIT) == 0
	ask([])
	# The tool in the shell, too.
	p = subprocess.run(["lemon-urlauth", "explain", "alice", url],
	    capture_output=True)
	assert p.returncode == 1, p
	open(T + "/log", "wb").write(p.stderr)
	outcome()
	if os.geteuid() == 0:
	    subprocess.run(["chown", "-R", "nobody:nogroup", T + "/control"])
	    ask(USER)
	END
}

@test "without confinement the same acts are done" {
	[ "$(id -u)" != 0 ] || chown -R nobody:nogroup control
	touch log
	[ "$(id -u)" != 0 ] || chown nobody log
	taken <<-'END'
	KINDS["imap"] = USER + KINDS["imap"]
	c = Client("imap", LEMON_PLAINTEXT="1", EVIL_OPEN="1")
	c.ask(b't LOGIN alice "sesame of alice"')
	c.drain()                # as far as the first program that it runs
	c.end()
	done = set(re.findall(r"^evil: DONE (.*)$", log(), re.M))
	assert len(done) > 25, done
	for act in ("read another user's message", "open a TCP socket",
	            "connect by TCP", "remove another user's message"):
	    assert act in done, (act, done)
	# Some after that, each in a session of its own.
	def alone(act):
	    c = Client("imap", LEMON_PLAINTEXT="1", EVIL_OPEN="1",
	        EVIL_ONLY=act)
	    c.ask(b't LOGIN alice "sesame of alice"')
	    said = c.ask(b"t LOGOUT")
	    c.end()
	    assert "evil: refused " + act not in log(), act
	    return said[0] is not None
	for act in "run a program", "run a program by execveat":
	    assert not alone(act), act          # it is another one now
	acts = ["signal another process", "signal a thread", "queue a signal"]
	try:
	    guarded = open("/proc/sys/kernel/yama/ptrace_scope").read() != "0\n"
	except FileNotFoundError:
	    guarded = False
	if not guarded:
	    acts += ["trace another process", "open another process's memory",
	        "read another process's environment"]
	for act in acts:
	    assert alone(act) and "evil: DONE " + act in log(), act
	END
}

@test "no descriptor is open but what a session needs, and none is inherited" {
	[ "$(id -u)" = 0 ] || skip "only root may look"
	taken <<-'END'
	KINDS["imap"] = [T + "/bin/lemon-imapd"]
	os.environ["LEMON_PLAINTEXT"] = "1"
	c = Client("imap")
	c.ask(b't LOGIN alice "sesame of alice"')
	c.ask(b"t SELECT INBOX")
	c.ask(b"t FETCH 1:* BODY[]")
	c.ask(b"t IDLE")
	c.quiet()
	M = T + "/home/alice/Maildir"
	fds = "/proc/%d/fd/" % c.proc.pid
	seen = {}
	for n in os.listdir(fds):
	    to = os.readlink(fds + n)
	    seen[int(n)] = to
	    flags = int(re.search(r"flags:\s+(\d+)", open(
	        "/proc/%d/fdinfo/%s" % (c.proc.pid, n)).read())[1], 8)
	    if int(n) > 2:
	        assert flags & os.O_CLOEXEC, (n, to)
	        assert to.startswith((M, "anon_inode:inotify", "/dev/null")), (
	            n, to)
	assert len(seen) < 24, seen
	END
}

@test "after a login no password is left in memory" {
	[ "$(id -u)" = 0 ] || skip "only root may look"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -days 2 -subj /CN=localhost -keyout k -out c 2>/dev/null
	cat k c >control/tls.pem
	taken <<-'END'
	KINDS["imap"] = [T + "/bin/lemon-imapd"]
	KINDS["submit"] = ["lemon-submit"]
	os.environ["PATH"] = os.environ["PATH"].split(":", 1)[1]
	os.environ["LEMON_PLAINTEXT"] = "1"
	def memory(pid):
	    with open("/proc/%d/maps" % pid) as maps, \
	            open("/proc/%d/mem" % pid, "rb", 0) as mem:
	        for l in maps:
	            m = re.match(r"(\w+)-(\w+) rw", l)
	            if m:
	                a, b = int(m[1], 16), int(m[2], 16)
	                mem.seek(a)
	                yield l.split()[-1], mem.read(b - a)
	secret = b"sesame of alice"
	coded = plain("alice", "sesame of alice")
	logins = [b't LOGIN alice "%s"' % secret,
	    b"t LOGIN alice {%d+}\r\n%s" % (len(secret), secret),
	    b"t AUTHENTICATE PLAIN " + coded,
	    b"t AUTHENTICATE PLAIN\r\n" + coded]
	left = []
	for kind in ("imap", "imap+tls", "submit", "submit+tls"):
	    for login in logins:
	        c = Client(kind)
	        if c.smtp:
	            if b"LOGIN" in login:
	                continue
	            c.hello()
	            login = login.replace(b"t AUTHENTICATE", b"AUTH")
	        c.send(login + b"\r\n")
	        said = c.answer()[-1]
	        if said[:1] == b"+" or said[:3] == b"334":
	            said = c.answer()[-1]
	        assert said[:4] in (b"t OK", b"235 "), said
	        confined()
	        c.quiet()
	        for where, octets in memory(c.proc.pid):
	            for what in (secret, coded, coded[:16]):
	                if what in octets:
	                    i = octets.index(what)
	                    left.append((kind, login[:20], where,
	                        octets[max(0, i - 40):i + 60]))
	        c.end()
	assert not left, "\n".join(map(repr, left))
	END
}

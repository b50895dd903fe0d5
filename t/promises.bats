#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What the store promises (lemon-maildir(5)), of the programs that users run.
# t/unit/store asks the same of the library, t/sweep.t of crashes.

bats_require_minimum_version 1.5.0

load room

setup() {
	room
}

teardown() {
	! mountpoint -q disk || umount -l disk
}

@test "a UID is never used again, with the index deleted at every step" {
	client <<-'END'
	seen, validity = {}, set()
	for i in range(12):
	    s = Imap(M)
	    text = b"Subject: %d\r\n\r\n%d\r\n" % (i, i)
	    said = s.append("INBOX", text)[-1]
	    uid = int(re.search(rb"APPENDUID \d+ (\d+)", said)[1])
	    assert uid > max(seen, default=0), (uid, seen)
	    seen[uid] = text
	    box = Box(s, "INBOX")
	    validity.add(box.validity)
	    for u, (flags, was) in box.msgs.items():
	        assert seen[u] == was, (u, was)
	    if i % 3 == 2:
	        # The newest goes: its number must not come back.
	        s.ok("SELECT INBOX")
	        s.ok("UID STORE %d +FLAGS.SILENT (\\Deleted)" % uid)
	        s.ok("EXPUNGE")
	    s.ok("LOGOUT")
	    s.end()
	    shutil.rmtree(M + "/.lemon")
	assert len(validity) == 1, validity
	assert len(look(M)["INBOX"].msgs) == 8
	END
}

@test "UIDVALIDITY rises when lemon-uidlist is lost, and only then" {
	client <<-'END'
	s = Imap(M)
	for i in range(3):
	    s.append("INBOX", "Subject: %d\r\n\r\n" % i)
	s.ok("LOGOUT")
	s.end()
	first = look(M)["INBOX"]
	shutil.rmtree(M + "/.lemon")
	assert look(M)["INBOX"] == first
	listed = M + "/lemon-uidlist"
	last = first.validity
	def lost(how):
	    global last
	    shutil.rmtree(M + "/.lemon")
	    how()
	    box = look(M)["INBOX"]
	    assert box.validity > last, (box.validity, last)
	    assert box.texts() == first.texts()
	    last = box.validity
	lost(lambda: os.unlink(listed))
	lost(lambda: open(listed, "r+b").write(b"9 rubbish"))
	lost(lambda: os.truncate(listed, 0))
	# A bad line below the header costs its message the UID, no more.
	shutil.rmtree(M + "/.lemon")
	with open(listed, "r+b") as f:
	    text = f.read()
	    f.seek(text.rindex(b" :"))
	    f.write(b"!")
	box = look(M)["INBOX"]
	assert box.validity == last and box.texts() == first.texts()
	END
}

@test "a uidlist lost beside its index comes back with every UID" {
	client <<-'END'
	s = Imap(M)
	s.ok("CREATE There")
	for i in range(3):
	    s.append("INBOX", "Subject: %d\r\n\r\n" % i, "\\Seen $Work")
	s.ok("SELECT INBOX")
	for lost, command in (
	        ("", 'APPEND INBOX ($New) {8+}\r\na: b\r\n\r\n'),
	        ("/.There", "COPY 1:3 There"),
	        ("", "STORE 2 +FLAGS ($More)"), ("", "MOVE 3 There"),
	        ("/.There", "MOVE 2 There")):
	    os.unlink(M + lost + "/lemon-uidlist")
	    s.ok(command)
	    s.append("INBOX", "Subject: after\r\n\r\n")
	    s.append("There", "Subject: after\r\n\r\n")
	    was = look(M)
	    shutil.rmtree(M + "/.lemon")
	    now = look(M)
	    assert now == was, (command, [(k, now[k].msgs, was[k].msgs,
	        now[k].validity, was[k].validity) for k in was])
	END
}

@test "a folder with a removed one's inode shows none of its mail" {
	client <<-'END'
	s = Imap(M)
	s.ok("CREATE Old")
	s.append("Old", "Subject: gone\r\n\r\n")
	s.ok("LOGOUT")
	s.end()
	inode = os.stat(M + "/.Old").st_ino
	shutil.rmtree(M + "/.Old")
	for i in range(300):
	    new = "%s/.New%d" % (M, i)
	    os.mkdir(new)
	    if os.stat(new).st_ino == inode:
	        break
	    os.rename(new, "%s/spare%d" % (T, i))
	else:
	    sys.exit(0)     # not on this file system
	for d in ("cur", "new", "tmp"):
	    os.mkdir(new + "/" + d)
	box = Box(Imap(M), "New%d" % i)
	assert box.exists == 0, box.msgs
	END
}

@test "the index deleted under two sessions: neither sees anything" {
	client <<-'END'
	a, b = Imap(M), Imap(M)
	for i in range(4):
	    a.append("INBOX", "Subject: %d\r\n\r\n" % i, "\\Seen $Work%d" % i)
	a.ok("SELECT INBOX")
	b.ok("SELECT INBOX")
	ask = "FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])"
	# Which of two sessions has \Recent is nobody's promise.
	def seen(s):
	    return [re.sub(rb" ?\\Recent", b"", r) for r in s.ok(ask)]
	was = seen(a)
	assert seen(b)[-5:] == was[-5:]
	for lost in ("/.lemon/index", "/.lemon", "/.lemon/index/data.mdb"):
	    if os.path.isdir(M + lost):
	        shutil.rmtree(M + lost)
	    else:
	        os.unlink(M + lost)
	    for s in (a, b):
	        said = s.ok("NOOP")
	        # A MODSEQ that jumps ahead may have the flags told again.
	        for r in said[:-1]:
	            told = re.match(rb"\* (\d+) FETCH \(FLAGS", r)
	            assert told, said
	            assert flags_of(r) == flags_of(was[int(told[1]) - 1]), r
	        got = seen(s)
	        assert got == was, (lost, got, was)
	    # And they hear of each other still.
	    a.ok("STORE 2 +FLAGS.SILENT (\\Flagged)")
	    assert any(b"\\Flagged" in r for r in b.ok("NOOP")), lost
	    b.ok("STORE 2 -FLAGS.SILENT (\\Flagged)")
	    a.ok("NOOP")
	c = Imap(M)
	c.ok("SELECT INBOX")
	assert sorted(flags_of(r) for r in c.ok("FETCH 1:* FLAGS")[:4]) == \
	    sorted(flags_of(r) for r in was[:4])
	END
}

# on_disk <<PYTHON: client, with the Maildir on what is mounted at disk/.
on_disk() {
	PRELUDE=$(cat <<-'X'
	M = T + "/disk/alice/Maildir"
	os.makedirs(os.path.dirname(M))
	give(T + "/disk/alice")
	C = T + "/disk/control"
	os.makedirs(C)
	for name, text in ("home", T + "/disk/%u"), ("strangers", "crowd"), (
	        "locals", "example.org"), ("plaintext", "1"):
	    with open(C + "/" + name, "w") as f:
	        print(text, file=f)
	subprocess.run(["lemon-user", "-c", C, "add", "alice"], check=True,
	    input=b"sesame\n", stderr=subprocess.DEVNULL)
	give(C)
	def login(n):
	    """By a password, as from the network, to n messages or more."""
	    p = subprocess.run(["lemon-imapd"], capture_output=True,
	        input=b"a LOGIN alice wrong\r\nb LOGIN alice sesame\r\n"
	        b"c SELECT INBOX\r\nd FETCH 1:* FLAGS\r\ne LOGOUT\r\n",
	        env=dict(os.environ, LEMON_CONTROL=C, TCPREMOTEIP="192.0.2.1",
	        PROTO="TCP", LEMON_AUTH_DELAY="0"))
	    said = re.findall(rb"^([a-e]) (OK|NO|BAD)", p.stdout, re.M)
	    assert said == [(b"a", b"NO")] + [(t, b"OK") for t in (
	        b"b", b"c", b"d", b"e")], p
	    assert p.stdout.count(b" FETCH (") >= n, p
	def fill():
	    """As far as it goes."""
	    n = 1 << 16
	    with open(T + "/disk/rest", "wb", 0) as rest:
	        while n:
	            try:
	                rest.write(b"x" * n)
	            except OSError:
	                n //= 2
	def make_room(s):
	    s.ok("SELECT INBOX")
	    s.ok("STORE 1:3 +FLAGS (\\Deleted)")
	    said = s.ok("EXPUNGE")
	    assert b"".join(said).count(b" EXPUNGE") == 3, said
	X
	) client
}

# What a full disk is to lemon-imapd.
full() {
	on_disk <<-'END'
	s = Imap(M)
	for i in range(5):
	    assert s.append("INBOX", "Subject: %d\r\n\r\n%s\r\n" % (
	        i, "x" * 20000))[-1].startswith(b"t OK"), i
	was = look(M)["INBOX"]
	fill()
	for many in (1, 3):
	    said = s.ask(b"APPEND INBOX" +
	        many * (b" {30000+}\r\n" + b"y" * 30000))
	    assert said[-1].startswith(b"t NO ["), said
	    assert b"OVERQUOTA" in said[-1] or b"LIMIT" in said[-1] or \
	        b"UNAVAILABLE" in said[-1], said
	now = look(M)["INBOX"]
	assert now == was, (now.msgs.keys(), was.msgs.keys())
	give(T + "/disk/alice")
	login(5)
	assert not os.listdir(M + "/tmp"), os.listdir(M + "/tmp")
	p = subprocess.run(["lemon-deliver", M], input=b"a: b\n\n" +
	    b"z" * 30000, capture_output=True)
	assert p.returncode == 75 and p.stderr.startswith(b"4.3.1 "), p
	assert look(M)["INBOX"] == was
	make_room(s)
	assert len(look(M)["INBOX"].msgs) == 2
	said = s.append("INBOX", "Subject: room\r\n\r\n" + "x" * 9000)
	assert said[-1].startswith(b"t OK"), said
	END
}

@test "a full tmpfs is a NO and a 4.3.1, and EXPUNGE makes room" {
	[ "$(id -u)" = 0 ] || skip "mounting needs root"
	mkdir disk
	mount -t tmpfs -o size=8m tmpfs disk || skip "no tmpfs here"
	full
}

@test "a full ext4 is a NO and a 4.3.1, and EXPUNGE makes room" {
	[ "$(id -u)" = 0 ] || skip "mounting needs root"
	mkdir disk
	truncate -s 24M image
	mkfs.ext4 -q -m 0 image || skip "no mkfs.ext4 here"
	mount -o loop image disk || skip "no loop device here"
	full
}

@test "a disk without inodes is a NO, and EXPUNGE makes room" {
	[ "$(id -u)" = 0 ] || skip "mounting needs root"
	mkdir disk
	mount -t tmpfs -o size=8m,nr_inodes=80 tmpfs disk ||
	    skip "no tmpfs here"
	on_disk <<-'END'
	s = Imap(M)
	for i in range(5):
	    s.append("INBOX", "Subject: %d\r\n\r\n" % i)
	was = look(M)
	full = T + "/disk/full%d"
	try:
	    for n in range(200):
	        open(full % n, "wb").close()
	except OSError:
	    pass
	for command in ("APPEND INBOX {8+}\r\na: b\r\n\r\n", "CREATE Box"):
	    said = s.ask(command)
	    assert said[-1].startswith(b"t NO [OVERQUOTA] "), said
	p = subprocess.run(["lemon-deliver", M], input=b"a: b\n\n",
	    capture_output=True)
	assert p.returncode == 75 and p.stderr.startswith(b"4.3.1 "), p
	assert look(M) == was
	s = Imap(M)
	make_room(s)
	assert s.append("INBOX", "a: b\r\n\r\n")[-1].startswith(b"t OK")
	os.unlink(full % 0)
	s.ok("SUBSCRIBE INBOX")
	assert len(look(M)["INBOX"].msgs) == 3
	END
}

@test "on a full disk one gets in to much unseen mail, and makes room" {
	[ "$(id -u)" = 0 ] || skip "mounting needs root"
	mkdir disk
	mount -t tmpfs -o size=8m tmpfs disk || skip "no tmpfs here"
	on_disk <<-'END'
	s = Imap(M)
	for i in range(5):
	    s.append("INBOX", "Subject: %d\r\n\r\n%s\r\n" % (i, "x" * 20000))
	s.ok("LOGOUT")
	s.end()
	for i in range(1000):
	    with open("%s/new/1700000000.%d.f" % (M, i), "wb") as f:
	        f.write(b"Subject: foreign %d\n\n" % i)
	give(T + "/disk/alice")
	fill()
	login(100)      # as many as there is room for
	s = Imap(M)
	make_room(s)
	os.unlink(T + "/disk/rest")
	assert len(look(M)["INBOX"].msgs) == 1002
	END
}

@test "a file that may not grow is a clear answer, and the store as before" {
	client <<-'END'
	s = Imap(M)
	s.append("INBOX", "Subject: 1\r\n\r\n")
	was, no = look(M), 0
	text = b"a: b\r\n\r\n" + b"x" * 3000 + b"\r\n"
	size = os.stat(M + "/.lemon/index/data.mdb").st_size
	for n in (0, 1, 16, 100, 500, 2999, 3012, 5000, 65536, size - 4096,
	          size, size + 4096):
	    p = subprocess.run(["prlimit", "--fsize=%d" % n, "lemon-imapd", M],
	        input=b"a APPEND INBOX {%d+}\r\n%s\r\nb SELECT INBOX\r\n"
	        b"c LOGOUT\r\n" % (len(text), text),
	        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
	    assert p.returncode in (0, 75), (n, p)
	    done = re.search(rb"^a OK", p.stdout, re.M) is not None
	    assert done or re.search(rb"^a NO \[|^\* BYE", p.stdout, re.M), (n, p)
	    now = look(M)
	    assert len(now["INBOX"].msgs) == len(was["INBOX"].msgs) + done, (n, p)
	    assert not os.listdir(M + "/tmp"), n
	    was, no = now, no + (not done)
	assert no > 3, no
	END
}

@test "too few descriptors are a clear answer, and the store is as before" {
	# Who has none left to look for leaks with tries for ever.
	export ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0
	client <<-'END'
	s = Imap(M)
	s.append("INBOX", "Subject: 1\r\n\r\n")
	s.ok("CREATE There")
	was = look(M)
	text, ok, no = b"a: b\r\n\r\nx\r\n", 0, 0
	for n in range(4, 40):
	    p = subprocess.run(["prlimit", "--nofile=%d" % n, "lemon-imapd", M],
	        input=b"a SELECT INBOX\r\nb APPEND There {%d+}\r\n%s\r\n"
	        b"c COPY 1 There\r\nd LOGOUT\r\n" % (len(text), text),
	        capture_output=True)
	    out = p.stdout
	    assert p.returncode >= 0, (n, p)
	    if re.search(rb"^\* PREAUTH", out):
	        for tag in b"abcd":
	            assert re.search(rb"^%c (OK|NO|BAD) " % tag, out, re.M) or \
	                re.search(rb"^\* BYE ", out, re.M), (n, p)
	    else:
	        assert out.startswith(b"* BYE ") or p.returncode in (75, 127, 1), p
	    now = look(M)
	    want = sum(re.search(rb"^%c OK" % t, out, re.M) is not None
	        for t in b"bc")
	    assert now["INBOX"] == was["INBOX"], n
	    assert len(now["There"].msgs) - len(was["There"].msgs) == want, (
	        n, out)
	    was, ok, no = now, ok + want, no + (want < 2)
	assert ok > 4 and no > 2, (ok, no)
	END
}

@test "sessions, deliveries and a shell at one mailbox: no phantom, no loss" {
	client <<-'END' || { cat log; false; }
	class View(Imap):
	    """A session that keeps its view as RFC 3501 says."""
	    def open(self):
	        self.uids = []
	        self.heed(self.ok("SELECT INBOX"), True)
	        return self
	    def heed(self, said, fresh=False):
	        for r in said:
	            m = re.fullmatch(rb"\* (\d+) (EXISTS|EXPUNGE)", r)
	            if m and m[2] == b"EXISTS":
	                n = int(m[1])
	                assert n >= len(self.uids), (n, self.uids)
	                self.uids += [None] * (n - len(self.uids))
	            elif m:
	                gone = self.uids.pop(int(m[1]) - 1)
	                assert gone in removed, "phantom EXPUNGE of %s" % gone
	            m = re.match(rb"\* (\d+) FETCH .*UID (\d+)", r)
	            if m:
	                seq, uid = int(m[1]) - 1, int(m[2])
	                assert self.uids[seq] in (None, uid), (seq, uid)
	                self.uids[seq] = uid
	        return said
	    def do(self, command):
	        return self.heed(self.ask(command))
	    def glance(self):
	        self.do("NOOP")
	        if self.uids:
	            self.do("FETCH 1:* (UID FLAGS)")
	        known = [u for u in self.uids if u]
	        assert known == sorted(set(known)), known
	removed, expect = set(), set()
	log = open("log", "ab")
	a = View(M, stderr=log).open()
	for i in range(30):
	    a.heed(a.append("INBOX", "Subject: first %d\r\n\r\n" % i))
	    expect.add("first %d" % i)
	a.glance()
	first = list(a.uids)
	b = View(M, stderr=log).open()
	b.glance()
	# The shell renames the first 20 without end, and delivers.
	storm = subprocess.Popen(["sh", "-c", """
	cd "$0"; i=0
	while [ ! -e stop ]; do
	    for f in $(ls cur | head -20); do
	        case $f in
	        *:2,*S*) mv -n "cur/$f" "cur/${f%%:2,*}:2," ;;
	        *:2,*) mv -n "cur/$f" "cur/${f%%:2,*}:2,S" ;;
	        esac
	    done 2>/dev/null
	    printf 'Subject: shell %d\n\n' $i >tmp/$i
	    mv tmp/$i new/2000000000.$i.shell
	    i=$((i + 1))
	done; echo $i""", M], stdout=subprocess.PIPE)
	for i in range(25):
	    subprocess.run(["lemon-deliver", M], check=True,
	        input=b"Subject: delivered %d\n\n" % i)
	    expect.add("delivered %d" % i)
	    for s in (a, b):
	        s.glance()
	    a.do("UID STORE %d +FLAGS.SILENT (\\Answered)" % first[25])
	    b.do("UID COPY %d INBOX" % first[26])
	    expect.add("first 26")
	    if i in (5, 10, 15):
	        uid = first[20 + i // 5]
	        removed.add(uid)
	        expect.discard("first %d" % (20 + i // 5))
	        b.do("UID STORE %d +FLAGS (\\Deleted)" % uid)
	        b.do("UID EXPUNGE %d" % uid)
	open(M + "/stop", "w").close()
	shells = int(storm.communicate()[0])
	expect |= {"shell %d" % i for i in range(shells)}
	# A remove by hand, once all is quiet: only those go.
	# Names do not sort by time: M99000 comes after M101000.
	gone = {"first %d" % i: i for i in range(3)}
	for name in os.listdir(M + "/cur"):
	    subject = open(M + "/cur/" + name).read().split("\n")[0][9:]
	    if subject in gone:
	        os.unlink(M + "/cur/" + name)
	        removed.add(first[gone.pop(subject)])
	        expect.discard(subject)
	assert not gone, gone
	want = len(expect) + 25     # copies of one
	until = time.monotonic() + 60
	while True:
	    for s in (a, b):
	        s.do("CHECK")
	        s.glance()
	    if len(a.uids) == len(b.uids) == want or time.monotonic() > until:
	        break
	box = look(M)["INBOX"]
	assert a.uids == b.uids == sorted(box.msgs), (
	    len(a.uids), len(b.uids), len(box.msgs), want)
	found = [t.split(b"\r\n")[0][9:].decode() for t in box.texts()]
	assert set(found) == expect, set(found) ^ expect
	assert len(found) == want, (len(found), want)
	END
}

@test "no name a client sends leads to another user's mail" {
	for u in alice bob; do
		mkdir -p "home/$u" control
		echo "$T/home/%u" >control/home
		echo example.org >control/locals
		echo pass | lemon-user add "$u" 2>/dev/null
		printf 'Subject: secret of %s\n\n' "$u" |
		    lemon-deliver "$T/home/$u/Maildir"
	done
	mkdir -p home/bob/Maildir/.Private/{cur,new,tmp}
	cp home/bob/Maildir/new/* home/bob/Maildir/.Private/cur/1.private:2,
	client <<-'END'
	M, B = T + "/home/alice/Maildir", T + "/home/bob/Maildir"
	# What alice's own shell may have put there.
	secret = B + "/.Private/cur/1.private:2,"
	os.symlink(B, M + "/.Whole")
	os.symlink("../../bob/Maildir/.Private", M + "/.Part")
	for d in ("Cur", "New"):
	    os.mkdir("%s/.%s" % (M, d))
	    for sub in ("cur", "new", "tmp"):
	        if sub == d.lower():
	            os.symlink(B + "/.Private/cur", "%s/.%s/%s" % (M, d, sub))
	        else:
	            os.mkdir("%s/.%s/%s" % (M, d, sub))
	os.symlink(secret, M + "/cur/2.link:2,")
	os.symlink(secret, M + "/new/3.link")
	os.mkfifo(M + "/cur/4.fifo:2,")
	def all_of(path):
	    found = {}
	    for at, dirs, files in os.walk(path):
	        for f in files:
	            s = os.lstat(at + "/" + f)
	            found[at + "/" + f] = (s.st_ino, s.st_mtime_ns, s.st_size)
	    return found
	was = all_of(B)
	give(T + "/home")
	s = Imap(M)
	names = [b"../bob/Maildir", b"../../bob/Maildir/.Private", B.encode(),
	    b"~bob", b"~bob/Maildir", b"~", b"..", b".", b"/", b"//", b"a/../b",
	    b"/etc/passwd", b"./..", b"&AC8-", b"..&AC8-bob", b"&AC4-&AC4-/bob",
	    b"INBOX/../../bob", b"../bob/Maildir/.Private", b"#shared/bob",
	    b"Other Users/bob", b"user.bob", b"Whole", b"Part", b"Whole/Private",
	    b"Cur", b"New", b"&", b"&AAA-", b"a&AGE-", b"%2e%2e/bob", b"\xc0\xae",
	    b"a\x01b", b"x" * 300, b"&2D0-", b"lemon", b".lemon/index"]
	text = b"Subject: from alice\r\n\r\n"
	for name in names:
	    lit = b"{%d+}\r\n%s" % (len(name), name)
	    for c in (b"SELECT %s", b"EXAMINE %s", b"STATUS %s (MESSAGES)",
	              b"CREATE %s", b"LIST %s *", b"LSUB %s *", b'LIST "" %s',
	              b"SUBSCRIBE %s", b"RENAME %s Mine", b"RENAME INBOX %s",
	              b"APPEND %s {24+}\r\n" + text, b"DELETE %s"):
	        said = s.ask(c % lit)
	        if said[-1].startswith(b"t OK") and c.startswith((b"S", b"E")):
	            said += s.ask("UID FETCH 1:* (FLAGS BODY.PEEK[])")
	            said += s.ask("COPY 1:* INBOX")
	        assert b"secret of bob" not in b"\n".join(said), (name, c, said)
	# NUL is no character of a name at all.
	assert s.ask(b"SELECT {3+}\r\na\0b")[-1].startswith(b"t BAD")
	s.ok("LOGOUT")
	s.end()
	for name, box in look(M).items():
	    assert b"secret of bob" not in b"".join(box.texts()), name
	give(T + "/home")
	assert all_of(B) == was, "bob's files were touched"
	for rcpt in (b"../bob", b"/bob", b"alice+../../bob/Maildir", b"~bob",
	             b"alice+Whole", b"alice+Part", b"alice/../bob", b"."):
	    p = subprocess.run(["lemon-deliver", "-l"], capture_output=True,
	        input=b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<" + rcpt +
	        b"@example.org>\r\nDATA\r\n" + text + b"\r\n.\r\nQUIT\r\n")
	    assert all_of(B) == was, (rcpt, p)
	END
	# A login is one account's, whatever its name looks like.
	local n
	for n in '../users/bob' './bob' 'bob/' '/bob' 'bob/../alice' '' '.' '..' \
	    $'bob\n'; do
		printf 'a AUTHENTICATE PLAIN %s\r\nb STATUS INBOX (MESSAGES)\r\n' \
		    "$(printf '\0%s\0pass' "$n" | base64)" |
		    TCPREMOTEIP=127.0.0.1 LEMON_PLAINTEXT=1 lemon-imapd \
		    >out 2>log || :
		! grep -q '^[ab] OK' out || { echo "$n"; cat out; false; }
	done
}

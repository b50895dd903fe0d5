#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Damage the index of a living store, again and again, and look at what
clients see of it.

    index_damage.py [-n TRIALS] [-s SEED] [-j WORKERS] [-k KIND] [-v]

Each trial damages the index's file, between sessions or under two of them
(one has the mailbox selected, one is in IDLE), with a delivery, APPEND,
STORE, COPY and EXPUNGE before and after.  A model knows what every
acknowledgement said; in each trial the store must be as the model has it, by
UID: flags, keywords, internal date, size and octets.  UIDVALIDITY stays, and
neither UIDNEXT nor MODSEQ falls.  What was given up with
an error, or in a session that ended, may have been done or not.  At most one
connection may be lost in a trial.  It prints what happened, by kind of
damage.  Each worker has its own seed, from SEED on, and its own directory,
which whoever comes next removes if a worker was killed."""
import argparse
import collections
import fcntl
import glob
import hashlib
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PAGE = 4096
NUMBERS = os.environ.get("LEMON_BUILD", "build") + "/t/sweep/numbers"
FETCH = "UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])"


class Lost(Exception):
    """The server closed the connection."""


class Session:
    living = set()

    def __init__(self, maildir, log):
        self.p = subprocess.Popen(["lemon-imapd", maildir],
                                  stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=log,
                                  bufsize=0)
        self.data = b""
        Session.living.add(self)
        self.line()

    def readable(self, wait):
        poll = select.poll()
        poll.register(self.p.stdout, select.POLLIN)
        return bool(poll.poll(wait * 1000))

    def more(self, wait=60):
        if not self.readable(wait):
            if "HANG" in os.environ:
                os.system("gdb -q -batch -p %d -ex bt >&2 2>/dev/null" %
                          self.p.pid)
            raise AssertionError("the server does not answer")
        piece = os.read(self.p.stdout.fileno(), 1 << 20)
        if not piece:
            raise Lost
        self.data += piece

    def line(self):
        """One response line with its literals, as a list of pieces."""
        out = []
        while True:
            while b"\r\n" not in self.data:
                self.more()
            text, self.data = self.data.split(b"\r\n", 1)
            out.append(text)
            m = re.search(rb"\{(\d+)\}$", text)
            if not m:
                return out
            n = int(m.group(1))
            while len(self.data) < n:
                self.more()
            out.append(self.data[:n])
            self.data = self.data[n:]

    def send(self, octets):
        try:
            self.p.stdin.write(octets)
        except BrokenPipeError:
            raise Lost from None

    def do(self, command, literal=None):
        """The untagged responses, and the tagged one."""
        self.send(b"t " + command.encode())
        if literal is not None:
            self.send(b" {%d+}\r\n" % len(literal) + literal)
        self.send(b"\r\n")
        untagged = []
        while True:
            line = self.line()
            if line[0].startswith(b"t "):
                return untagged, line[0][2:].decode()
            untagged.append(line)

    def pending(self):
        """Lines that are there without asking."""
        out = []
        while self.readable(0):
            try:
                self.more()
            except Lost:
                break
        while b"\r\n" in self.data:
            out.append(self.line()[0])
        return out

    def end(self):
        Session.living.discard(self)
        self.p.stdin.close()
        self.p.stdout.close()
        return self.p.wait()

    @classmethod
    def end_all(cls):
        for s in list(cls.living):
            s.end()


def message(n):
    body = "".join("line %d of %d\r\n" % (i, n) for i in range(n % 13))
    return ("From: a%d@example.org\r\nSubject: number %d\r\n"
            "Message-ID: <%d@example.org>\r\n\r\n%s" %
            (n % 7, n, n, body)).encode()


def parse_fetch(lines):
    """UID to (flags, date, size, hash of the octets)."""
    out = {}
    for line in lines:
        m = re.match(rb"\* \d+ FETCH \((.*)", line[0])
        if not m or len(line) < 2:
            continue
        head = m.group(1)
        uid = int(re.search(rb"UID (\d+)", head).group(1))
        flags = re.search(rb"FLAGS \(([^)]*)\)", head).group(1).split()
        flags = frozenset(f for f in flags if f != rb"\Recent")
        date = re.search(rb'INTERNALDATE "([^"]*)"', head).group(1)
        size = int(re.search(rb"RFC822.SIZE (\d+)", head).group(1))
        if size != len(line[1]):
            raise AssertionError("uid %d: size %d, octets %d" %
                                 (uid, size, len(line[1])))
        if uid in out:
            raise AssertionError("uid %d twice" % uid)
        out[uid] = (flags, date, size, hashlib.md5(line[1]).hexdigest())
    return out


# --- the damage ---

def pages(path):
    """Those that are in use, perhaps."""
    with open(path, "rb") as f:
        data = f.read()
    return [i for i in range(len(data) // PAGE)
            if data[i * PAGE:(i + 1) * PAGE].strip(b"\0")], len(data)


def poke(path, at, octets):
    fd = os.open(path, os.O_WRONLY)
    os.pwrite(fd, octets, at)
    os.close(fd)


def flip(w, n=1):
    used, _ = pages(w.data)
    for _ in range(n):
        at = random.choice(used) * PAGE + random.randrange(PAGE)
        with open(w.data, "rb") as f:
            f.seek(at)
            old = f.read(1)[0]
        poke(w.data, at, bytes([old ^ random.randrange(1, 256)]))


def flip_few(w):
    flip(w, random.randrange(2, 40))


def flip_meta(w):
    """In what LMDB reads first: its two pages, the beginning of the others."""
    used, _ = pages(w.data)
    at = random.choice([0, 1] + used) * PAGE + random.randrange(160)
    with open(w.data, "rb") as f:
        f.seek(at)
        old = f.read(1)[0]
    poke(w.data, at, bytes([old ^ (1 << random.randrange(8))]))


def run_of(w):
    used, _ = pages(w.data)
    at = random.choice(used) * PAGE + random.randrange(PAGE)
    poke(w.data, at, os.urandom(random.randrange(2, 3000)))


def zero_page(w):
    poke(w.data, random.choice(pages(w.data)[0]) * PAGE, bytes(PAGE))


def random_page(w):
    poke(w.data, random.choice(pages(w.data)[0]) * PAGE, os.urandom(PAGE))


def swap_pages(w):
    used, _ = pages(w.data)
    a, b = random.choice(used), random.choice(used)
    with open(w.data, "rb") as f:
        data = f.read()
    poke(w.data, a * PAGE, data[b * PAGE:(b + 1) * PAGE])
    poke(w.data, b * PAGE, data[a * PAGE:(a + 1) * PAGE])


def truncate(w):
    used, size = pages(w.data)
    os.truncate(w.data, random.choice(
        [0, 1, PAGE, 2 * PAGE, random.randrange(size),
         random.choice(used) * PAGE + random.randrange(PAGE)]))


def truncate_lock(w):
    os.truncate(w.lock, random.choice([0, 64, 4096]))


def delete(w):
    what = random.randrange(4)
    if what == 0:
        os.unlink(w.data)
    elif what == 1:
        os.unlink(w.lock)
    elif what == 2:
        shutil.rmtree(w.index, ignore_errors=True)
    else:
        shutil.rmtree(os.path.dirname(w.index), ignore_errors=True)


def replace(w, source):
    new = w.data + ".new"
    shutil.copy(source, new)
    os.rename(new, w.data)


def empty(w):
    open(w.data + ".new", "wb").close()
    os.rename(w.data + ".new", w.data)


def another(w):
    replace(w, w.another)


def another_in_place(w):
    with open(w.another, "rb") as f:
        poke(w.data, 0, f.read())


def older(w):
    if not os.path.exists(w.older):
        return
    replace(w, w.older)


KINDS = [flip] * 6 + [flip_few] * 2 + [flip_meta] * 3 + [
    run_of, run_of, zero_page, random_page, swap_pages, truncate, truncate,
    truncate_lock, delete, empty, another, another_in_place, older]


# --- the store and its model ---

class World:
    def __init__(self, top, log):
        self.top, self.log = top, log
        self.maildir = top + "/M"
        self.index = self.maildir + "/.lemon/index"
        self.data = self.index + "/data.mdb"
        self.lock = self.index + "/lock.mdb"
        self.another = top + "/another"
        self.older = top + "/older"
        self.count = 0
        self.lost = self.refused = 0
        self.model = {"INBOX": {}, "Lists/C": {}}
        self.validity = {}
        self.numbers = {}       # mailbox: UIDNEXT, MODSEQ

    def session(self):
        return Session(self.maildir, self.log)

    def deliver(self):
        self.count += 1
        p = subprocess.run(["lemon-deliver", self.maildir],
                           input=message(self.count).replace(b"\r\n", b"\n"),
                           stderr=self.log, check=False)
        if p.returncode not in (0, 75):
            raise AssertionError("lemon-deliver ends with %d" % p.returncode)
        return p.returncode == 0

    def furnish(self):
        for i in range(150):
            self.count += 1
            path = "%s/new/%d.made" % (self.maildir, self.count)
            if i == 0:
                self.deliver()
                continue
            with open(path, "wb") as f:
                f.write(message(self.count).replace(b"\r\n", b"\n"))
        s = self.session()
        for command in ("CREATE Lists/C", "SUBSCRIBE Lists/C",
                        "SELECT INBOX", "UID STORE 1:20 +FLAGS (\\Seen)",
                        "UID STORE 5:9 +FLAGS (work $Label1)",
                        "UID STORE 30 +FLAGS (\\Deleted \\Flagged)",
                        "EXPUNGE", "UID COPY 1:60 Lists/C",
                        "UID FETCH 1:* ENVELOPE"):
            _, said = s.do(command)
            assert said.startswith("OK"), said
        s.end()
        for box in self.model:
            self.model[box], self.validity[box], _ = self.see(box)

    def see(self, box, s=None):
        own = s is None
        s = s or self.session()
        lines, said = s.do('SELECT "%s"' % box)
        if not said.startswith("OK"):
            s.end()
            raise AssertionError("SELECT: " + said)
        text = b"\n".join(x[0] for x in lines)
        validity = int(re.search(rb"UIDVALIDITY (\d+)", text).group(1))
        exists = int(re.search(rb"\* (\d+) EXISTS", text).group(1))
        lines, said = s.do(FETCH)
        if not said.startswith("OK"):
            raise AssertionError("FETCH: " + said)
        got = parse_fetch(lines)
        if len(got) != exists:
            raise AssertionError("%d exist, %d are fetched" %
                                 (exists, len(got)))
        if own:
            s.end()
        return got, validity, s

    def see_surely(self, box):
        """Twice if a connection is lost."""
        try:
            got, validity, _ = self.see(box)
        except Lost:
            self.lost += 1
            got, validity, _ = self.see(box)
        return got, validity

    def look(self, may=()):
        """Compare all with the model."""
        for box in self.model:
            got, validity = self.see_surely(box)
            want = self.model[box]
            if validity != self.validity[box]:
                raise AssertionError("UIDVALIDITY is another")
            if got != want:
                for uid in sorted(set(got) | set(want)):
                    if got.get(uid) != want.get(uid) and uid not in may:
                        raise AssertionError(
                            "%s: uid %d is %s, was %s" %
                            (box, uid, got.get(uid), want.get(uid)))
            self.model[box] = got

    def count_on(self):
        """The numbers that no client may see fall."""
        p = subprocess.run([NUMBERS, self.maildir], stdout=subprocess.PIPE,
                           stderr=self.log, check=False)
        if p.returncode != 0:
            raise AssertionError("numbers ends with %d" % p.returncode)
        for line in p.stdout.decode().splitlines():
            _, uidnext, modseq, box = line.split(" ", 3)
            now = int(uidnext), int(modseq)
            was = self.numbers.setdefault(box, now)
            if now[0] < was[0] or now[1] < was[1]:
                raise AssertionError("%s: UIDNEXT and MODSEQ fell from %d, %d "
                                     "to %d, %d" % (box, *was, *now))
            self.numbers[box] = now

    def work(self, s):
        """Change things, and the model with what is acknowledged.  Returns
        the UIDs of INBOX that may or may not have changed."""
        inbox = self.model["INBOX"]
        maybe = set()

        def ok(said):
            if said.startswith("OK"):
                return True
            self.refused += 1
            return False

        uids = sorted(inbox)
        uid = random.choice(uids)
        maybe.add(uid)
        flag = random.choice([rb"\Seen", rb"\Flagged", rb"\Answered",
                              b"work", b"$Label1", b"other"])
        _, said = s.do("UID STORE %d +FLAGS (%s)" % (uid, flag.decode()))
        if ok(said):
            f, d, n, h = inbox[uid]
            inbox[uid] = (f | {flag}, d, n, h)
            maybe.discard(uid)
        many = sorted(random.sample(uids, min(20, len(uids))))
        maybe.update(many)
        _, said = s.do("UID STORE %s -FLAGS.SILENT (\\Answered)" %
                       ",".join(map(str, many)))
        if ok(said):
            for u in many:
                f, d, n, h = inbox[u]
                inbox[u] = (f - {rb"\Answered"}, d, n, h)
            maybe.difference_update(many)
        self.count += 1
        text = message(self.count)
        _, said = s.do('APPEND INBOX (\\Seen) "11-Jan-2020 00:00:00 +0000"',
                       text)
        m = re.search(r"APPENDUID \d+ (\d+)", said)
        if ok(said):
            inbox[int(m.group(1))] = (
                frozenset([rb"\Seen"]), b"11-Jan-2020 00:00:00 +0000",
                len(text), hashlib.md5(text).hexdigest())
        uid = random.choice(uids)
        _, said = s.do("UID COPY %d Lists/C" % uid)
        m = re.search(r"COPYUID \d+ \d+ (\d+)", said)
        if ok(said) and m:
            self.model["Lists/C"][int(m.group(1))] = inbox[uid]
        uid = random.choice(uids)
        maybe.add(uid)
        _, said = s.do("UID STORE %d +FLAGS.SILENT (\\Deleted)" % uid)
        if ok(said):
            _, said = s.do("EXPUNGE")
            if ok(said):
                # And whatever an EXPUNGE that was refused left.
                for u in [u for u in inbox if rb"\Deleted" in inbox[u][0]]:
                    del inbox[u]
                del inbox[uid]
                maybe.discard(uid)
        return maybe


def watch(lines, changed):
    """What a waiting session may hear: the real changes, nothing else."""
    fetches = sum(b" FETCH " in x for x in lines)
    gone = sum(b" EXPUNGE" in x for x in lines)
    if gone > changed:
        raise AssertionError("%d EXPUNGE for %d" % (gone, changed))
    return fetches


class Tally:
    def __init__(self):
        self.trials = collections.Counter()
        self.lost = collections.Counter()
        self.refused = collections.Counter()
        self.latent = collections.Counter()
        self.told = collections.Counter()


def trial(w, kind, live, tally):
    """One; raises AssertionError with what is wrong."""
    name = kind.__name__
    w.lost = w.refused = 0
    maybe = set()
    if live:
        s, idle = w.session(), w.session()
        before, _, _ = w.see("INBOX", s)
        exists = len(before)
        idle.do("SELECT INBOX")
        idle.do("UID FETCH 1:* FLAGS")
        idle.send(b"i IDLE\r\n")
        idle.line()
        kind(w)
        if random.random() < 0.3:
            w.deliver()
            exists = None
        try:
            lines, said = s.do("NOOP")
            heard = [x[0] for x in lines]
            if any(b"EXPUNGE" in x for x in heard):
                raise AssertionError("a phantom EXPUNGE")
            if exists is not None and any(b"EXISTS" in x for x in heard):
                raise AssertionError("EXISTS for nothing: %s" % heard[:3])
            tally.told[name] += sum(b" FETCH " in x for x in heard)
            lines, said = s.do(FETCH)
            if said.startswith("OK"):
                got = parse_fetch(lines)
                for uid in before:
                    if got.get(uid) != before[uid]:
                        raise AssertionError("uid %d is %s, was %s" % (
                            uid, got.get(uid), before[uid]))
            else:
                w.refused += 1
            if exists is None:
                w.look_new = True
                # What was delivered has a UID now.
                for uid in set(got) - set(before):
                    w.model["INBOX"][uid] = got[uid]
            maybe = w.work(s)
        except Lost:
            w.lost += 1
            maybe = None
        try:
            heard = idle.pending()
            tally.told[name] += max(0, watch(heard, 3) - 30)
            idle.send(b"DONE\r\n")
            while not idle.line()[0].startswith(b"i "):
                pass
        except Lost:
            w.lost += 1
        s.end()
        idle.end()
    else:
        kind(w)
    if maybe is None or live:
        # Lost in the middle: take what is there, but only what can be.
        settle(w, maybe)
    else:
        w.look()
    if w.lost > 1:
        raise AssertionError("%d connections lost" % w.lost)
    try:
        s = work_session(w)
        maybe = w.work(s)
        s.end()
        settle(w, maybe)
    except Lost:
        w.lost += 1
        settle(w, None)
    if w.lost > 1:
        raise AssertionError("%d connections lost" % w.lost)
    p = subprocess.run(["lemon-store", "check", "-q", w.maildir],
                       stdout=subprocess.PIPE, stderr=w.log, check=False)
    if p.returncode != 0:
        tally.latent[name] += 1
        if os.environ.get("LATENT"):
            print("# latent after %s: %s" % (name, p.stdout.decode()[:600]))
        subprocess.run(["lemon-store", "rebuild", w.maildir],
                       stdout=subprocess.DEVNULL, stderr=w.log, check=False)
        w.look()
    w.count_on()
    tally.trials[name] += 1
    tally.lost[name] += w.lost
    tally.refused[name] += w.refused
    Session.end_all()


def work_session(w):
    s = w.session()
    _, said = s.do("SELECT INBOX")
    if not said.startswith("OK"):
        raise AssertionError("SELECT: " + said)
    return s


def settle(w, maybe):
    """Look, where some of the last commands may or may not have happened:
    octets, dates and sizes hold in any case, and so do flags but of maybe
    (None: of all)."""
    for box in w.model:
        got, validity = w.see_surely(box)
        want = w.model[box]
        if validity != w.validity[box]:
            raise AssertionError("UIDVALIDITY is another")
        for uid, is_now in got.items():
            was = want.get(uid)
            if was is None:
                if maybe is not None and not w.refused:
                    raise AssertionError("%s: a new uid %d" % (box, uid))
            elif was[1:] != is_now[1:]:
                raise AssertionError("%s: uid %d is %s, was %s" % (
                    box, uid, is_now, was))
            elif was[0] != is_now[0] and maybe is not None and \
                    uid not in maybe:
                raise AssertionError("%s: uid %d has %s, had %s" % (
                    box, uid, is_now[0], was[0]))
        missing = [u for u in want if u not in got and
                   (maybe is not None and u not in maybe)]
        if missing or len([u for u in want if u not in got]) > 2:
            raise AssertionError("%s: gone: %s" % (
                box, [u for u in want if u not in got][:9]))
        w.model[box] = got


def renew(top, log):
    Session.end_all()
    shutil.rmtree(top, ignore_errors=True)
    os.makedirs(top)
    other = World(top + "/o", log)
    os.makedirs(other.top)
    other.furnish()
    w = World(top, log)
    w.furnish()
    shutil.copy(other.data, w.another)
    return w


def claim(prefix):
    """A directory of our own, locked while we live; those of the dead go."""
    for left in glob.glob(prefix + "*"):
        fd = os.open(left, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
        except BlockingIOError:
            pass
        os.close(fd)
    while True:
        top = tempfile.mkdtemp(prefix=os.path.basename(prefix),
                               dir=os.path.dirname(prefix))
        try:
            fd = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(fd, fcntl.LOCK_EX)
            if os.path.isdir(top):
                return top
        except FileNotFoundError:
            pass    # taken for a dead one's


def spread(a):
    """Run the workers; whether any found something bad."""
    workers = []
    try:
        for i in range(a.j):
            n = a.n * (i + 1) // a.j - a.n * i // a.j
            workers.append(subprocess.Popen(
                [sys.executable, __file__, "-n", str(n), "-s", str(a.s + i)] +
                (["-k", a.k] if a.k else []) + (["-v"] if a.v else [])))
        return any([p.wait() for p in workers])
    finally:
        for p in workers:
            p.terminate()
            p.wait()


def run(a, top):
    parent = os.getppid()
    log = open(top + "/log", "ab")
    bad = 0
    tally = Tally()
    w = renew(top + "/w", log)
    kinds = [k for k in KINDS if (a.k is None or k.__name__ in a.k.split(","))
             and k.__name__ not in a.x.split(",")]
    for i in range(a.n):
        kind, live = random.choice(kinds), random.random() < 0.5
        if i % 40 == 20:
            shutil.copy(w.data, w.older)
        try:
            trial(w, kind, live, tally)
        except (AssertionError, Lost) as e:
            bad += 1
            print("# seed %d trial %d %s%s: %s" % (
                a.s, i, kind.__name__, " live" if live else "", e or "lost"))
            sys.stdout.flush()
            if bad > 20:
                break
            w = renew(top + "/w", log)
        if a.v and i % 100 == 99:
            print("# seed %d: %d trials, %d bad" % (a.s, i + 1, bad))
            sys.stdout.flush()
        if os.getppid() != parent:
            break
    Session.end_all()
    print("# seed %d" % a.s)
    print("# %-18s %7s %7s %7s %7s %7s" % ("damage", "trials", "lost",
                                          "refused", "latent", "told"))
    for k in sorted(tally.trials):
        print("# %-18s %7d %7d %7d %7d %7d" % (
            k, tally.trials[k], tally.lost[k], tally.refused[k],
            tally.latent[k], tally.told[k]))
    print("# %d trials, %d connections lost, %d commands refused, %d bad" % (
        sum(tally.trials.values()) + bad, sum(tally.lost.values()),
        sum(tally.refused.values()), bad))
    return bad != 0


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("-n", type=int, default=200)
    ap.add_argument("-s", type=int, default=int(time.time()))
    ap.add_argument("-j", type=int, default=1, help="that many at a time")
    ap.add_argument("-k", help="only these kinds, with commas between")
    ap.add_argument("-x", default="", help="none of these kinds")
    ap.add_argument("-v", action="store_true")
    a = ap.parse_args()
    for sig in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        signal.signal(sig, lambda sig, _: sys.exit(128 + sig))
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    if a.j > 1:
        return spread(a)
    random.seed(a.s)
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else \
        tempfile.gettempdir()
    top = claim(base + "/lemon-damage.")
    try:
        return run(a, top)
    finally:
        Session.end_all()
        shutil.rmtree(top, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: ISC
"""Many writers and watchers at one store, and some of them killed.

usage: storm.py SECONDS SEED [LOST]  in an empty directory

Eight writers (LMTP, APPEND, STORE, COPY, MOVE, EXPUNGE, a shell, mbsync)
work on four mailboxes, and random ones get SIGKILL in the middle of a command.
Watchers (NOOP, IDLE, and one that asks the store itself) heed what they are
told.  Then the store is compared with what was acknowledged (model.py), with
what is on the disk, with what the watchers think, and with itself after the
index was deleted.  Last, faults are made on purpose, which the comparison
must find.  LOST is how often the index is deleted, or moved away, in the
middle of it all.
"""
import binascii
import copy
import multiprocessing
import multiprocessing.popen_fork
import os
import pickle
import random
import re
import select
import shutil
import socket
import subprocess
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from imap_client import Gone, Imap, flags_of, look  # noqa: E402
from model import FOREVER, Journal, Model, check, merge   # noqa: E402

HERE = os.getcwd()
MAIL = HERE + "/home/alice/Maildir"
NEAR = HERE + "/near"
BOXES = ("INBOX", "Work", "There", "Sync")
FULL = 250          # messages in one, about
LETTERS = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered",
           "S": "\\Seen", "T": "\\Deleted"}
now = time.monotonic


def folder(box):
    return MAIL if box == "INBOX" else MAIL + "/." + box


def body(token):
    """The one text that has this token."""
    n = binascii.crc32(token.encode())
    text = "Subject: %s\r\n\r\n" % token
    size = 70000 if n % 60 == 0 else n % 2000
    return (text + ("%s\r\n" % token) * (size // len(token))).encode()


def token_of(text):
    m = re.search(rb"^Subject: (\S+)", text, re.M)
    return m[1].decode() if m else ""


# --- sessions that may be killed ---

class Session(Imap):
    """One that waits for a random while of a command, and is then killed."""

    def __init__(self, writer, argv=("lemon-imapd", MAIL)):
        self.writer = writer
        self.sock, theirs = socket.socketpair()
        with open("%s/log-%s" % (HERE, writer.name), "ab") as log:
            self.proc = subprocess.Popen(argv, stdin=theirs, stdout=theirs,
                                         stderr=log)
        theirs.close()
        self.sock.settimeout(120)
        self.held = b""
        self.box = None
        self.greeting = self.response()
        assert self.greeting.startswith((b"* PREAUTH", b"220")), self.greeting

    def kill(self):
        self.proc.kill()
        self.proc.wait()
        self.writer.j.count["kills"] += 1

    def rest(self):
        """What it said before it died, in whole responses."""
        said = []
        try:
            while True:
                said.append(self.response())
        except (Gone, OSError):
            return said

    def run(self, command, may_die=True, done=b"t "):
        """(responses, whether it lived).  The last of one that lived is
        tagged."""
        w = self.writer
        verb = command[:12].split(b" {")[0].split(b" (")[0]
        usual = w.usual.get(verb, 0.002)
        t = now()
        self.send((b"t " if done == b"t " else b"") + command + b"\r\n")
        if may_die and w.rng.random() < w.deadly:
            wait = w.rng.uniform(0, 1.5 * usual)
            # Its answer may come before; that is a death, too.
            until = t + wait
            while now() < until:
                select.select([self.sock], [], [], max(0, until - now()))
                break
            self.kill()
            return self.rest(), False
        said = self.until(done)
        w.usual[verb] = 0.8 * usual + 0.2 * (now() - t)
        return said, True


class Writer:
    """One process's worth of work."""
    deadly = 0.06       # of the commands, the part that dies

    def __init__(self, seed, stop):
        self.name = type(self).__name__.lower()
        self.rng = random.Random("%s/%s" % (seed, self.name))
        self.stop = stop
        self.j = Journal()
        self.usual = {}
        self.made = 0
        self.s = None

    def token(self):
        self.made += 1
        return "%s-%d" % (self.name, self.made)

    def work(self):
        while now() < self.stop:
            try:
                self.step()
            except Gone as e:
                self.j.wrong.append("%s: a session ended by itself: %s" % (
                    self.name, e))
                self.s = None
                break
            self.j.count[self.name] += 1
        self.close()

    def close(self):
        if self.s is not None and self.s.proc.poll() is None:
            self.s.end()
        self.s = None

    def session(self):
        if self.s is None:
            self.s = Session(self)
        return self.s

    def ask(self, command, may_die=True):
        """Responses and whether it was said OK; None: it was killed."""
        if isinstance(command, str):
            command = command.encode()
        said, lived = self.session().run(command, may_die)
        if not lived:
            self.s = None
        last = said[-1] if said else b""
        if any(r.startswith(b"* BYE") for r in said) and lived:
            self.j.wrong.append("%s: %s" % (self.name, said))
        if last.startswith(b"t OK"):
            return said, True
        if last.startswith((b"t NO", b"t BAD")):
            why = last.decode(errors="replace")
            self.j.count["%.10s: %s" % (command, why)] += 1
            if not re.search(r"EXPUNGEISSUED|INUSE", why):
                self.j.wrong.append("%s: %.200s said %s" % (
                    self.name, command, why))
            return said, False
        return said, None

    def select(self, box):
        """Select it; the number of messages, or None: it was killed."""
        t0 = now()
        said, ok = self.ask("SELECT " + box)
        if not ok:
            return None
        text = b"\n".join(said)
        self.j.next.append((t0, now(), box, int(
            re.search(rb"UIDNEXT (\d+)", text)[1])))
        if self.s is not None:
            self.s.box = box
        return int(re.search(rb"\* (\d+) EXISTS", text)[1])

    def some(self, box, most):
        """Select it, and {uid: (flags, token)} of some messages in it."""
        n = self.select(box)
        if not n or self.s is None:
            return {}
        first = self.rng.randint(1, n)
        return self.fetch("FETCH %d:%d" % (
            first, min(n, first + self.rng.randrange(most))))

    def fetch(self, which):
        found, box = {}, self.s.box
        said, ok = self.ask(which +
                            " (UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        for r in said:
            m = re.match(rb"\* \d+ FETCH .*?UID (\d+)", r)
            if m and b"Subject: " in r:
                uid, token = int(m[1]), token_of(r)
                self.j.see(box, uid, token)
                found[uid] = flags_of(r), token
        return found if ok else {}

    def full(self, box):
        return len(os.listdir(folder(box) + "/cur")) + \
            len(os.listdir(folder(box) + "/new")) > FULL

    def result(self):
        return self.j


def uid_set(uids):
    return ",".join(str(u) for u in uids)


# --- the eight ---

class Lmtp(Writer):
    def step(self):
        if self.full("INBOX"):
            self.rng.random() < 0.5 or time.sleep(0.01)
            return
        s = self.session_lmtp()
        token, t0 = self.token(), now()
        sure = False
        for command, good in ((b"MAIL FROM:<s@x.example>", b"250"),
                              (b"RCPT TO:<alice>", b"250"),
                              (b"DATA", b"354")):
            said, lived = s.run(command, done=b"", may_die=False)
            assert said[-1].startswith(good), said
        said, lived = s.run(body(token) + b".", done=b"")
        if not lived:
            self.s = None
        sure = any(r.startswith(b"250") for r in said)
        if lived and not sure:
            self.j.wrong.append("LMTP: %s" % said)
            return
        self.j.adds.append(("lmtp", t0, now(), sure,
                            [("INBOX", None, token, None)], frozenset()))

    def session_lmtp(self):
        if self.s is None:
            self.s = Session(self, ("lemon-deliver", "-l"))
            self.s.send(b"LHLO x\r\n")
            self.s.until(b"250 ")
        return self.s


class Append(Writer):
    def step(self):
        box = self.rng.choice(BOXES)
        t0 = now()
        said, ok = self.ask("STATUS %s (MESSAGES UIDNEXT)" % box)
        if not ok:
            return
        text = b" ".join(said)
        self.j.next.append((t0, now(), box, int(
            re.search(rb"UIDNEXT (\d+)", text)[1])))
        if int(re.search(rb"MESSAGES (\d+)", text)[1]) > FULL:
            return
        flags = self.rng.sample(
            ["\\Seen", "\\Answered", "\\Flagged", "$One", "$Two"],
            self.rng.choice((0, 0, 1, 3)))
        tokens = [self.token()
                  for i in range(self.rng.choice((1, 1, 1, 2, 5)))]
        command = b"APPEND " + box.encode()
        for t in tokens:
            command += b" (%s) {%d+}\r\n%s" % (
                " ".join(flags).encode(), len(body(t)), body(t))
        t0 = now()
        said, ok = self.ask(command)
        if ok is False:
            return
        uids = [None] * len(tokens)
        if ok:
            m = re.search(rb"APPENDUID \d+ (\S+)\]", said[-1])
            uids = numbers(m[1])
            assert len(uids) == len(tokens), said
        self.j.adds.append(("append", t0, now(), bool(ok), [
            (box, u, t, None) for u, t in zip(uids, tokens)],
            frozenset(flags)))


def numbers(text):
    """A set of the wire as a list."""
    found = []
    for part in text.decode().split(","):
        low, _, high = part.partition(":")
        found += range(int(low), int(high or low) + 1)
    return found


class Store(Writer):
    def step(self):
        box = self.rng.choice(BOXES)
        msgs = self.some(box, 20)
        for i in range(self.rng.randrange(1, 4)):
            if not msgs or self.s is None:
                return
            self.change(box, self.rng.sample(
                sorted(msgs), self.rng.randint(1, len(msgs))))

    def change(self, box, uids):
        # mbsync has a say on the flags in Sync.
        flags = ["$One", "$Two", "$Three"]
        if box != "Sync":
            flags += ["\\Seen", "\\Answered", "\\Seen", "\\Flagged"]
        flags = set(self.rng.sample(flags, self.rng.randint(1, 3)))
        on = self.rng.random() < 0.6
        t0 = now()
        said, ok = self.ask("UID STORE %s %sFLAGS%s (%s)" % (
            uid_set(uids), "+" if on else "-",
            self.rng.choice(("", ".SILENT")), " ".join(sorted(flags))))
        self.j.flags.append((t0, now(), bool(ok), box, uids,
                             {f: on for f in flags}))


class Copy(Writer):
    verb, most = "COPY", 12

    def source(self):
        return self.rng.choice(BOXES), self.rng.choice(BOXES)

    def step(self):
        box, to = self.source()
        if self.full(to):
            box, to = to, min(BOXES, key=lambda b: len(
                os.listdir(folder(b) + "/cur")))
            if self.full(to):
                return
        msgs = self.some(box, self.most)
        if not msgs or self.s is None:
            return
        t0 = now()
        said, ok = self.ask("UID %s %s %s" % (
            self.verb, uid_set(sorted(msgs)), to))
        m = re.search(rb"COPYUID \d+ (\S+) (\S+)\]", b"\n".join(said))
        if m:
            pairs = list(zip(numbers(m[1]), numbers(m[2])))
        elif ok is None:
            pairs = [(uid, None) for uid in msgs]
        else:
            pairs = []
        if not pairs:
            return
        self.j.adds.append((self.verb.lower(), t0, now(), bool(m), [
            (to, new, msgs[uid][1], (box, uid)) for uid, new in pairs], None))
        self.moved(t0, bool(m), box, {uid: msgs[uid][1]
                                      for uid, new in pairs})

    def moved(self, t0, sure, box, uids):
        pass


class Move(Copy):
    verb, most = "MOVE", 8

    def source(self):
        box = self.rng.choice(("INBOX", "There", "There", "Sync", "Work"))
        return box, self.rng.choice([b for b in BOXES if b != box])

    def moved(self, t0, sure, box, uids):
        self.j.gone.append((t0, sure, box, uids))


class Expunge(Writer):
    def step(self):
        box = max(("INBOX", "Work", "Sync"), key=lambda b: len(
            os.listdir(folder(b) + "/cur")) * self.rng.random())
        msgs = self.some(box, 25)
        if not msgs or self.s is None:
            return
        t0 = now()
        said, ok = self.ask("UID STORE %s +FLAGS.SILENT (\\Deleted)" %
                            uid_set(msgs))
        self.j.flags.append((t0, now(), bool(ok), box, list(msgs),
                             {"\\Deleted": True}))
        if not ok or self.s is None:
            return
        t0 = now()
        tokens = {uid: token for uid, (flags, token) in msgs.items()}
        if box == "Work" and self.rng.random() < 0.5:
            self.j.swept.append((t0, box))
            said, ok = self.ask("EXPUNGE")
        else:
            self.j.gone.append((t0, False, box, tokens))
            said, ok = self.ask("UID EXPUNGE " + uid_set(msgs))
        if not ok:
            return
        self.j.count["expunged"] += len(msgs)
        if self.s is None:
            self.j.gone.append((t0, True, box, tokens))
            return
        said, ok = self.ask("UID FETCH %s (UID)" % uid_set(msgs))
        left = [m[1] for m in (re.match(rb"\* \d+ FETCH \(UID (\d+)", r)
                               for r in said) if m and int(m[1]) in msgs]
        for uid in left if ok else ():
            self.j.left.append((box, int(uid)))
            del tokens[int(uid)]
        if ok:
            self.j.gone.append((t0, True, box, tokens))


class Shell(Writer):
    """Deliveries, new to cur, letters, and now and then into another folder;
    by rename(2), as mv does it."""
    busy = 0

    def step(self):
        kind = self.rng.random()
        box = self.rng.choice(BOXES[:3])
        if kind < 0.1 and not self.full(box):
            self.deliver(self.rng.choice(("INBOX", "There")))
        elif kind < 0.3:
            self.rename(box, "new")
        elif kind < 0.31:
            self.take(box, self.rng.choice(("INBOX", "There")))
        else:
            self.rename(box, "cur")
        self.busy -= 1
        if self.busy <= 0:      # sometimes long enough that all is quiet
            self.busy = self.rng.randrange(40)
            time.sleep(self.rng.choice((0.005, 0.02, 0.15)))

    def deliver(self, box):
        token, t0 = self.token(), now()
        name = "%d.%d.shell" % (time.time(), self.made)
        with open("%s/tmp/%s" % (folder(box), name), "wb") as f:
            f.write(body(token).replace(b"\r\n", b"\n"))
        os.rename("%s/tmp/%s" % (folder(box), name),
                  "%s/new/%s" % (folder(box), name))
        self.j.adds.append(("shell", t0, now(), True,
                            [(box, None, token, None)], frozenset()))

    def pick(self, box, d):
        names = os.listdir("%s/%s" % (folder(box), d))
        if not names:
            return None, None
        name = self.rng.choice(names)
        try:
            with open("%s/%s/%s" % (folder(box), d, name), "rb") as f:
                return name, token_of(f.read(1000))
        except FileNotFoundError:
            return None, None

    def rename(self, box, d):
        name, token = self.pick(box, d)
        if name is None:
            return
        base, _, letters = name.partition(":2,")
        had = set(letters)
        has = had ^ set(self.rng.sample("FD", self.rng.randint(0, 2)))
        t0 = now()
        # Never what EXPUNGE has in hand: a shell's mv does not look either,
        # but which of the two came first nobody could tell.
        to = "%s/cur/%s:2,%s" % (folder(box), base, "".join(sorted(has)))
        try:
            os.rename("%s/%s/%s" % (folder(box), d, name), to)
        except FileNotFoundError:
            self.j.count["shell too late"] += 1
            return
        self.j.letters.append((t0, box, token, {
            LETTERS[x]: x in has for x in "FD" if (x in has) != (x in had)}))

    def take(self, box, to):
        name, token = self.pick(box, "cur")
        if name is None or to == box or self.rng.random() < 0.5:
            return
        t0 = now()
        try:
            os.rename("%s/cur/%s" % (folder(box), name),
                      "%s/cur/%s" % (folder(to), name))
        except FileNotFoundError:
            return
        self.j.taken.append((t0, box, token))
        self.j.adds.append(("taken", t0, FOREVER, True,
                            [(to, None, token, None)], None))


class Mbsync(Writer):
    """Syncs Sync with a Maildir of its own, and is killed, or its server."""

    def __init__(self, seed, stop, over):
        super().__init__(seed, stop)
        self.over = over        # all other writers are

    def work(self):
        while not self.over.is_set():
            self.step()
            self.j.count[self.name] += 1
        self.close()

    def step(self):
        for i in range(self.rng.choice((0, 1, 2))):
            token = self.token()
            with open("%s/Sync/new/%d.%d.near" % (
                    NEAR, time.time(), self.made), "wb") as f:
                f.write(body(token).replace(b"\r\n", b"\n"))
        names = os.listdir(NEAR + "/Sync/cur")
        for name in self.rng.sample(names, min(len(names), 3)):
            base, _, letters = name.partition(":2,")
            letters = "".join(sorted(set(letters) ^ {"R"}))
            os.rename("%s/Sync/cur/%s" % (NEAR, name),
                      "%s/Sync/cur/%s:2,%s" % (NEAR, base, letters))
        self.sync(self.rng.random() < 0.3)

    def appended(self, t0, sure):
        """What it said to append: all of its own, and, once it was killed,
        now and then what it had pulled."""
        with open(HERE + "/wire", "rb") as f:
            wire = f.read()
        at = 0
        while m := re.compile(
                rb'\r?\n?\S+ APPEND [^\r\n]*\{(\d+)\+?\}\r\n').search(wire, at):
            at = m.end() + int(m[1])
            if at <= len(wire):
                self.j.adds.append(("mbsync", t0, now(), sure, [
                    ("Sync", None, token_of(wire[m.end():at]), None)], None))

    def sync(self, kill):
        usual = self.usual.get("mbsync", 0.1)
        # All that hold our end of the pipe, the server too, are gone when
        # the other end is.
        end, held = os.pipe()
        t0 = now()
        open(HERE + "/wire", "w").close()
        with open(HERE + "/log-mbsync", "ab") as log:
            p = subprocess.Popen(["mbsync", "-q", "-c", HERE + "/mbsyncrc",
                                  "far"], stdout=log, stderr=log,
                                 pass_fds=[held], start_new_session=True)
        os.close(held)
        if kill:
            select.select([end], [], [], self.rng.uniform(0, 1.2 * usual))
            if self.rng.random() < 0.5 and p.poll() is None:
                os.killpg(p.pid, 9)     # its server, too
            else:
                p.kill()
            self.j.count["kills"] += 1
        p.wait()
        select.select([end], [], [], 60)
        os.close(end)
        if not kill:
            self.usual["mbsync"] = 0.8 * usual + 0.2 * (now() - t0)
        if not kill and p.returncode != 0:
            self.j.count["mbsync failed"] += 1
        self.appended(t0, p.returncode == 0)
        return p.returncode == 0

    def close(self):
        for i in range(5):
            if self.sync(False):
                break


# --- those who only look ---

class Noop(Writer):
    """Keeps what it is told, and looks by NOOP; in the end it must have what
    is there."""
    box = "INBOX"
    deadly = 0.002

    def __init__(self, seed, stop, quiet):
        super().__init__(seed, stop)
        self.quiet = quiet

    def work(self):
        self.uids, self.flags = [], {}
        while not self.quiet.is_set():
            try:
                self.glance()
            except Gone as e:
                self.j.wrong.append("%s: a session ended by itself: %s" % (
                    self.name, e))
                return
        self.deadly = 0
        self.glance()
        self.glance()
        self.close()

    def open(self):
        self.uids, self.flags = [], {}
        if self.rng.random() < 0.5:
            self.box = self.rng.choice(BOXES)
        said, ok = self.ask("SELECT " + self.box)
        if self.s is not None:
            self.s.box = self.box
        return self.heed(said, ok)

    def heed(self, said, ok):
        for r in said:
            m = re.fullmatch(rb"\* (\d+) (EXISTS|EXPUNGE)", r)
            if m and m[2] == b"EXISTS":
                n = int(m[1])
                if n < len(self.uids):
                    self.j.wrong.append("%s: EXISTS %d after %d" % (
                        self.name, n, len(self.uids)))
                self.uids += [None] * (n - len(self.uids))
            elif m:
                gone = self.uids.pop(int(m[1]) - 1)
                if gone is not None:
                    self.j.told.setdefault((self.box, gone), now())
                    self.flags.pop(gone, None)
            m = re.match(rb"\* (\d+) FETCH \((?:UID (\d+) )?FLAGS", r)
            if m:
                seq, uid = int(m[1]) - 1, m[2] and int(m[2])
                if self.uids[seq] is None:
                    self.uids[seq] = uid
                elif uid not in (None, self.uids[seq]):
                    self.j.wrong.append("%s: %d was UID %d, and is %d" % (
                        self.name, seq + 1, self.uids[seq], uid))
                if self.uids[seq] is not None:
                    self.flags[self.uids[seq]] = flags_of(r)
        return bool(ok) and self.s is not None

    def listen(self):
        select.select([self.s.sock], [], [], self.rng.uniform(0, 0.02))
        return self.heed(*self.ask("NOOP"))

    def glance(self):
        if self.s is None and not self.open() or not self.listen():
            return
        while None in self.uids:
            if not self.heed(*self.ask("FETCH %d:* (UID FLAGS)" % (
                    self.uids.index(None) + 1))):
                return
        if self.uids != sorted(set(self.uids)):
            self.j.wrong.append("%s: not ascending: %s" % (
                self.name, self.uids))
        self.j.count["looks"] += 1
        if self.rng.random() < 0.05:
            self.fetch("UID FETCH %d" % self.rng.choice(self.uids or [1]))

    def ask(self, command, may_die=True):
        said, ok = super().ask(command, may_die)
        if command.startswith("UID FETCH"):
            self.heed([r for r in said if b"Subject" not in r], ok)
        return said, ok

    def result(self):
        self.j.view = self.box, {u: self.flags[u] for u in self.uids}
        return self.j


class Idle(Noop):
    def listen(self):
        s = self.s
        s.send(b"t IDLE\r\n")
        s.box = self.box
        said = s.until(b"+ ")
        select.select([s.sock], [], [], self.rng.uniform(0, 0.2))
        if self.rng.random() < 0.01 and self.deadly:
            s.kill()
            self.s = None
            return self.heed(said + s.rest(), None)
        s.send(b"DONE\r\n")
        return self.heed(said + s.until(b"t OK"), True)


class Watch(Writer):
    """A session of the store itself: it sees MODSEQs."""

    def __init__(self, seed, stop, quiet):
        super().__init__(seed, stop)
        self.quiet = quiet
        self.mailbox = self.rng.choice(BOXES[:3])

    def work(self):
        self.box = self.mailbox
        while not self.quiet.is_set():
            self.watch(self.rng.uniform(0.2, 3), True)
        self.watch(0, False)

    def watch(self, seconds, kill):
        self.all = None
        path = "%s/watched" % HERE
        disk = self.box if self.box == "INBOX" else self.box
        t0 = now()
        with open(path, "wb") as out, open(
                "%s/log-%s" % (HERE, self.name), "ab") as log:
            p = subprocess.Popen(["watch", MAIL, disk], stdin=subprocess.PIPE,
                                 stdout=out, stderr=log)
            if kill:
                self.quiet.wait(seconds)
                p.kill()
                self.j.count["kills"] += 1
            p.stdin.close()
            code = p.wait()
        if code != (-9 if kill else 0):
            self.j.wrong.append("the watch ended with %d" % code)
        self.read(path, t0, now())

    def read(self, path, t0, t1):
        last, at = {}, None
        with open(path) as f:
            for line in f:
                if not line.endswith("\n"):
                    break
                word = line.split()
                if word[0] == "at":
                    modseq, uidnext = int(word[1]), int(word[2])
                    if at is None:
                        self.j.high.append((t0, t1, self.box, modseq))
                        self.j.next.append((t0, t1, self.box, uidnext))
                    at = modseq, uidnext
                    self.j.count["looks"] += 1
                elif word[0] == "is":
                    uid, modseq = int(word[1]), int(word[2])
                    flags = frozenset(word[3:])
                    self.j.state(self.box, uid, modseq, flags)
                    if last.get(uid, 0) > modseq:
                        self.j.wrong.append("MODSEQ of UID %d fell" % uid)
                    last[uid] = modseq
                    if self.all is not None:
                        self.all[uid] = flags
                elif word[0] == "gone":
                    self.j.told.setdefault((self.box, int(word[1])), t1)
                elif word[0] == "all":
                    self.all = {}
        if at is not None:
            self.j.high.append((t0, t1, self.box, at[0]))
            self.j.next.append((t0, t1, self.box, at[1]))

    def result(self):
        self.j.view = self.box, self.all
        return self.j


WRITERS = (Lmtp, Append, Store, Copy, Move, Expunge, Shell)
WATCHERS = (Noop, Idle, Watch)


# --- before, and after ---

def prepare():
    os.makedirs("control")
    for name, text in (("home", HERE + "/home/%u"), ("locals", "example.org")):
        with open("control/" + name, "w") as f:
            print(text, file=f)
    os.environ["LEMON_CONTROL"] = HERE + "/control"
    os.environ["HOME"] = HERE
    subprocess.run(["lemon-user", "add", "alice"], input=b"secret\n",
                   check=True, stderr=subprocess.DEVNULL)
    # Mail is never root's, and so nobody here is; what nobody needs may be
    # where only root can read.
    os.makedirs("bin")
    for name in ("lemon-imapd", "lemon-deliver"):
        shutil.copy(shutil.which(name), "bin")
    shutil.copy(os.environ["LEMON_BUILD"] + "/t/storm/watch", "bin")
    shutil.copy(os.path.dirname(os.path.abspath(__file__)) + "/wire.py", "bin")
    os.environ["PATH"] = HERE + "/bin:" + os.environ["PATH"]
    for d in ("cur", "new", "tmp"):
        os.makedirs("%s/Sync/%s" % (NEAR, d))
    os.makedirs("home/alice", exist_ok=True)
    with open("mbsyncrc", "w") as f:
        f.write("""FSync no
IMAPStore far
Tunnel "exec python3 %s/bin/wire.py %s/wire lemon-imapd %s"

MaildirStore near
Path %s/
Inbox %s/INBOX
SubFolders Verbatim

Channel far
Far :far:Sync
Near :near:Sync
Sync PullNew PullDelete PullFlags PushNew PushFlags
Expunge Near
SyncState *
""" % (HERE, HERE, MAIL, NEAR, NEAR))
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", "nobody:nogroup", "."], check=True)
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    s = Imap(MAIL)
    for box in BOXES[1:]:
        s.ok("CREATE " + box)
    s.ok("LOGOUT")
    s.end()


def process(writer):
    """Run it in a process of its own."""
    def run():
        try:
            writer.work()
        except Exception:
            writer.j.wrong.append("%s: %s" % (
                writer.name, traceback.format_exc()))
        with open("journal-" + writer.name, "wb") as f:
            pickle.dump(writer.result(), f)
    p = multiprocessing.Process(target=run)
    p.start()
    return p


def journal_of(writer):
    try:
        with open("journal-" + writer.name, "rb") as f:
            return pickle.load(f)
    except OSError:
        j = Journal()
        j.wrong.append("%s has no journal" % writer.name)
        return j


def on_disk():
    """{box: sorted (token, letters)}"""
    found = {}
    for box in BOXES:
        found[box] = []
        for d in ("cur", "new"):
            for name in os.listdir("%s/%s" % (folder(box), d)):
                with open("%s/%s/%s" % (folder(box), d, name), "rb") as f:
                    token = token_of(f.read(2000))
                letters = name.partition(":2,")[2]
                found[box].append((token, "".join(sorted(
                    x for x in letters if x in LETTERS))))
        found[box].sort()
    return found


def shown(boxes):
    """The same of what a session shows."""
    letter = {flag: x for x, flag in LETTERS.items()}
    return {box: sorted(
        (token_of(text), "".join(sorted(letter[f] for f in flags
                                        if f in letter)))
        for flags, text in boxes[box].msgs.values()) for box in BOXES}


def settle():
    """What a session shows once it shows what is on the disk."""
    until = now() + 60
    while True:
        # A read-write SELECT takes in what was renamed, and unlinks.
        s = Imap(MAIL)
        for box in BOXES:
            s.ok("SELECT " + box)
            s.ok("CHECK")
        s.ok("LOGOUT")
        s.end()
        try:
            boxes = look(MAIL)
        except AssertionError:      # a file is gone, but not yet for sure
            if now() > until:
                raise
            continue
        if shown(boxes) == on_disk():
            return boxes, []
        if now() > until:
            a, b = shown(boxes), on_disk()
            return boxes, ["%s: shown %s, on the disk %s" % (
                box, sorted(set(a[box]) - set(b[box])),
                sorted(set(b[box]) - set(a[box]))) for box in BOXES
                if a[box] != b[box]]


def whole(boxes):
    """Each message has the octets it was sent with."""
    bad = []
    for box in boxes.values():
        for uid, (flags, text) in box.msgs.items():
            token = token_of(text)
            plain = re.sub(rb"^X-TUID: .*\r\n", b"", text, flags=re.M)
            if not token or not plain.endswith(body(token)):
                bad.append("UID %d is %.60r, and not whole" % (uid, text))
    return bad


def final_of(boxes):
    return {name: (box.next, {uid: (flags, token_of(text))
                              for uid, (flags, text) in box.msgs.items()})
            for name, box in boxes.items()}


def differences(a, b):
    return ["%s is not the same without the index: %.500s" % (name, [
        (uid, a[name].msgs.get(uid), b[name].msgs.get(uid))
        for uid in sorted(set(a[name].msgs) | set(b[name].msgs))
        if a[name].msgs.get(uid) != b[name].msgs.get(uid)])
        for name in a if a[name] != b[name] or b[name].next < a[name].next]


def near_bad(boxes):
    """mbsync's Maildir has what Sync has, and nothing else, unless mbsync says
    that, killed, it forgot where something came from, or what it pulled."""
    with open("log-mbsync", errors="replace") as f:
        forgot = re.findall(r"lost track of (\d+) (pull)?", f.read())
    tokens = []
    for d in ("cur", "new"):
        for name in os.listdir("%s/Sync/%s" % (NEAR, d)):
            if "T" in name.partition(":2,")[2]:
                continue
            with open("%s/Sync/%s/%s" % (NEAR, d, name), "rb") as f:
                tokens.append(token_of(f.read(2000)))
    want = sorted(token_of(t) for f, t in boxes["Sync"].msgs.values()
                  if "\\Deleted" not in f)
    lacks, more = set(want) - set(tokens), set(tokens) - set(want)
    pulls = sum(int(n) for n, pull in forgot if pull)
    if sorted(tokens) == want or forgot and len(lacks) <= pulls:
        return []
    return ["mbsync has %s, and lacks %s" % (sorted(more), sorted(lacks))]


def views_bad(watchers, boxes):
    bad = []
    for w in watchers:
        j = journal_of(w)
        box, view = getattr(j, "view", (None, None))
        want = {uid: flags for uid, (flags, text)
                in boxes[box].msgs.items()} if box else None
        if view != want:
            view = view or {}
            bad.append("%s's view of %s is not what is there: %s" % (
                w.name, box, [(u, view.get(u), want.get(u))
                              for u in sorted(set(view) | set(want or ()))
                              if view.get(u) != (want or {}).get(u)][:20]))
    return bad


def logs_bad():
    bad = []
    for name in os.listdir("."):
        if name.startswith("log-"):
            with open(name, errors="replace") as f:
                bad += ["%s: %s" % (name, line.strip()) for line in f
                        if re.search(r"Sanitizer|runtime error|panic|assert",
                                     line)]
    return bad[:20]


# --- faults on purpose ---

def mail_files(box="There"):
    d = folder(box) + "/cur/"
    return [d + name for name in sorted(os.listdir(d))]


def is_certain(model, at):
    """Whether no killed session may have made it, nor a shell taken it."""
    return not model.maybe[at] and not model.taken[at] and \
        len(model.bare(*at)) == model.sure[at]


def certain(journal):
    """Such a message's file."""
    model = Model(merge([journal]), journal.final)
    for name in mail_files():
        with open(name, "rb") as f:
            if is_certain(model, ("There", token_of(f.read(2000)))):
                return name


def swallow(journal):
    os.unlink(certain(journal))


def double(journal):
    name = certain(journal)
    shutil.copy(name, re.sub(r"/cur/", "/cur/2", name))


def strip_letter(journal):
    """Of one that has it for sure."""
    model = Model(merge([journal]), journal.final)
    for box in BOXES[:3]:
        tokens = [token for flags, token in journal.final[box][1].values()]
        for uid, (flags, token) in journal.final[box][1].items():
            if tokens.count(token) > 1 or model.possible(
                    (box, uid), "\\Seen", FOREVER, FOREVER) != {True}:
                continue
            for name in mail_files(box):
                base, _, letters = name.partition(":2,")
                with open(name, "rb") as f:
                    if token_of(f.read(2000)) == token:
                        os.rename(name, base + ":2," +
                                  letters.replace("S", ""))
                        return


def exchange(journal):
    """Two UIDs exchange their messages."""
    path = folder("There") + "/lemon-uidlist"
    with open(path, "rb") as f:
        lines = f.read().split(b"\n")
    living = {os.path.basename(f).partition(":")[0].encode()
              for f in mail_files()}
    at = [i for i, line in enumerate(lines)
          if re.match(rb"\d+ :", line) and
          line.split()[1][1:] in living][:2]
    words = [lines[i].split(b" ")[:2] for i in at]
    for i, uid, base in ((at[0], words[0][0], words[1][1]),
                         (at[1], words[1][0], words[0][1])):
        said = uid + b" " + base
        lines[i] = said + b" %08x" % binascii.crc32(said)
    shutil.rmtree(MAIL + "/.lemon")
    with open(path, "wb") as f:
        f.write(b"\n".join(lines))


def resurrect(journal):
    """One that was moved away is in its old place again."""
    model = Model(merge([journal]), journal.final)
    for t0, sure, box, uids in journal.gone:
        at = "There", next(iter(uids.values()))
        if sure and box == "There" and is_certain(model, at):
            token = at[1]
            with open(folder(box) + "/cur/9.back:2,", "wb") as f:
                f.write(body(token).replace(b"\r\n", b"\n"))
            return


def phantom(journal):
    box, uid = next((b, u) for (b, u) in journal.saw if b == "There" and
                    u in journal.final[b][1])
    journal.told[box, uid] = now()


def swap_modseq(journal):
    (box, uid, modseq), flags = next(iter(journal.states.items()))
    journal.state(box, uid, modseq, flags ^ {"\\Seen"})


def alter(journal):
    with open(mail_files()[0], "r+b") as f:
        f.seek(-2, os.SEEK_END)     # what a delivery puts above may differ
        f.write(b"?")


FAULTS = (swallow, double, strip_letter, exchange, resurrect, phantom,
          swap_modseq, alter)


def missed(journals, boxes):
    """The faults that nobody finds."""
    silent = []
    subprocess.run(["cp", "-a", "home", "was"], check=True)
    for fault in FAULTS:
        shutil.rmtree("home")
        subprocess.run(["cp", "-a", "was", "home"], check=True)
        shutil.rmtree(MAIL + "/.lemon")
        journal = merge(copy.deepcopy(journals))
        journal.final = final_of(boxes)
        for box, (after, msgs) in journal.final.items():
            for uid, (flags, token) in msgs.items():
                journal.see(box, uid, token)
        look(MAIL)
        fault(journal)
        after, bad = settle()
        if not bad + check(journal, final_of(after)) + whole(after):
            silent.append(fault.__name__)
    return silent


def main():
    seconds, seed = float(sys.argv[1]), sys.argv[2]
    lost = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    # Before nobody may import anything.
    over, quiet = multiprocessing.Event(), multiprocessing.Event()
    prepare()
    stop = now() + seconds
    writers = [w(seed, stop) for w in WRITERS] + [Mbsync(seed, stop, over)]
    watchers = [w(seed, stop, quiet) for w in WATCHERS]
    running = [process(w) for w in writers]
    looking = [process(w) for w in watchers]
    rng = random.Random(seed)
    for i in range(lost):
        time.sleep(max(0, (stop - now()) / (lost - i + 1)))
        what = rng.choice(("/.lemon", "/.lemon/index", None))
        if what is None:
            os.rename(MAIL + "/.lemon", HERE + "/lost-%d" % i)
        else:
            shutil.rmtree(MAIL + what, ignore_errors=True)
    for p in running[:-1]:
        p.join()
    over.set()
    running[-1].join()
    boxes, bad = settle()
    quiet.set()
    for p in looking:
        p.join()
    journals = [journal_of(w) for w in writers + watchers]
    with open("final", "wb") as f:
        pickle.dump(final_of(boxes), f)
    total = merge(copy.deepcopy(journals))
    bad += check(total, final_of(boxes)) + whole(boxes)
    bad += views_bad(watchers, boxes) + near_bad(boxes) + logs_bad()
    shutil.rmtree(MAIL + "/.lemon")
    bad += differences(boxes, look(MAIL))
    print("seed %s, %g s: %s" % (seed, seconds, ", ".join(
        "%s %d" % (k, n) for k, n in sorted(total.count.items()))))
    print("%d messages, %d wrong" % (
        sum(len(b.msgs) for b in boxes.values()), len(bad)))
    for b in bad[:60]:
        print("# %.3000s" % b)
    if bad:
        sys.exit(1)
    silent = missed(journals, boxes)
    print("%d faults made, not found: %s" % (
        len(FAULTS), " ".join(silent) or "none"))
    sys.exit(bool(silent))


main()

# SPDX-License-Identifier: ISC
"""What should be in a store, what is in it, and how they differ."""
import collections
import itertools
import os
import re
import subprocess

from imap_client import Box, Gone, Imap

NUMBERS = os.environ.get("LEMON_BUILD", "build") + "/t/sweep/numbers"


class Wrong(Exception):
    """A promise is broken; kind is lost, torn, doubled or numbers."""

    def __init__(self, kind, what):
        super().__init__(kind, what)
        self.kind = kind
        self.what = what


def text(name):
    """The message of that name; no two are of one size."""
    n = int(name.strip("abcdefghijklmnopqrstuvwxyz"))
    return b"Subject: %s\r\n\r\n%s%s\r\n" % (
        name.encode(), b"x" * 70 + b"\r\n" * (n % 2),
        b"".join(b"%06d of %s\r\n" % (i, name.encode())
                 for i in range(n * n * 40 % 700)))


Msg = collections.namedtuple("Msg", "uid flags")     # uid None: not known yet


class State:
    """What a client can see: {mailbox: {message: Msg}}, the UIDVALIDITY of
    those that have been seen, what is subscribed, and the signed URLs that
    are good."""

    def __init__(self, boxes=(), validity=(), subscribed=(), urls=()):
        self.boxes = {b: dict(m) for b, m in dict(boxes).items()}
        self.validity = dict(validity)
        self.subscribed = set(subscribed)
        self.urls = set(urls)

    def copy(self):
        return State(self.boxes, self.validity, self.subscribed, self.urls)

    def items(self):
        """All that can be said of it, one by one."""
        return {("box", b) for b in self.boxes} | {
            ("subscribed", s) for s in self.subscribed} | {
            ("url", u) for u in self.urls} | {
            (b, name, msg.flags) for b in self.boxes
            for name, msg in self.boxes[b].items()}


def see(maildir, urls=()):
    """The State that a session finds, and {UIDVALIDITY: UIDNEXT}.  urls: those
    that may be good."""
    state, nexts = State(), {}
    try:
        s = Imap(maildir)
        names = []
        for command, found in (('LIST "" *', names), ('LSUB "" *', None)):
            for r in s.ok(command):
                m = re.fullmatch(rb'\* L\w+ \(([^)]*)\) "/" "?([^"]*)"?', r)
                if m and found is None:
                    state.subscribed.add(m[2].decode())
                elif m and b"\\Noselect" not in m[1]:
                    found.append(m[2].decode())
        for name in names:
            box = Box(s, name)
            state.validity[name] = box.validity
            nexts[box.validity] = box.next
            state.boxes[name] = whole(name, box)
        for url in urls:
            said = b"".join(s.ok("URLFETCH " + url))
            if b'" NIL' not in said:
                state.urls.add(url)
        s.ok("LOGOUT")
        code = s.end()
    except (AssertionError, OSError, TypeError, Gone) as e:
        raise Wrong("torn", "a session cannot look: %r" % e)
    if code != 0:
        raise Wrong("torn", "a session that looks exits %d" % code)
    return state, nexts


def whole(where, box):
    """{message: Msg} of a Box whose messages are all as they were sent."""
    found = {}
    for uid, (flags, octets) in box.msgs.items():
        m = re.search(rb"^Subject: (\w+)\r\n", octets, re.M)
        name = m[1].decode() if m else ""
        # A delivery puts its own header above.
        if not m or not octets.endswith(text(name)):
            raise Wrong("torn", "%s: UID %d is %d octets: %.60r" % (
                where, uid, len(octets), octets))
        if name in found:
            raise Wrong("doubled", "%s: %s is UID %d and %d" % (
                where, name, found[name].uid, uid))
        found[name] = Msg(uid, flags)
    return found


def differences(want, got, any_uid=False):
    """[(kind, what)]; a UID that was promised is compared unless any_uid."""
    found = []
    for b in sorted({*want.boxes, *got.boxes}):
        if b not in got.boxes:
            found.append(("lost", "mailbox " + b))
        elif b not in want.boxes:
            found.append(("doubled", "mailbox " + b))
        else:
            was = want.validity.get(b)
            if was not in (None, got.validity[b]):
                found.append(("numbers", "%s: UIDVALIDITY %d became %d" % (
                    b, was, got.validity[b])))
            found += between(b, want.boxes[b], got.boxes[b], any_uid)
    for s in sorted(want.subscribed ^ got.subscribed):
        found.append(("lost" if s in want.subscribed else "doubled",
                      "subscription " + s))
    for u in sorted(want.urls - got.urls):
        found.append(("lost", "the key of " + u))
    for u in sorted(got.urls - want.urls):
        found.append(("lost", "the end of " + u))
    return found


def between(b, want, got, any_uid):
    for name in sorted({*want, *got}):
        if name not in got:
            yield "lost", "%s: %s" % (b, name)
        elif name not in want:
            yield "doubled", "%s: %s" % (b, name)
        elif want[name].flags != got[name].flags:
            yield ("lost" if want[name].flags - got[name].flags else "torn",
                   "%s: %s has %s, not %s" % (
                       b, name, sorted(got[name].flags),
                       sorted(want[name].flags)))
        elif want[name].uid not in (None, got[name].uid) and not any_uid:
            yield "numbers", "%s: %s was UID %d, is %d" % (
                b, name, want[name].uid, got[name].uid)


def settle(got, acknowledged, outcomes, any_uid):
    """What was found must be what was acknowledged, or one of the outcomes
    of what was being done: else raise what is wrong with it."""
    tried = [differences(s, got, any_uid) for s in [acknowledged, *outcomes]]
    best = min(tried, key=len)
    if not best:
        return
    open_to = set()
    for s in outcomes:
        open_to |= s.items() ^ acknowledged.items()
    kind, what = best[0]
    if not (got.items() ^ acknowledged.items()) - open_to:
        kind = "torn"       # each part is as it may be, the whole is not
    raise Wrong(kind, "; ".join("%s %s" % d for d in best))


def tidy(maildir, state):
    """Nothing is left of what was begun or is gone; file_replace's are swept
    after an hour."""
    left = [f for f in os.listdir(maildir) if f.startswith((
        "lemon-trash", "lemon-new", "lemon-rename"))]
    for box, msgs in state.boxes.items():
        disk = maildir if box == "INBOX" else "%s/.%s" % (
            maildir, box.replace("/", "."))
        files = os.listdir(disk + "/cur") + os.listdir(disk + "/new")
        if len(files) != len(msgs):
            left.append("%s has %d files" % (box, len(files)))
    if left:
        raise Wrong("torn", "not tidy: %s" % ", ".join(left))


def subsets(names):
    """All of them first, none last."""
    names = list(names)
    for n in range(len(names), -1, -1):
        yield from itertools.combinations(names, n)


class Ledger:
    """The numbers that clients have seen, and the URLs."""

    def __init__(self):
        self.used = {}      # {(validity, uid): message}
        self.nexts = {}     # {validity: UIDNEXT}
        self.modseqs = {}   # {validity: (HIGHESTMODSEQ, what it was of)}
        self.urls = set()

    def copy(self):
        other = Ledger()
        other.used = dict(self.used)
        other.nexts = dict(self.nexts)
        other.modseqs = dict(self.modseqs)
        other.urls = set(self.urls)
        return other

    def told(self, validity, uid, name):
        """Of a message that was made just now."""
        was = self.used.setdefault((validity, uid), name)
        if was != name:
            raise Wrong("numbers", "UID %d was %s, is %s" % (uid, was, name))
        self.nexts[validity] = max(uid + 1, self.nexts.get(validity, 1))

    def check(self, maildir, state, nexts):
        """Compare with what a session found, and note it."""
        for box, msgs in state.boxes.items():
            v = state.validity[box]
            at_least = self.nexts.get(v, 1)
            for name, msg in msgs.items():
                was = self.used.get((v, msg.uid))
                if was != name and (was or msg.uid < at_least):
                    raise Wrong("numbers", "%s: %s has UID %d of %s" % (
                        box, name, msg.uid, was or "before"))
            if nexts[v] < at_least:
                raise Wrong("numbers", "%s: UIDNEXT fell to %d from %d" % (
                    box, nexts[v], at_least))
        for box, msgs in state.boxes.items():
            for name, msg in msgs.items():
                self.told(state.validity[box], msg.uid, name)
        self.nexts.update(nexts)
        self.check_modseqs(maildir, state)

    def check_modseqs(self, maildir, state):
        p = subprocess.run([NUMBERS, maildir], stdout=subprocess.PIPE)
        now = dict(map(reversed, (line.rsplit(b" ", 1)
                                  for line in p.stdout.splitlines())))
        for box, msgs in state.boxes.items():
            validity, uidnext, modseq = map(int, now[box.encode()].split())
            was, of = self.modseqs.get(validity, (0, msgs))
            if modseq < was or (modseq == was and of != msgs):
                raise Wrong("numbers", "%s: MODSEQ %d after %d" % (
                    box, modseq, was))
            self.modseqs[validity] = modseq, msgs

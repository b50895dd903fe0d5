# SPDX-License-Identifier: ISC
"""What a mailbox may hold after many sessions, some of them killed, wrote to
it at once.

A journal is what one writer did and was told; check() compares all of them
with what is there in the end, and says what cannot be.  A message is known
by its token, the word in its subject; the same token is there more than once
where it was copied, so an instance is (box, uid).

What was acknowledged is there, once.  What was not (its session was killed)
is there once or not at all, and of a COPY or a MULTIAPPEND all or nothing.
What another program does to a file has no UID: it is known by (box, token),
and counts from when it began, since nobody says when it was noticed.
"""
from collections import defaultdict

FOREVER = float("inf")
SYNCED = "Sync"     # where mbsync has a say on flags, but not on keywords
ALL = ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft",
       "$One", "$Two", "$Three")


class Journal:
    """What one writer did.  Times are of one clock for all processes; sure
    says that it was acknowledged."""

    def __init__(self):
        self.adds = []      # (how, t0, t1, sure, [(box, uid, token, src)],
                            #  flags): uid, src, flags None: not known
        self.gone = []      # (t0, sure, box, {uid: token})
        self.swept = []     # (t0, box): an EXPUNGE of all with \Deleted
        self.taken = []     # (t0, box, token): by another program
        self.flags = []     # (t0, t1, sure, box, uids, {flag: bool})
        self.left = []      # (box, uid): still there after EXPUNGE
        self.letters = []   # (t0, box, token, {flag: bool}): likewise
        self.saw = {}       # (box, uid): token
        self.told = {}      # (box, uid): when it was said to be gone
        self.next = []      # (t0, t1, box, UIDNEXT)
        self.high = []      # (t0, t1, box, HIGHESTMODSEQ)
        self.states = {}    # (box, uid, modseq): flags
        self.wrong = []     # what a writer itself found
        self.count = defaultdict(int)

    def see(self, box, uid, token):
        if self.saw.setdefault((box, uid), token) != token:
            self.wrong.append("%s UID %d was %s, and is %s" % (
                box, uid, self.saw[box, uid], token))

    def state(self, box, uid, modseq, flags):
        if self.states.setdefault((box, uid, modseq), flags) != flags:
            self.wrong.append("%s UID %d has two states of MODSEQ %d: %s, %s"
                              % (box, uid, modseq, flags,
                                 self.states[box, uid, modseq]))


def merge(journals):
    all_of = Journal()
    for j in journals:
        for name in ("adds gone swept taken left flags letters next high "
                     "wrong").split():
            getattr(all_of, name).extend(getattr(j, name))
        for (box, uid), token in j.saw.items():
            all_of.see(box, uid, token)
        for (box, uid, modseq), flags in j.states.items():
            all_of.state(box, uid, modseq, flags)
        for at, when in j.told.items():
            all_of.told[at] = min(when, all_of.told.get(at, FOREVER))
        for what, n in j.count.items():
            all_of.count[what] += n
    return all_of


class Model:
    """final: {box: (UIDNEXT, {uid: (flags, token)})}"""

    def __init__(self, journal, final):
        self.j, self.final = journal, final
        self.bad = list(journal.wrong)
        self.uids = defaultdict(set)        # (box, token): its instances
        self.made_by = {}                   # (box, uid): add, its place in it
        self.sure = defaultdict(int)        # (box, token): without a UID
        self.sure_add = {}                  # the last of these
        self.maybe = defaultdict(list)      # (box, token): adds
        self.removed = defaultdict(list)    # (box, uid): (t0, sure)
        self.taken = defaultdict(list)      # (box, token): t0
        self.swept = {box for t0, box in journal.swept}
        self.index()

    def index(self):
        j = self.j
        for add in j.adds:
            for i, (box, uid, token, src) in enumerate(add[4]):
                if uid is None and add[3]:
                    self.sure[box, token] += 1
                    self.sure_add[box, token] = add
                elif uid is None:
                    self.maybe[box, token].append(add)
                elif (box, uid) in self.made_by:
                    self.bad.append("%s UID %d was given twice" % (box, uid))
                else:
                    self.made_by[box, uid] = add, i
                    j.see(box, uid, token)
        for box, (after, msgs) in self.final.items():
            for uid, (flags, token) in msgs.items():
                j.see(box, uid, token)
        self.bad += j.wrong[len(self.bad):]
        for (box, uid), token in j.saw.items():
            self.uids[box, token].add(uid)
        for t0, sure, box, uids in j.gone:
            for uid in uids:
                self.removed[box, uid].append((t0, sure))
        for t0, box, token in j.taken:
            self.taken[box, token].append(t0)
        self.changes = defaultdict(list)    # (box, uid): (t0, t1, sure, sets)
        for t0, t1, sure, box, uids, sets in j.flags:
            for uid in uids:
                self.changes[box, uid].append((t0, t1, sure, sets))
        for t0, box, token, sets in j.letters:
            uids = self.uids[box, token]
            for uid in uids:
                self.changes[box, uid].append(
                    (t0, FOREVER, len(uids) == 1, sets))

    def bare(self, box, token):
        """The instances that no answer named."""
        return [u for u in self.uids[box, token]
                if (box, u) not in self.made_by]

    # --- how often each is there ---

    def check_counts(self):
        for box, token in set(self.uids) | set(self.sure):
            n = len(self.bare(box, token))
            low = self.sure[box, token]
            high = low + len(self.maybe[box, token])
            if n > high:
                self.bad.append("%s has %s %d times too often" % (
                    box, token, n - high))
            # What another program took may have gone before it was seen.
            elif n < low - len(self.taken[box, token]):
                self.bad.append("%s lacks %s, which was acknowledged" % (
                    box, token))

    def check_atomic(self):
        """Killed, an APPEND or COPY of several made all or none."""
        for how, t0, t1, sure, made, flags in self.j.adds:
            if sure or how not in ("append", "copy", "move"):
                continue
            found = set()
            for box, uid, token, src in made:
                if uid is not None or len(self.maybe[box, token]) > 1 or \
                        self.taken[box, token]:
                    continue
                others = [t for t, s in self.removed.get(src, ())
                          if how != "move" or t != t0]
                if src and (others or self.taken[src[0], token] or
                            self.is_swept(src)):
                    continue    # perhaps it was not there to be copied
                there = len(self.bare(box, token)) > self.sure[box, token]
                found.add(there)
                if how == "move" and there == self.alive(src):
                    self.bad.append("%s of %s is %s after MOVE" % (
                        token, src, "in both" if there else "nowhere"))
            if len(found) > 1:
                self.bad.append("half of a killed %s: %s" % (how, made))

    # --- what is gone, and why ---

    def alive(self, at):
        return at[1] in self.final[at[0]][1]

    def is_swept(self, at):
        """Whether an EXPUNGE of all may have taken it."""
        return at[0] in self.swept and True in self.possible(
            at, "\\Deleted", 0, FOREVER)

    def why_gone(self, at, before=FOREVER):
        token = self.j.saw.get(at)
        return any(t < before for t, sure in self.removed[at]) or \
            any(t < before for t in self.taken[at[0], token]) or \
            self.is_swept(at)

    def check_gone(self):
        for at, token in self.j.saw.items():
            if not self.alive(at) and not self.why_gone(at):
                self.bad.append("%s UID %d (%s) is lost" % (*at, token))
            elif self.alive(at) and any(
                    sure for t, sure in self.removed[at]):
                self.bad.append("%s UID %d (%s) came back" % (*at, token))
        # What another program just took away the server cannot have marked.
        for box, uid in self.j.left:
            if not self.taken[box, self.j.saw[box, uid]]:
                self.bad.append("%s UID %d survived its EXPUNGE" % (box, uid))
        for at, when in self.j.told.items():
            if self.alive(at):
                self.bad.append("%s UID %d was said to be gone, and is not"
                                % at)
            elif at in self.j.saw and not self.why_gone(at, when):
                self.bad.append("phantom EXPUNGE of %s UID %d" % at)

    # --- flags ---

    def possible(self, at, flag, t0, t1, depth=0):
        """The values that the flag may have had between t0 and t1."""
        if at[0] == SYNCED and flag.startswith("\\"):
            return {True, False}
        ops = [(a, b, sure, sets[flag]) for a, b, sure, sets
               in self.changes[at] if flag in sets and a < t1]
        # The last that began after all before it were over, and held.
        after = max((a for a, b, sure, v in ops if sure and b < t0),
                    default=-1)
        values = {v for a, b, sure, v in ops if b >= after}
        if after == -1:
            values |= self.first(at, flag, depth)
        return values

    def first(self, at, flag, depth):
        add, i = self.made_by.get(at, (None, 0))
        if add is None:
            box, token = at[0], self.j.saw[at]
            if len(self.uids[box, token]) > 1 or self.maybe[box, token]:
                return {True, False}
            add = self.sure_add.get((box, token))
        if add is None:
            return {True, False}
        how, t0, t1, sure, made, flags = add
        src = made[i][3] if i < len(made) else None
        if flags is not None:
            return {flag in flags}
        if src is None or depth > 8:
            return {True, False}
        return self.possible(src, flag, t0, t1, depth + 1)

    def check_flags(self):
        told = self.j.count
        for box, (after, msgs) in self.final.items():
            for uid, (flags, token) in msgs.items():
                for flag in ALL:
                    can = self.possible((box, uid), flag, FOREVER, FOREVER)
                    told["flags certain" if len(can) == 1 else
                         "flags open"] += 1
                    if (flag in flags) not in can:
                        self.bad.append("%s UID %d (%s) %s %s" % (
                            box, uid, token,
                            "has" if flag in flags else "lacks", flag))

    # --- numbers ---

    def check_rising(self):
        """UIDNEXT and HIGHESTMODSEQ never fall from one look to a later."""
        for what, seen in ("UIDNEXT", self.j.next), (
                "HIGHESTMODSEQ", self.j.high):
            for box in self.final:
                ends = sorted((t1, n) for t0, t1, b, n in seen if b == box)
                best, k = 0, 0
                for t0, t1, n in sorted((t0, t1, n) for t0, t1, b, n in seen
                                        if b == box):
                    while k < len(ends) and ends[k][0] < t0:
                        best = max(best, ends[k][1])
                        k += 1
                    if n < best:
                        self.bad.append("%s of %s fell from %d to %d" % (
                            what, box, best, n))
        for how, t0, t1, sure, made, flags in self.j.adds:
            for box, uid, token, src in made:
                if uid is not None:
                    self.check_next(t0, box, uid)
        for box, (after, msgs) in self.final.items():
            top = max((n for t0, t1, b, n in self.j.next if b == box),
                      default=0)
            if after < top or after <= max(msgs, default=0):
                self.bad.append("%s ends with UIDNEXT %d" % (box, after))

    def check_next(self, t0, box, uid):
        """A UID is above every UIDNEXT that was seen before."""
        if not hasattr(self, "seen_next"):
            self.seen_next = defaultdict(list)
            for a, b, name, n in sorted(self.j.next, key=lambda x: x[1]):
                best = self.seen_next[name]
                best.append((b, max(n, best[-1][1] if best else 0)))
        seen = self.seen_next[box]
        low, high = 0, len(seen)
        while low < high:
            mid = (low + high) // 2
            if seen[mid][0] < t0:
                low = mid + 1
            else:
                high = mid
        if low and uid < seen[low - 1][1]:
            self.bad.append("%s gave UID %d after UIDNEXT %d" % (
                box, uid, seen[low - 1][1]))


def check(journal, final):
    """A list of what cannot be."""
    m = Model(journal, final)
    m.check_counts()
    m.check_gone()
    m.check_atomic()
    m.check_flags()
    m.check_rising()
    return m.bad

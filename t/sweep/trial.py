# SPDX-License-Identifier: ISC
"""One fault: an act in which a system call fails, a write is short or memory
is refused, and whether all promises hold."""
import contextlib
import errno
import os
import struct
import time

from acts import ACTS
from model import Wrong, differences, see
from run import BUILD, STOP, Stage
from steps import At, Session, Transaction

SHIM = BUILD + "/t/fault.so"

# What may go wrong with a call; EIO with all others.
FULL = ("EIO", "ENOSPC", "EDQUOT", "EINTR")
LINK = ("EIO", "ENOSPC", "EDQUOT")
ERRORS = {
    "write": FULL, "writev": FULL, "pwrite64": FULL, "pwritev": FULL,
    "sendto": ("EPIPE", "EINTR"), "ftruncate": FULL, "fallocate": FULL,
    "fsync": FULL, "fdatasync": FULL, "sync_file_range": LINK,
    "rename": LINK, "renameat": LINK, "renameat2": LINK, "linkat": LINK,
    "mkdirat": LINK, "mkdir": LINK, "mknodat": LINK,
    "openat": (*FULL, "EMFILE"), "open": (*FULL, "EMFILE"),
    "mmap": ("ENOMEM",), "flock": ("EIO", "EINTR", "ENOLCK"),
    "fcntl": ("EIO", "EINTR", "ENOLCK"),
    "read": ("EIO", "EINTR"), "pread64": ("EIO", "EINTR"),
}
# Those that only look; and those that open what may be there.
LOOKS = ("newfstatat", "fstat", "statx", "stat", "lstat", "getdents64",
         "flock", "fcntl", "mmap", "read", "pread64")
OPENS = ("openat", "open")
MEMORY, SHORT = "memory", "short"
NUMBERS = {MEMORY: 1, SHORT: 2}     # in $FAULT: see t/fault.c
LASTING = 3

# After these nobody can tell what is on the disk, and what was committed
# before cannot be taken back.
SYNCS = ("fsync", "fdatasync")


def errors_of(name):
    return ERRORS.get(name, ("EIO",))


class Fault:
    """What goes wrong in an act: the name of an error of errno, memory or
    short; in which call of that name (or allocation, or write) it is;
    lasting: in all after it too."""
    bare, mode, mutant = False, "kill", None

    def __init__(self, act, what, n=0, name="", lasting=False):
        self.act = act
        self.what = what
        self.n = n
        self.name = name
        self.lasting = lasting

    def __str__(self):
        return "%s, %s at %s %d%s" % (self.act, self.what, self.name, self.n,
                                      " and after" if self.lasting else "")


class Trial(Stage):
    """A place where acts are tried in which something goes wrong."""

    def __init__(self, place):
        super().__init__(place)
        self.shim = place.path + "/fault"

    def around(self, f):
        """What stands before a program's name, and its environment."""
        if f.what not in NUMBERS:
            code = getattr(errno, f.what) if f.n else 0
            which = ["-k", f.name] if f.n else []
            lasting = ["-f"] if f.lasting else []
            return [STOP, "-o", self.report, "-n", str(f.n), "-e", str(code),
                    *which, *lasting], self.env
        numbers = [0] * 512
        numbers[NUMBERS[f.what]], numbers[LASTING] = f.n, f.lasting
        with open(self.shim, "wb") as out:
            out.write(struct.pack("512q", *numbers))
        os.chmod(self.shim, 0o666)
        return [], dict(
            self.env, FAULT=self.shim, LD_PRELOAD=SHIM,
            ASAN_OPTIONS=self.env["ASAN_OPTIONS"] + ":verify_asan_link_order=0")

    def calls(self, act):
        """The names of all calls in it."""
        self.attempt(Fault(act, "EIO"))
        with open(self.report) as f:
            return f.read().split()[2:]

    def chances(self, act):
        """How many allocations and writes it has."""
        self.attempt(Fault(act, MEMORY))
        with open(self.shim, "rb") as f:
            return struct.unpack("6q", f.read(48))[4:]

    def attempt(self, f):
        """Wrong if a promise is broken; whether it was kept although it was
        refused."""
        state, ledger = self.prepare(f.act)
        argv, env = self.around(f)
        steps = ACTS[f.act].steps
        with At(self.maildir, argv, env) as at:
            state, step = self.perform(at, steps, state, ledger)
            told, why = at.told, refusal(step, at)
            if why:
                state = step.refused(state, told)
            if step and not f.n:
                raise Wrong("torn", "it fails by itself: %s" % told)
            # What was refused once is done when it is asked for again, in
            # the same session.
            if why and not f.lasting and f.name not in SYNCS and isinstance(
                    at.talk, Session) and b"* BYE" not in b"".join(told):
                state, step = self.perform(
                    at, steps[steps.index(step):], state, ledger)
                if step:
                    raise Wrong("unclear", "not when asked again: %s" %
                                at.told)
        if at.code not in (None, 0, 75):
            raise Wrong("crashed", "exit %s after %s" % (at.code, told))
        if step and why is None and at.code == 0 and not gone(step, told):
            raise Wrong("unclear", "%s" % told)
        outcomes = list(step.outcomes(state, told, True)) if step else []
        # What others removed may be found out just while someone looks, and
        # for sure when the directory, which the session that failed may
        # have changed, was left alone for two seconds.
        for _ in range(12 if ACTS[f.act].prepare else 0):
            with contextlib.suppress(Wrong):
                see(self.maildir)
                break
            time.sleep(0.25)
        return self.judge(f, step, why, state, outcomes, ledger)

    def judge(self, f, step, why, state, outcomes, ledger):
        """Refused is as before, unless nobody can take it back, or what did it
        could not say so."""
        if isinstance(step, Transaction):
            state, outcomes = outcomes[-1], outcomes[:-1]
        kept = False
        if why and (f.lasting or f.name in SYNCS):
            kept = bool(differences(state, see(self.maildir,
                                               ledger.urls)[0]))
        elif why and f.name != "sendto":
            outcomes = []
        # What the dead one did was never acknowledged: where it cannot be
        # finished it may be undone.
        if ACTS[f.act].died:
            outcomes = [*outcomes, self.before[f.act]]
        self.verify(f, state, outcomes, ledger)
        return kept


def refusal(step, at):
    """What was told when the step was refused clearly, or None."""
    if step is None:
        return None
    last = at.told[-1] if at.told else b""
    if last.startswith(b"t NO [") or last[:1] == b"4" or (
            not at.told and at.code == 75):
        return last or b"75"
    return None


def gone(step, told):
    """Whether the connection ended, with or without a word."""
    return not told or not told[-1].startswith((b"t ", b"5"))

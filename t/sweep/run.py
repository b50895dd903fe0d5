# SPDX-License-Identifier: ISC
"""One crash: an act up to a point, and whether all promises hold after it."""
import os
import shutil

from acts import ACTS, GO_ON, begin
from imap_client import Gone, give
from model import Ledger, Wrong, see, settle, tidy
from steps import At

BUILD = os.environ.get("LEMON_BUILD", "build")
STOP = BUILD + "/t/sweep/stop"

# How FS_IOC_SHUTDOWN is asked: the journal is lost too, or not.
FLAG = {"kill": None, "cut": "2", "cutlog": "1"}


class Crash:
    """An act (its name), how it ends (a mode), and before which call; 0 is
    after the last.  With bare the index is deleted before anybody looks;
    with a mutant its programs are run."""

    def __init__(self, act, mode, n, bare=False, mutant=None):
        self.act = act
        self.mode = mode
        self.n = n
        self.bare = bare
        self.mutant = mutant

    def __str__(self):
        return "%s, %s %s%s%s" % (
            self.act, self.mode, "before call %d" % self.n if self.n else
            "at the end", ", index deleted" if self.bare else "",
            ", " + self.mutant if self.mutant else "")


class Stage:
    """A place where acts are tried one after another."""

    def __init__(self, place):
        self.place = place
        self.maildir = place.home + "/alice/Maildir"
        self.report = place.path + "/report"
        self.ready = {}     # by act: State and Ledger before it
        self.before = {}    # by act: State before what died in it
        # Both, or it looks like a login chain.
        os.environ["USER"] = os.environ["LOGNAME"] = "alice"
        self.env = dict(os.environ, LEMON_HOME=place.home + "/%u")
        # The leak sanitizer cannot work beside ptrace.
        self.env["ASAN_OPTIONS"] = ":".join(filter(None, [
            os.environ.get("ASAN_OPTIONS"), "detect_leaks=0"]))

    def begin(self):
        self.place.empty()
        os.mkdir(os.path.dirname(self.maildir))
        begin(self.maildir)
        self.place.keep("base")

    def prepare(self, act):
        """The store just before the act: its State and Ledger."""
        if act not in self.ready or not self.place.exact:
            self.place.bring("base")
            (state, nexts), ledger = see(self.maildir), Ledger()
            ledger.check(self.maildir, state, nexts)
            if ACTS[act].prepare:
                ACTS[act].prepare(self.maildir, state)
                give(self.place.home + "/alice")
            if not state.validity:
                ledger = Ledger()   # all is gone, and its numbers with it
            if ACTS[act].died:
                self.die(state, *ACTS[act].died)
            if self.place.exact:
                self.place.keep(act)
            if ACTS[act].died:
                self.before[act] = state.copy()
                state = self.found(act, state)
            self.ready[act] = state, ledger
        else:
            self.place.bring(act)
        state, ledger = self.ready[act]
        return state.copy(), ledger.copy()

    def die(self, state, act, n, call, *after):
        """Kill another act before its n-th such call, or after it (-a)."""
        with At(self.maildir, [STOP, "-o", self.report, "-n", str(n), "-k",
                               call, *after], self.env) as at:
            self.perform(at, ACTS[act].steps, state, Ledger())
        if len(self.seen()) != n:
            raise OSError("%s makes no %s %d" % (act, call, n))

    def seen(self):
        with open(self.report) as f:
            return f.read().split()[2:]

    def found(self, act, before):
        """What a session finds that nobody kills; numbers that nobody was
        told yet may be others the next time."""
        state = see(self.maildir)[0]
        self.place.bring(act)
        for box, msgs in state.boxes.items():
            for name, msg in msgs.items():
                if msg not in before.boxes.get(box, {}).values():
                    msgs[name] = msg._replace(uid=None)
            if box not in before.boxes:
                del state.validity[box]
        return state

    def perform(self, at, steps, state, ledger):
        """The State that was acknowledged, and the step in which the program
        died, or None."""
        for step in steps:
            try:
                if not step.run(at, state):
                    return state, step
            except (Gone, ConnectionError):
                return state, step
            after = next(iter(step.outcomes(state, at.told, True)))
            step.learn(state, after, at.told, ledger)
            state = after
        return state, None

    def crash(self, c):
        """Wrong if a promise is broken; self.calls has those it made."""
        self.calls = []
        state, ledger = self.prepare(c.act)
        argv = [STOP, "-o", self.report, "-n", str(c.n)]
        if FLAG[c.mode]:
            argv += ["-c", FLAG[c.mode], "-d", self.place.home]
        env = self.env
        if c.mutant:
            path = "%s/t/sweep/%s" % (BUILD, c.mutant)
            os.stat(path)
            env = dict(env, PATH=path + ":" + env["PATH"])
        with At(self.maildir, argv, env) as at:
            state, step = self.perform(at, ACTS[c.act].steps, state, ledger)
            told = at.told
        self.calls = self.seen()
        if step is not None and (c.n == 0 or len(self.calls) < c.n):
            raise Wrong("torn", "it fails by itself: %s" % told)
        if c.mode != "kill":
            self.place.again()
        outcomes = list(step.outcomes(state, told, not c.bare)) \
            if step else []
        self.verify(c, state, outcomes, ledger)

    def verify(self, c, state, outcomes, ledger):
        if c.bare and os.path.exists(self.maildir + "/.lemon"):
            shutil.rmtree(self.maildir + "/.lemon")
        now, nexts = see(self.maildir, ledger.urls)
        # Message lines of the uidlist are not synced: without the index what
        # the power took of them is a new message.
        settle(now, state, outcomes, c.bare and c.mode != "kill")
        ledger.check(self.maildir, now, nexts)
        with At(self.maildir) as at:
            now, failed = self.perform(at, GO_ON, now, ledger)
            if failed:
                raise Wrong("torn", "cannot go on: %s" % at.told)
        for deleted in (False, True):
            if deleted:
                shutil.rmtree(self.maildir + "/.lemon")
            then, nexts = see(self.maildir, ledger.urls)
            settle(then, now, [], False)
            ledger.check(self.maildir, then, nexts)
            now = then
        tidy(self.maildir, now)

#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The crash sweep: whatever is done to a store, SIGKILL and loss of power
before each system call that changes something.

usage: sweep.t [-a] [-j WORKERS] [ACT | MUTANT ...]

  -a  all points; else a share of them that takes some seconds

After each point the promises of lemon-maildir(5) are checked through real
programs: what was acknowledged is there, once and whole; what was not is
absent, or there once and whole; no number is used again; nothing changes when
the index is deleted; and all work goes on."""
import argparse
import collections
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, HERE + "/sweep"]

import places   # noqa: E402
from acts import ACTS   # noqa: E402
from model import Wrong     # noqa: E402
from run import Crash, Stage  # noqa: E402

SHARE = 3 if places.SLOW else 9     # points of an act without -a
FEW = 3000      # as many are no sweep of all acts
KINDS = ("lost", "torn", "doubled", "numbers")

# What each mutant does wrong, and where that must show.
MUTANTS = {
    "no_file_fsync": ("does not sync files",
                      [("pipe", "cutlog"), ("append", "cutlog")]),
    "no_dir_fsync": ("does not sync directories",
                     [("lmtp", "cut"), ("append", "cut")]),
    "early": ("answers too early",
              [("multiappend", "kill"), ("multiappend", "cut")]),
    "no_intent": ("commits no intent",
                  [("multiappend", "kill"), ("copy", "cut")]),
}


def is_dull(calls, n):
    """Deep in a long row of one call."""
    return n > 10 and n % 50 != 0 and len(set(calls[n - 10:n + 10])) == 1


class Worker:
    """Tries one act after another, in a place of its own."""

    def __init__(self, place, everything):
        self.stage = Stage(place)
        self.stage.begin()
        self.modes = place.modes
        self.everything = everything

    def attempt(self, crash):
        """None, or what is wrong and how."""
        try:
            self.stage.crash(crash)
        except Wrong as e:
            return e.kind, e.what
        except Exception as e:
            return "torn", "the test fails: %r" % e
        return None

    def choose(self, act, calls):
        """The points of an act that makes these calls; 0 is its end."""
        modes, ends = self.modes, len(calls) + 1
        if self.everything:
            todo = [Crash(act, m, n, bare) for m in modes
                    for n in range(ends) if not is_dull(calls, n)
                    for bare in (False, True)]
        else:
            todo = [Crash(act, modes[i % len(modes)],
                          (1 + i * len(calls) // (SHARE - 1)) % ends,
                          bare=i // len(modes) % 2 == 1)
                    for i in range(SHARE)]
        return [c for c in todo if not (c.bare and ACTS[act].by_index)]

    def act(self, name):
        """({mode: figures}, what is wrong).  Once to its end shows how long
        it is."""
        count = {m: collections.Counter() for m in self.modes}
        whole = Crash(name, "kill", 0)
        wrong = self.attempt(whole)
        if wrong:
            return count, ["%s: %s: %s" % (whole, *wrong)]
        said = []
        for crash in self.choose(name, self.stage.calls):
            wrong = self.attempt(crash)
            count[crash.mode]["tried"] += 1
            if wrong:
                count[crash.mode][wrong[0]] += 1
                said.append("%s: %s: %s" % (crash, *wrong))
        return count, said

    def mutant(self, name):
        """(whether it was caught wherever it must be, what was seen)."""
        places = [p for p in MUTANTS[name][1] if p[1] in self.modes]
        tried = [self.catch(name, *p) for p in places[
                 :None if self.everything else 1]]
        return all(caught for caught, _ in tried), [s for _, s in tried]

    def catch(self, mutant, act, mode):
        """Whether a point shows it, and what the first of them says."""
        whole = Crash(act, "kill", 0, mutant=mutant)
        wrong = self.attempt(whole)
        if wrong:
            return False, "it does not even work: %s: %s" % wrong
        for n in range(len(self.stage.calls) + 1):
            crash = Crash(act, mode, n, mutant=mutant)
            wrong = self.attempt(crash)
            if wrong:
                return True, "%s: %s: %s" % (crash, *wrong)
        return False, "%s, %s: no point shows %s" % (act, mode, mutant)


worker = None   # of this process


def start(place, everything):
    global worker
    worker = Worker(place, everything)


def task(name):
    return (worker.act if name in ACTS else worker.mutant)(name)


class Tap:
    def __init__(self, modes):
        self.modes = modes
        self.n = self.bad = 0
        self.total = collections.Counter()

    def ok(self, good, name):
        self.n += 1
        self.bad += not good
        print("%sok %d - %s" % ("" if good else "not ", self.n, name),
              flush=True)

    def say(self, text):
        print("# " + text, flush=True)

    def act(self, name, counts, said):
        for m in self.modes:
            self.say("%-18s%-7s %s" % (name, m, figures(counts[m])))
            self.total += counts[m]
        for what in said:
            self.say(what)
        self.ok(not said, title(name))

    def mutant(self, name, caught, said):
        for what in said:
            self.say(what)
        self.ok(caught, title(name))


def title(name):
    if name in ACTS:
        return "%s survives a crash at any call, or never was" % (
            ACTS[name].about)
    return "a program that %s is caught" % MUTANTS[name][0]


def skipped(name, modes):
    """Why it cannot be tried here, or None."""
    if "cut" in modes:
        return None
    if name in ACTS:
        return "a copy of a store has not died" if ACTS[name].died else None
    return None if any(m in modes for _, m in MUTANTS[name][1]) else \
        "only loss of power shows it"


def figures(count):
    return "%4d points: %s" % (count["tried"], ", ".join(
        "%d %s" % (count[k], k) for k in KINDS))


def sweep(names, where, tap, everything):
    todo = [n for n in names if not skipped(n, tap.modes)]
    with places.spread(task, todo, where, start, everything) as found:
        for name in names:
            why = skipped(name, tap.modes)
            if why:
                tap.ok(True, "%s # skip %s" % (title(name), why))
                continue
            (tap.act if name in ACTS else tap.mutant)(name, *next(found))


def main():
    p = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1],
                                add_help=False)
    p.add_argument("-a", action="store_true")
    p.add_argument("-j", type=int, default=os.cpu_count())
    p.add_argument("names", nargs="*", choices=[[], *ACTS, *MUTANTS])
    ask = p.parse_args()
    names, began = ask.names or [*ACTS, *MUTANTS], time.monotonic()
    if places.SLOW and not ask.a and not ask.names:
        names = places.share_of(ACTS)   # the mutants are caught without
    if not places.may_trace():
        print("1..0 # SKIP ptrace is not allowed here")
        return 0
    with places.places(ask.j) as (where, why):
        tap = Tap(where[-1].modes)
        if why:
            tap.say("no loss of power: " + why)
        sweep(names, where, tap, ask.a)
    if ask.a and not ask.names:
        n = tap.total["tried"]
        tap.ok(n >= FEW or tap.modes == ("kill",),
               "the store was crashed at %d points or more" % FEW)
    tap.say("all %s; %d s" % (figures(tap.total), time.monotonic() - began))
    print("1..%d" % tap.n)
    return tap.bad != 0


if __name__ == "__main__":
    sys.exit(main())

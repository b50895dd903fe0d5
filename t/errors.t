#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The error sweep: whatever is done to a store, each system call of it that
changes something, opens or looks fails, with every error that it may have,
once or from then on; each write is short; each allocation is refused.

usage: errors.t [-a | -c | -n POINTS] [-j WORKERS] [ACT ...]

  -a  all points; that takes days
  -c  all of the calls that change something, EMFILE of those that open
      something, and all short writes
  -n  so many of each act; else a share that takes some seconds

The client gets a clear NO, 4xx or exit 75, or a clean end; then the store is
as before, and what was refused is done when it is asked for again.  What was
acknowledged is there, once and whole; nothing crashes; all work goes on."""
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
from trial import (LOOKS, MEMORY, OPENS, SHORT, Fault, Trial,    # noqa: E402
                   errors_of)

SHARE = 1 if places.SLOW else 3     # points of an act
KINDS = ("lost", "torn", "doubled", "numbers", "crashed", "unclear")
LASTING = ("ENOSPC", "EMFILE")      # and EIO, of calls that change something

# What was wrong once is tried each time.
ONCE = [Fault("rename", "EIO", 2, "renameat2", True),
        Fault("undo-rename-inbox", "EMFILE", 33, "openat"),
        Fault("take-move", "EMFILE", 36, "openat"),
        Fault("take-move", "EMFILE", 40, "openat"),
        Fault("take-move-to", "EMFILE", 37, "openat"),
        Fault("lmtp-root", "EPIPE", 12, "sendto"),
        Fault("lmtp-root", "EPIPE", 14, "sendto")]

trial = None    # of this process
changes = False     # -c


def start(place, only_changes):
    global trial, changes
    trial = Trial(place)
    trial.begin()
    changes = only_changes


def is_asked(f):
    """Whether -c has it."""
    return f.what != MEMORY and f.name not in LOOKS and (
        f.name not in OPENS or f.what == "EMFILE")


def faults(act):
    """All that can go wrong in it."""
    found, many = [], collections.Counter()
    for name in trial.calls(act):
        many[name] += 1
        n = many[name]
        for error in errors_of(name):
            found.append(Fault(act, error, n, name))
            if error in LASTING or (error == "EIO" and
                                    "ENOSPC" in errors_of(name)):
                found.append(Fault(act, error, n, name, True))
    for what, chances in zip((MEMORY, SHORT), trial.chances(act)):
        for n in range(1, chances + 1):
            found += [Fault(act, what, n, what, x) for x in (False, True)]
    return [f for f in found if not changes or is_asked(f)]


def share(found, act, points):
    """Some of them: others for each act, the same each time."""
    step = len(found) / points
    if step <= 1:
        return found
    shift = list(ACTS).index(act) * 0.618 % 1
    return [found[int((i + shift) * step)] for i in range(points)] + [
        f for f in ONCE if f.act == act]


def sweep(ask):
    """(act, figures, what is wrong)"""
    act, part, parts, points = ask
    count, said = collections.Counter(), []
    try:
        todo = faults(act)
    except Wrong as e:
        return act, count, ["%s: %s" % (act, e)]
    for f in share(todo, act, points)[part::parts]:
        count["tried"] += 1
        try:
            count["kept"] += trial.attempt(f)
        except Wrong as e:
            count[e.kind] += 1
            said.append("%s: %s: %s" % (f, e.kind, e.what))
        except Exception as e:
            count["torn"] += 1
            said.append("%s: the test fails: %r" % (f, e))
    return act, count, said


def figures(count):
    return "%5d points: %s; %d synced too late to be taken back" % (
        count["tried"], ", ".join("%d %s" % (count[k], k) for k in KINDS),
        count["kept"])


def run(names, where, points, only_changes):
    """All acts, in parts where there are many points: 0 if all is well."""
    parts = 1 if points == SHARE else 8
    todo = [(a, i, parts, points) for a in names for i in range(parts)]
    total, bad = collections.Counter(), 0
    with places.spread(sweep, todo, where, start, only_changes) as found:
        for k, name in enumerate(names, 1):
            count, said = collections.Counter(), []
            for _ in range(parts):
                _, c, s = next(found)
                count += c
                said += s
            total += count
            print("# %-13s %s" % (name, figures(count)))
            for what in said:
                print("# " + what[:2000])
            bad += bool(said)
            print("%sok %d - %s has a clear answer and the store as before, "
                  "whatever fails" % ("not " if said else "", k,
                                      ACTS[name].about), flush=True)
    print("# all %s" % figures(total))
    return bad


def main():
    p = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1],
                                add_help=False)
    p.add_argument("-a", dest="points", action="store_const",
                   const=sys.maxsize)
    p.add_argument("-n", dest="points", type=int)
    p.add_argument("-c", action="store_true")
    p.set_defaults(points=SHARE)
    p.add_argument("-j", type=int, default=os.cpu_count())
    p.add_argument("names", nargs="*", choices=[[], *ACTS])
    ask = p.parse_args()
    names, began = ask.names or list(ACTS), time.monotonic()
    if ask.c and ask.points == SHARE:
        ask.points = sys.maxsize
    if ask.points == SHARE and not ask.names:
        names = places.share_of(ACTS)
    if not places.may_trace():
        print("1..0 # SKIP ptrace is not allowed here")
        return 0
    with places.places(ask.j) as (where, why):
        bad = run(names, where, ask.points, ask.c)
    print("# %d s" % (time.monotonic() - began))
    print("1..%d" % len(names))
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())

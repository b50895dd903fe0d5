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
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [HERE, HERE + "/sweep"]

import disk     # noqa: E402
from acts import ACTS   # noqa: E402
from imap_client import give    # noqa: E402
from model import Wrong     # noqa: E402
from run import STOP, Crash, Stage  # noqa: E402

SHARE = 4   # points of an act in a mode without -a
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

stage = None    # of this worker


def start(places):
    global stage
    stage = Stage(places.get())
    stage.begin()


def attempt(crash):
    """(crash, calls seen, None or what is wrong and how)."""
    wrong = None
    try:
        stage.crash(crash)
    except Wrong as e:
        wrong = e.kind, e.what
    except Exception as e:
        wrong = "torn", "the test fails: %r" % e
    return crash, stage.calls, wrong


class Tap:
    def __init__(self):
        self.n = self.bad = 0

    def ok(self, good, name):
        self.n += 1
        self.bad += not good
        print("%sok %d - %s" % ("" if good else "not ", self.n, name),
              flush=True)

    def skip(self, name, why):
        self.ok(True, "%s # skip %s" % (name, why))

    def say(self, text):
        print("# " + text, flush=True)


class Sweep:
    def __init__(self, pool, workers, modes, everything, tap):
        self.pool = pool
        self.workers = workers
        self.modes = modes
        self.everything = everything
        self.tap = tap
        self.total = collections.Counter()

    def choose(self, crash, calls):
        """The points of an act that took so many calls."""
        if self.everything or calls <= SHARE:
            chosen = range(1, calls + 1)
        else:
            chosen = [1 + i * (calls - 1) // (SHARE - 1)
                      for i in range(SHARE)]
        todo = [Crash(crash.act, crash.mode, n, bare, crash.mutant)
                for i, n in enumerate(chosen)
                for bare in ((False, True) if self.everything else
                             (i % 2 == 1,))]
        return [c for c in todo if not (c.bare and ACTS[c.act].by_index)]

    def act(self, name):
        """Once to its end in each mode, which shows how long it is; then all
        the points."""
        title = "%s survives a crash at any call, or never was" % (
            ACTS[name].about)
        if ACTS[name].died and "cut" not in self.modes:
            self.tap.skip(title, "a copy of a store has not died")
            return
        count = {m: collections.Counter() for m in self.modes}
        todo, wrongs = [], []

        def note(crash, wrong):
            count[crash.mode]["tried"] += 1
            if wrong:
                count[crash.mode][wrong[0]] += 1
                wrongs.append("%s: %s: %s" % (crash, *wrong))

        for crash, calls, wrong in self.pool.imap_unordered(
                attempt, [Crash(name, m, 0) for m in self.modes]):
            note(crash, wrong)
            todo += self.choose(crash, calls)
        for crash, calls, wrong in self.pool.imap_unordered(attempt, todo):
            note(crash, wrong)
        for m in self.modes:
            self.tap.say("%-20s%-7s %s" % (name, m, figures(count[m])))
            self.total += count[m]
        for w in sorted(wrongs)[:None if self.everything else 5]:
            self.tap.say(w)
        self.tap.ok(not wrongs, title)

    def mutant(self, name):
        what, places = MUTANTS[name]
        title = "a program that %s is caught" % what
        places = [p for p in places if p[1] in self.modes]
        if not places:
            self.tap.skip(title, "only loss of power shows it")
            return
        caught = [self.catch(name, *p) for p in places[:
                  None if self.everything else 1]]
        self.tap.ok(all(caught), title)

    def catch(self, mutant, act, mode):
        """True at the first point that shows it."""
        todo = [Crash(act, mode, 0, False, mutant)]
        tried = 0
        while todo:
            some, todo = todo[:2 * self.workers], todo[2 * self.workers:]
            for crash, calls, wrong in self.pool.map(attempt, some):
                tried += 1
                if wrong and crash.n == 0 and mode == "kill":
                    self.tap.say("%s: it does not even work: %s" % (
                        crash, wrong))
                    return False
                if wrong:
                    self.tap.say("%s: %s: %s" % (crash, *wrong))
                    return True
                if crash.n == 0:
                    todo += [Crash(act, mode, n, False, mutant)
                             for n in range(1, calls + 1)]
        self.tap.say("%s, %s: %s is not caught at %d points" % (
            act, mode, mutant, tried))
        return False


def figures(count):
    return "%4d points: %s" % (count["tried"], ", ".join(
        "%d %s" % (count[k], k) for k in KINDS))


def house(top):
    """An account whose mail LMTP can bring."""
    os.makedirs(top + "/control")
    os.environ["LEMON_CONTROL"] = top + "/control"
    for name, text in (("home", top + "/nowhere/%u"),
                       ("locals", "example.org")):
        with open(top + "/control/" + name, "w") as f:
            print(text, file=f)
    subprocess.run(["lemon-user", "add", "alice"], input=b"secret\n",
                   check=True, stderr=subprocess.DEVNULL)
    give(top + "/control")


def make_places(top, workers, tap):
    """Disks, or where there can be none, directories."""
    kind, why = disk.Disk, disk.own_mounts() or disk.mount(
        "tmpfs", top, b"tmpfs", b"mode=755")
    places = []
    for i in range(workers):
        path = "%s/%d" % (top, i)
        if not why:
            try:
                places.append(disk.Disk(path))
                continue
            except (OSError, subprocess.SubprocessError) as e:
                why = str(e)
                shutil.rmtree(path, ignore_errors=True)
        places.append(disk.Plain(path))
    return places, why


def main():
    p = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1],
                                add_help=False)
    p.add_argument("-a", action="store_true")
    p.add_argument("-j", type=int, default=os.cpu_count())
    p.add_argument("names", nargs="*", choices=[[], *ACTS, *MUTANTS])
    ask = p.parse_args()
    tap, began = Tap(), time.monotonic()
    if subprocess.run([STOP, "-o", os.devnull, "true"],
                      stderr=subprocess.DEVNULL).returncode != 0:
        print("1..0 # SKIP ptrace is not allowed here")
        return 0
    # Memory is a good enough disk for a crash that is not the machine's.
    shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    top = tempfile.mkdtemp(prefix="lemon.", dir=shm)
    os.chmod(top, 0o755)
    places = []
    try:
        places, why = make_places(top, ask.j, tap)
        if why:
            tap.say("no loss of power: " + why)
        house(top)
        queue = multiprocessing.Queue()
        for place in places:
            queue.put(place)
        with multiprocessing.Pool(ask.j, start, [queue]) as pool:
            sweep = Sweep(pool, ask.j, places[0].modes, ask.a, tap)
            for name in ask.names or [*ACTS, *MUTANTS]:
                (sweep.act if name in ACTS else sweep.mutant)(name)
            pool.close()
            pool.join()
    finally:
        for place in places:
            place.close()
        disk.umount(top)
        shutil.rmtree(top)
    tap.say("all %s; %d s" % (figures(sweep.total),
                              time.monotonic() - began))
    print("1..%d" % tap.n)
    return tap.bad != 0


if __name__ == "__main__":
    sys.exit(main())

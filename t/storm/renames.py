# SPDX-License-Identifier: ISC
"""Sessions look at a mailbox whose files are renamed without end.

usage: renames.py LOOKS SEED [FILES]  in an empty directory

One reading of a directory misses files that are renamed meanwhile.  None of
them is ever said to be gone, none gets another UID, and in the end all have
the flags of their names.  Then one file is removed, which the same looks must
find."""
import multiprocessing
import multiprocessing.popen_fork
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from imap_client import Imap, flags_of  # noqa: E402

HERE = os.getcwd()
MAIL = HERE + "/Maildir"
LETTERS = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered", "S": "\\Seen"}


def rename_all(seed, stop):
    """In bursts: between them it is sometimes quiet for long enough that
    what a reading missed is looked for again."""
    rng = random.Random(seed)
    os.chdir(MAIL + "/cur")
    names = sorted(os.listdir("."))
    while not stop.is_set():
        for i in range(rng.choice((10, 300, 3000))):
            k = rng.randrange(len(names))
            base, _, letters = names[k].partition(":2,")
            letters = set(letters) ^ {rng.choice("DFRS")}
            to = base + ":2," + "".join(sorted(letters))
            os.rename(names[k], to)
            names[k] = to
        stop.wait(rng.choice((0, 0, 0.02, 0.09, 0.12, 0.25)))


def look(how, looks, files, bad):
    """Look that often; what was wrong goes to bad."""
    other = Imap(MAIL)
    s = Imap(MAIL)
    said = s.ok("SELECT INBOX")
    for i in range(looks):
        if how == "NOOP":
            said = s.ok("NOOP")
        elif how == "SELECT":
            said = s.ok("SELECT INBOX")
            said += s.ok("FETCH 1:* (UID)") if i % 10 == 0 else []
        elif i % 2:
            said = s.ok("CHECK")
        else:
            said = other.ok("STATUS INBOX (MESSAGES UIDNEXT)")
        for r in said:
            m = re.search(rb"^\* (\d+) EXISTS|MESSAGES (\d+)", r)
            n = re.search(rb"UIDNEXT (\d+)", r)
            u = re.match(rb"\* (\d+) FETCH \(UID (\d+)\)", r)
            if re.match(rb"\* (\d+ EXPUNGE|VANISHED)", r) or \
                    m and int(m[1] or m[2]) != files or \
                    n and int(n[1]) != files + 1 or u and u[1] != u[2]:
                bad.put((how, i, r))
    for x in (s, other):
        x.ok("LOGOUT")
        x.end()


def final(s):
    """{uid: flags}"""
    return {int(re.search(rb"UID (\d+)", r)[1]): flags_of(r)
            for r in s.ok("UID FETCH 1:* (UID FLAGS)")[:-1]}


def want():
    """The same by the names of the files, which rise as their UIDs do."""
    return {int(name.split(".")[1]): frozenset(
        LETTERS[x] for x in name.partition(":2,")[2])
        for name in os.listdir(MAIL + "/cur")}


def settle(s, until):
    """Whether the session comes to see what the names say."""
    while time.monotonic() < until:
        s.ok("CHECK")
        if final(s) == want():
            return True
    return False


def main():
    looks, seed = int(sys.argv[1]), sys.argv[2]
    files = int(sys.argv[3]) if len(sys.argv) > 3 else 1500
    for d in ("cur", "new", "tmp"):
        os.makedirs("%s/%s" % (MAIL, d))
    for i in range(1, files + 1):
        with open("%s/cur/1700000000.%06d.h:2," % (MAIL, i), "w") as f:
            f.write("Subject: %d\n\n" % i)
    s = Imap(MAIL)
    s.ok("SELECT INBOX")
    stop, bad = multiprocessing.Event(), multiprocessing.Queue()
    renamer = multiprocessing.Process(target=rename_all, args=(seed, stop))
    hows = ("NOOP", "SELECT", "STATUS")
    lookers = [multiprocessing.Process(
        target=look, args=(how, looks // len(hows) + 1, files, bad))
        for how in hows]
    for p in [renamer] + lookers:
        p.start()
    for p in lookers:
        p.join()
    stop.set()
    renamer.join()
    died = [p.exitcode for p in lookers + [renamer] if p.exitcode != 0]
    wrong = []
    while not bad.empty():
        wrong.append(bad.get())
    same = settle(s, time.monotonic() + 60)
    os.unlink("%s/cur/%s" % (MAIL, sorted(os.listdir(MAIL + "/cur"))[3]))
    found = settle(s, time.monotonic() + 60)
    print("seed %s: %d looks at %d files, %d wrong%s%s" % (
        seed, (looks // len(hows) + 1) * len(hows), files, len(wrong),
        "" if same else ", and the flags are not those of the names",
        "" if found else ", and what was removed is there still"))
    for w in wrong[:20]:
        print("#", w)
    sys.exit(bool(wrong or died or not same or not found))


main()

# SPDX-License-Identifier: ISC
"""Kill a program before each system call that changes anything, and look at
what the next session finds.

usage: crash_sweep.py ACT    in an empty directory

strace kills: SIGKILL before the Nth call of each name.  What was answered
must be there, what was not must be there whole or not at all, and all the
same when the index is deleted as well."""
import os
import re
import shutil
import subprocess
import sys

from imap_client import Imap, give, look

CALLS = ("write writev pwrite64 pwritev ftruncate fallocate fsync fdatasync "
         "sync_file_range rename renameat renameat2 link linkat unlink "
         "unlinkat mkdir mkdirat utimensat openat fchmod").split()

OLD = [b"Subject: old %d\r\n\r\nold %d\r\n" % (i, i) for i in (1, 2, 3)]
NEW = [b"Subject: new %d\r\n\r\n%s\r\n" % (i, b"x" * 3000 * i)
       for i in (1, 2, 3)]
HERE = os.getcwd()
MAIL = HERE + "/home/alice/Maildir"


def prepare():
    os.makedirs("control")
    for name, text in (("home", HERE + "/home/%u"), ("locals", "example.org")):
        with open("control/" + name, "w") as f:
            print(text, file=f)
    subprocess.run(["lemon-user", "add", "alice"], input=b"secret\n",
                   check=True, stderr=subprocess.DEVNULL)
    s = Imap(MAIL)
    for i, text in enumerate(OLD):
        said = s.append("INBOX", text, "\\Deleted" if i < 2 else "\\Seen")
        assert b"APPENDUID" in said[-1], said
    s.ok("CREATE There")
    s.ok("CREATE Other")
    s.ok("LOGOUT")
    s.end()
    give("home")
    before = look(MAIL)
    shutil.rmtree(MAIL + "/.lemon")     # it would know inodes of the old
    subprocess.run(["cp", "-a", "home", "was"], check=True)
    return before


def again(act):
    shutil.rmtree("home")
    subprocess.run(["cp", "-a", "was", "home"], check=True)
    if not act.rebuild:
        look(MAIL)


# --- what is done, and what may be found after it ---

def literal(text):
    return b"{%d+}\r\n%s" % (len(text), text)


def session(*commands):
    said = b"".join(b"%d %s\r\n" % (i, c) for i, c in enumerate(commands))
    return ["lemon-imapd", MAIL], said + b"z LOGOUT\r\n"


def answered(out, tag):
    return re.search(rb"^%d OK" % tag, out, re.M) is not None


def inbox(now):
    return now["INBOX"].texts()


def one_more(now, done):
    """The new message once, or, where nothing was said, not at all."""
    return inbox(now) == sorted(OLD + NEW[:1]) or (
        not done and inbox(now) == OLD)


def same_uid(now, out, flags):
    """APPENDUID named it, and means it still."""
    m = re.search(rb"APPENDUID (\d+) (\d+)", out)
    return not m or (int(m[1]) == now["INBOX"].validity and
                     now["INBOX"].msgs.get(int(m[2])) == (flags, NEW[0]))


class Act:
    rebuild = False     # whether the index is made anew as well


class Lmtp(Act):
    body = NEW[0]
    argv = ["lemon-deliver", "-l"]
    said = (b"LHLO x\r\nMAIL FROM:<s@x.example>\r\nRCPT TO:<alice>\r\n"
            b"DATA\r\n" + body + b".\r\nQUIT\r\n")

    def done(self, out, code):
        return len(re.findall(rb"^250 2\.[01]\.[05] ", out, re.M)) == 3

    def good(self, now, out, done):
        new = [t for t in inbox(now) if t not in OLD]
        return len(inbox(now)) == 3 + len(new) and (
            len(new) == 1 and new[0].endswith(self.body) or
            not new and not done)


class Pipe(Lmtp):
    argv = ["lemon-deliver", "alice"]
    said = NEW[0].replace(b"\r\n", b"\n")

    def done(self, out, code):
        return code == 0


class Rebuild(Pipe):
    rebuild = True


class Append(Act):
    argv, said = session(b"APPEND INBOX (\\Seen $Work) " + literal(NEW[0]))

    def done(self, out, code):
        return answered(out, 0)

    def good(self, now, out, done):
        return one_more(now, done) and same_uid(
            now, out, frozenset({"\\Seen", "$Work"}))


class Multiappend(Append):
    argv, said = session(b"APPEND INBOX " + b" ".join(
        literal(t) for t in NEW))

    def good(self, now, out, done):
        return inbox(now) == sorted(OLD + NEW) or (
            not done and inbox(now) == OLD)


class Copy(Append):
    argv, said = session(b"SELECT INBOX", b"COPY 1:3 There")

    def done(self, out, code):
        return answered(out, 1)

    def good(self, now, out, done):
        there = now["There"].texts()
        return inbox(now) == OLD and (there == OLD or
                                      not done and not there)


class Move(Copy):
    argv, said = session(b"SELECT INBOX", b"MOVE 1:3 There")

    def good(self, now, out, done):
        there = now["There"].texts()
        # RFC 6851 3.3: each is moved or not, and never neither or both.
        return sorted(inbox(now) + there) == OLD and (
            there == OLD or not done) and (
            there == OLD or b" EXPUNGE" not in out)


class Store(Copy):
    argv, said = session(b"SELECT INBOX", b"STORE 1:3 +FLAGS (\\Flagged $A)")

    def good(self, now, out, done):
        new = [flags >= {"\\Flagged", "$A"}
               for flags, text in now["INBOX"].msgs.values()]
        return inbox(now) == OLD and (all(new) or not done)


class Expunge(Copy):
    argv, said = session(b"SELECT INBOX", b"EXPUNGE")

    def good(self, now, out, done):
        return inbox(now) == OLD[2:] or (
            not done and b" EXPUNGE" not in out and inbox(now) == OLD)


class Folders(Act):
    argv, said = session(b"CREATE New", b"SUBSCRIBE New",
                         b"RENAME There Then", b"DELETE Other")

    def done(self, out, code):
        return answered(out, 3)

    def good(self, now, out, done):
        with open(MAIL + "/subscriptions") if os.path.exists(
                MAIL + "/subscriptions") else open(os.devnull) as f:
            subscribed = "New" in f.read().split()
        return (("New" in now or not answered(out, 0)) and
                (subscribed or not answered(out, 1)) and
                ("Then" in now or not answered(out, 2)) and
                ("There" in now) != ("Then" in now) and
                ("Other" not in now or not answered(out, 3)))


# --- the sweep ---

def run(act, *strace):
    """Its output, and what it exited with."""
    again(act)
    with open("out", "wb") as out, open("said", "wb") as said:
        said.write(act.said)
    with open("out", "wb") as out, open("said", "rb") as said:
        p = subprocess.run(["strace", "-f", "-o", "log", *strace, *act.argv],
                           stdin=said, stdout=out, stderr=subprocess.DEVNULL)
    with open("out", "rb") as out:
        return out.read(), p.returncode


def points(act):
    """(call, N) of every call that changes something."""
    out, code = run(act, "-e", "trace=" + ",".join(CALLS))
    if not act.done(out, code) or not act.good(look(MAIL), out, True):
        sys.exit("it does not even work: %s %s" % (code, out))
    count, found = {}, set()
    with open("log", errors="replace") as log:
        for line in log:
            m = re.match(r"(\d+ +)?(\w+)\(", line)
            if not m:
                continue
            n = count[m.groups()] = count.get(m.groups(), 0) + 1
            if m[2] != "openat" or "O_CREAT" in line:
                found.add((m[2], n))
    return sorted(found)


def check(act, now, out, done, before):
    for name, box in now.items():
        was = before.get(name)
        if was and (box.validity != was.validity or box.next < was.next):
            return "%s: its numbers went back" % name
    return None if act.good(now, out, done) else "%s %s" % (
        {name: box.msgs for name, box in now.items()}, out)


def main():
    act = {"lmtp": Lmtp, "pipe": Pipe, "rebuild": Rebuild,
           "append": Append, "multiappend": Multiappend, "copy": Copy, "move": Move,
           "store": Store, "expunge": Expunge,
           "folders": Folders}[sys.argv[1]]()
    os.environ["LEMON_CONTROL"] = HERE + "/control"
    # The leak sanitizer cannot work beside strace.
    os.environ["ASAN_OPTIONS"] = ":".join(filter(None, [
        os.environ.get("ASAN_OPTIONS"), "detect_leaks=0"]))
    before = prepare()
    todo = points(act)
    bad = killed = 0
    for call, n in todo:
        out, code = run(act, "-e", "trace=" + call, "-e",
                        "inject=%s:signal=SIGKILL:when=%d" % (call, n))
        with open("log", errors="replace") as log:
            killed += "killed by SIGKILL" in log.read()
        done = act.done(out, code)
        try:
            now = look(MAIL)
            wrong = check(act, now, out, done, before)
            shutil.rmtree(MAIL + "/.lemon")
            then = look(MAIL)
            if not wrong and now != then:
                wrong = "another without the index: %s" % {
                    name: box.msgs for name, box in then.items()}
        except (AssertionError, OSError) as e:
            wrong = repr(e)
        if wrong:
            bad += 1
            print("killed before %s %d: %.2000s" % (call, n, wrong))
    print("%s: %d points, %d killed, %d bad" % (
        sys.argv[1], len(todo), killed, bad))
    # Not every run makes every call; most must.
    sys.exit(bad > 0 or killed < 8 or killed < len(todo) // 2)


main()

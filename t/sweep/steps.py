# SPDX-License-Identifier: ISC
"""What is done to a store while it crashes.  An act is a row of steps; a step
does one thing through a real program, and says what may be found if the
program died in it."""
import os
import re
import socket
import subprocess

from imap_client import Gone, Imap
from model import Msg, Wrong, subsets, text


class Session(Imap):
    """An IMAP client that remembers what it was told."""

    def __init__(self, at):
        self.at = at
        at.talk = self
        super().__init__(at.maildir, at.argv, env=at.env)

    def command(self, octets):
        """True once it is OK; Gone if the server died."""
        self.send(b"t " + octets + b"\r\n")
        self.at.told = []
        while True:
            self.at.told.append(self.response())
            if self.at.told[-1].startswith(b"t "):
                return self.at.told[-1].startswith(b"t OK")


class At:
    """Where steps are done: the store, and what stands before the programs'
    names to crash them."""

    def __init__(self, maildir, argv=(), env=None):
        self.maildir = maildir
        self.argv = list(argv)
        self.env = env
        self.told = []      # since the last command
        self.talk = None    # the session, of whatever protocol
        self.code = None    # what a program exited with

    def imap(self):
        return self.talk or Session(self)

    def lmtp(self, as_root):
        return self.talk or Lmtp(self, as_root)

    def __enter__(self):
        return self

    def __exit__(self, *why):
        try:
            if self.talk is not None:
                self.code = self.talk.end()
        except subprocess.TimeoutExpired:
            self.talk.proc.kill()   # and so what it traces
            self.talk.proc.wait()
            raise Wrong("unclear", "it does not end")


class Lmtp:
    def __init__(self, at, as_root):
        at.talk = self
        self.sock, theirs = socket.socketpair()
        owner = os.stat(at.maildir).st_uid
        become = [] if as_root or os.geteuid() == owner else [
            "setpriv", "--reuid=%d" % owner, "--clear-groups"]
        self.proc = subprocess.Popen(
            [*at.argv, *become, "lemon-deliver", "-l"], stdin=theirs, stdout=theirs,
            stderr=subprocess.DEVNULL, env=at.env)
        theirs.close()
        self.sock.settimeout(60)
        self.lines = self.sock.makefile("rb")
        self.reply()
        self.say(b"LHLO client.example\r\n")

    def reply(self):
        line = b"   -"
        while line[3:4] == b"-":
            line = self.lines.readline()
            if not line.endswith(b"\n"):
                raise Gone(line)
        return line

    def say(self, octets):
        self.sock.sendall(octets)
        return self.reply()

    def end(self):
        self.lines.close()
        self.sock.close()
        return self.proc.wait(60)


def numbers_of(said):
    """[UID] of a set such as 3:5,9"""
    found = []
    for part in said.split(b","):
        first, _, last = part.partition(b":")
        found += range(int(first), int(last or first) + 1)
    return found


class Step:
    """outcomes: the States that may be found if it was not acknowledged, the
    first when it was; what was told meanwhile counts.  with_index: whether
    the index was still there; what comes whole only by it may be halves
    else."""

    def run(self, at, state):
        """True if it was acknowledged.  Gone if the program died."""
        raise NotImplementedError

    def outcomes(self, state, told, with_index):
        raise NotImplementedError

    def refused(self, state, told):
        """The State after it was refused: as before, but for what was told
        to be done; on a slow machine it may be done in portions, of which
        one fails."""
        return state

    def learn(self, before, after, told, ledger):
        """The numbers in an acknowledgement."""


class Command(Step):
    """One IMAP command that changes nothing."""

    def __init__(self, octets):
        self.octets = octets

    def run(self, at, state):
        return at.imap().command(self.octets)

    def outcomes(self, state, told, with_index):
        return [state]


class Change(Command):
    """One IMAP command that is done or not; or in part, if it is of several
    mailboxes: stages change the State one after another."""

    def __init__(self, octets, *stages):
        super().__init__(octets)
        self.stages = stages

    def outcomes(self, state, told, with_index):
        found = []
        for stage in self.stages:
            state = state.copy()
            stage(state)
            found.insert(0, state)
        return found


class Sign(Command):
    """A URL of a message that is there and stays."""

    def __init__(self, box, uid):
        self.rump = "imap://alice@h/%s/;UID=%d;URLAUTH=anonymous" % (box, uid)
        super().__init__(b"GENURLAUTH %s INTERNAL" % self.rump.encode())

    def outcomes(self, state, told, with_index):
        for line in told:
            m = re.fullmatch(rb'\* GENURLAUTH "(.*)"', line)
            if m:
                state = state.copy()
                state.urls.add(m[1].decode())
        return [state]

    def learn(self, before, after, told, ledger):
        ledger.urls |= after.urls


def system(flags):
    """Those that are in a file's name."""
    return frozenset(f for f in flags if f.startswith("\\"))


class Append(Step):
    def __init__(self, box, names, flags=()):
        self.box = box
        self.names = names
        self.flags = frozenset(flags)

    def run(self, at, state):
        flags = " ".join(sorted(self.flags)).encode()
        return at.imap().command(b"APPEND %s %s" % (
            self.box.encode(), b" ".join(
                b"(%s) %s" % (flags, self.octets(state, text(n)))
                for n in self.names)))

    def octets(self, state, message):
        return b"{%d+}\r\n%s" % (len(message), message)

    def outcomes(self, state, told, with_index):
        for some in subsets(self.names):
            for flags in (self.flags, system(self.flags)):
                after = state.copy()
                for n in some:
                    after.boxes[self.box][n] = Msg(None, flags)
                yield after
                if with_index:
                    return

    def learn(self, before, after, told, ledger):
        m = re.search(rb"\[APPENDUID (\d+) ([\d:,]+)\]", told[-1])
        if m:       # a mutant has none
            learn(after, ledger, self.box, int(m[1]), self.names,
                  numbers_of(m[2]))


class Catenate(Append):
    """The same, while the octets that all messages have come from some that
    are there."""

    def __init__(self, box, names, flags, sources):
        super().__init__(box, names, flags)
        self.sources = sources      # (mailbox, message)

    def octets(self, state, message):
        before, same, after = message.partition(b"x" * 70)
        cut = range(0, 70, 70 // len(self.sources))
        return b"CATENATE (TEXT {%d+}\r\n%s%s TEXT {%d+}\r\n%s)" % (
            len(before), before, b"".join(
                b" URL \"/%s/;UID=%d/;SECTION=TEXT/;PARTIAL=%d.%d\"" % (
                    box.encode(), state.boxes[box][name].uid, at,
                    70 // len(self.sources))
                for (box, name), at in zip(self.sources, cut)),
            len(after), after)


def learn(state, ledger, box, validity, names, uids):
    assert len(names) == len(uids)
    state.validity[box] = validity
    for name, uid in zip(names, uids):
        ledger.told(validity, uid, name)
        state.boxes[box][name] = state.boxes[box][name]._replace(uid=uid)


class OnUids(Step):
    """A command on messages of the mailbox that is selected."""

    def __init__(self, box, names):
        self.box = box
        self.names = names

    def uids(self, state):
        return b",".join(b"%d" % state.boxes[self.box][n].uid
                         for n in self.names)


class Store(OnUids):
    def __init__(self, box, names, op, flags):
        super().__init__(box, names)
        self.op = op
        self.flags = frozenset(flags)

    def run(self, at, state):
        return at.imap().command(b"UID STORE %s %sFLAGS (%s)" % (
            self.uids(state), self.op.encode(),
            " ".join(sorted(self.flags)).encode()))

    def after(self, flags):
        return (flags | self.flags if self.op == "+" else
                flags - self.flags if self.op == "-" else self.flags)

    def refused(self, state, told):
        after = state.copy()
        msgs = after.boxes[self.box]
        names = {msgs[n].uid: n for n in msgs}
        for line in told:
            m = re.match(rb"\* \d+ FETCH \(UID (\d+) FLAGS \((.*?)\)", line)
            if m:
                n = names[int(m[1])]
                msgs[n] = msgs[n]._replace(flags=frozenset(
                    m[2].decode().split()) - {"\\Recent"})
        return after

    def outcomes(self, state, told, with_index):
        """System flags are in one place, keywords in another."""
        new = {n: self.after(msg.flags)
               for n, msg in state.boxes[self.box].items()}
        for some in subsets(self.names):
            for words in subsets(self.names):
                after = state.copy()
                for n in self.names:
                    msg = after.boxes[self.box][n]
                    flags = system(new[n] if n in some else msg.flags)
                    both = new[n] if n in words else msg.flags
                    after.boxes[self.box][n] = msg._replace(
                        flags=flags | (both - system(both)))
                yield after


class StoreMany(Store):
    """One system flag of so many that their files are renamed later."""

    def outcomes(self, state, told, with_index):
        for k in range(len(self.names), -1, -1):
            after = state.copy()
            for n in self.names[:k]:
                msg = after.boxes[self.box][n]
                after.boxes[self.box][n] = msg._replace(
                    flags=self.after(msg.flags))
            yield after


class Copy(OnUids):
    def __init__(self, box, names, to):
        super().__init__(box, names)
        self.to = to

    def run(self, at, state):
        return at.imap().command(b"UID COPY %s %s" % (
            self.uids(state), self.to.encode()))

    def moved(self, state, some, gone, plain=False):
        after = state.copy()
        for n in some:
            msg = after.boxes[self.box][n]
            after.boxes[self.to][n] = Msg(
                None, system(msg.flags) if plain else msg.flags)
        for n in gone:
            del after.boxes[self.box][n]
        return after

    def outcomes(self, state, told, with_index):
        yield self.moved(state, self.names, ())
        if not with_index:
            for some in subsets(self.names):
                yield self.moved(state, some, ())
                yield self.moved(state, some, (), plain=True)

    def learn(self, before, after, told, ledger):
        m = re.search(rb"\[COPYUID (\d+) ([\d:,]+) ([\d:,]+)\]",
                      b"\n".join(told))
        name = {msg.uid: n for n, msg in before.boxes[self.box].items()}
        learn(after, ledger, self.to, int(m[1]),
              [name[uid] for uid in numbers_of(m[2])], numbers_of(m[3]))


class Move(Copy):
    """RFC 6851 3.3: each is moved or not, and never in neither or both."""

    def run(self, at, state):
        return at.imap().command(b"UID MOVE %s %s" % (
            self.uids(state), self.to.encode()))

    def outcomes(self, state, told, with_index):
        for some in subsets(self.names):
            yield self.moved(state, some, some)
            if any(b" EXPUNGE" in r for r in told):
                return
        if not with_index:
            yield from super().outcomes(state, told, False)


class RenameInbox(Move):
    """RFC 3501 6.3.5: its messages are moved to a new mailbox, it stays."""

    def __init__(self, names, to):
        super().__init__("INBOX", names, to)

    def run(self, at, state):
        return at.imap().command(b"RENAME INBOX " + self.to.encode())

    def outcomes(self, state, told, with_index):
        made = state.copy()
        made.boxes[self.to] = {}
        yield from super().outcomes(made, (), with_index)

    def learn(self, before, after, told, ledger):
        """It tells no numbers."""


class Expunge(Step):
    def __init__(self, box, command=b"EXPUNGE"):
        self.box = box
        self.command = command

    def run(self, at, state):
        return at.imap().command(self.command)

    def outcomes(self, state, told, with_index):
        dead = [n for n, msg in state.boxes[self.box].items()
                if "\\Deleted" in msg.flags]
        for some in subsets(dead):
            after = state.copy()
            for n in some:
                del after.boxes[self.box][n]
            yield after
            if any(b" EXPUNGE" in r for r in told):
                return


    def refused(self, state, told):
        after = state.copy()
        msgs = after.boxes[self.box]
        order = sorted(msgs, key=lambda n: msgs[n].uid)
        for line in told:
            m = re.match(rb"\* (\d+) EXPUNGE", line)
            if m:
                del msgs[order.pop(int(m[1]) - 1)]
        return after


class ExpungeMany(Expunge):
    """Of so many that it may take more than one transaction."""

    def outcomes(self, state, told, with_index):
        dead = sorted((msg.uid, n) for n, msg in
                      state.boxes[self.box].items()
                      if "\\Deleted" in msg.flags)
        for k in range(len(dead), -1, -1):
            after = state.copy()
            for uid, n in dead[:k]:
                del after.boxes[self.box][n]
            yield after
            if any(b" EXPUNGE" in r for r in told):
                return


class Deliver(Step):
    """lemon-deliver with a message on its standard input."""

    def __init__(self, name, folder="INBOX"):
        self.name = name
        self.folder = folder

    def run(self, at, state):
        p = subprocess.run(
            [*at.argv, "lemon-deliver", "-m", self.folder, at.maildir],
            input=text(self.name).replace(b"\r\n", b"\n"), env=at.env,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        at.code = p.returncode
        return p.returncode == 0

    def outcomes(self, state, told, with_index):
        after = state.copy()
        after.boxes.setdefault(self.folder, {})[self.name] = Msg(
            None, frozenset())
        return [after]


class Transaction(Step):
    """One message over LMTP, to a mailbox for each recipient."""
    rcpt = {"INBOX": b"alice", "There": b"alice+There"}

    def __init__(self, name, boxes, as_root=False):
        self.name = name
        self.boxes = boxes
        self.as_root = as_root

    def run(self, at, state):
        lmtp = at.lmtp(self.as_root)
        at.told = []
        for command in (b"MAIL FROM:<s@x.example>", *(
                b"RCPT TO:<%s>" % self.rcpt[b] for b in self.boxes), b"DATA"):
            reply = lmtp.say(command + b"\r\n")
            if reply[:1] not in b"23":
                at.told = [reply]
                return False
        at.told.append(lmtp.say(text(self.name) + b".\r\n"))
        while len(at.told) < len(self.boxes):
            at.told.append(lmtp.reply())
        return all(r.startswith(b"250") for r in at.told)

    def outcomes(self, state, told, with_index):
        """Those that were answered have it."""
        sure = {b for b, r in zip(self.boxes, told)
                if r.startswith(b"250")}
        for some in subsets(self.boxes):
            if sure <= set(some):
                after = state.copy()
                for b in some:
                    after.boxes[b][self.name] = Msg(None, frozenset())
                yield after

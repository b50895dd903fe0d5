# SPDX-License-Identifier: ISC
"""A client of lemon-imapd for tests: it understands as much of IMAP as is
needed to say what is in every mailbox of a Maildir, exactly."""
import os
import re
import socket
import subprocess


class Gone(Exception):
    """The server closed the connection."""


class Imap:
    """One session, already logged in, at the Maildir."""

    def __init__(self, maildir, argv=(), **how):
        self.sock, theirs = socket.socketpair()
        self.proc = subprocess.Popen([*argv, "lemon-imapd", maildir],
                                     stdin=theirs, stdout=theirs, **{
                                         "stderr": subprocess.DEVNULL, **how})
        theirs.close()
        self.sock.settimeout(60)
        self.held = b""
        self.greeting = self.response()

    def send(self, octets):
        self.sock.sendall(octets)

    def fill(self):
        got = self.sock.recv(1 << 16)
        if not got:
            raise Gone(self.held)
        self.held += got

    def response(self):
        """The next response without its CRLF, its literals in place."""
        said = b""
        while True:
            while b"\r\n" not in self.held:
                self.fill()
            line, self.held = self.held.split(b"\r\n", 1)
            said += line
            m = re.search(rb"\{(\d+)\}$", line)
            if not m:
                return said
            n = int(m[1])
            while len(self.held) < n:
                self.fill()
            said += b"\r\n" + self.held[:n]
            self.held = self.held[n:]

    def until(self, begin):
        """All responses up to the one that begins so."""
        seen = [self.response()]
        while not seen[-1].startswith(begin):
            seen.append(self.response())
        return seen

    def ask(self, command):
        if isinstance(command, str):
            command = command.encode()
        self.send(b"t " + command + b"\r\n")
        return self.until(b"t ")

    def ok(self, command):
        said = self.ask(command)
        assert said[-1].startswith(b"t OK"), (command, said)
        return said

    def append(self, box, text, flags=""):
        text = text.encode() if isinstance(text, str) else text
        return self.ask(b"APPEND %s (%s) {%d+}\r\n%s" % (
            box.encode(), flags.encode(), len(text), text))

    def end(self):
        self.sock.close()
        return self.proc.wait(60)


def flags_of(response):
    m = re.search(rb"FLAGS \(([^)]*)\)", response)
    return frozenset(m[1].decode().split()) - {"\\Recent"}


class Box:
    """What a mailbox shows: validity, next, and {uid: (flags, text)}."""

    def __init__(self, session, name):
        said = b"\n".join(session.ok('EXAMINE "%s"' % name))
        self.validity = int(re.search(rb"UIDVALIDITY (\d+)", said)[1])
        self.next = int(re.search(rb"UIDNEXT (\d+)", said)[1])
        self.exists = int(re.search(rb"\* (\d+) EXISTS", said)[1])
        self.msgs, last = {}, 0
        for r in session.ok("UID FETCH 1:* (UID FLAGS BODY.PEEK[])"):
            m = re.search(rb"UID (\d+)", r)
            if not r.startswith(b"* ") or b" FETCH (" not in r:
                continue
            uid = int(m[1])
            assert last < uid < self.next, (name, last, uid, self.next)
            last = uid
            text = re.search(rb"\{(\d+)\}\r\n", r)
            begin = text.end()
            self.msgs[uid] = (flags_of(r), r[begin:begin + int(text[1])])
        assert len(self.msgs) == self.exists, (name, self.exists, self.msgs)

    def texts(self):
        return sorted(text for flags, text in self.msgs.values())

    def __eq__(self, other):
        return (self.validity, self.msgs) == (other.validity, other.msgs)


def look(maildir):
    """{name: Box} of all, through a session of its own."""
    s = Imap(maildir)
    boxes = {}
    for r in s.ok('LIST "" *'):
        m = re.fullmatch(rb'\* LIST \([^)]*\) "/" "?([^"]*)"?', r)
        if m and b"\\Noselect" not in r:
            name = m[1].decode()
            boxes[name] = Box(s, name)
    s.ok("LOGOUT")
    code = s.end()
    assert code == 0, code
    return boxes


def give(path):
    """Mail is never root's."""
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", "nobody:nogroup", path], check=True)

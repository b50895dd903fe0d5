# SPDX-License-Identifier: ISC
"""Clients that mean harm, for tests of what servers do before a login."""
import base64
import concurrent.futures
import fcntl
import os
import re
import select
import socket
import ssl
import struct
import subprocess
import termios
import time

T = os.environ["T"]
WAIT = 60           # seconds for anything; a sanitizer build is slow
# What a client gets to see of each server, and how it gets there.
KINDS = {
    "imap": ["lemon-imapd"], "imaps": ["lemon-imapd", "-s"],
    "submit": ["lemon-submit"], "submits": ["lemon-submit", "-s"],
    "lmtp": ["lemon-deliver", "-l"],
}


def context():
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
    return ctx


class Client:
    """One connection to a server of its own, as from the network.

    kind is of KINDS, with "+tls" where STARTTLS is to be done first."""

    def __init__(self, kind, greet=True, **env):
        kind, self.upgrade = kind.split("+")[0], "+" in kind
        self.kind, self.smtp = kind, not kind.startswith("imap")
        self.sock, theirs = socket.socketpair()
        env = {**os.environ, "TCPREMOTEIP": "192.0.2.1", "PROTO": "TCP", **env}
        self.log = open(T + "/log", "ab")
        self.proc = subprocess.Popen(KINDS[kind], stdin=theirs, stdout=theirs,
                                     stderr=self.log, env=env)
        self.log.close()
        theirs.close()
        self.sock.settimeout(WAIT)
        self.held, self.closed = b"", False
        if not greet:
            return
        if kind.endswith("s"):
            self.tls()
        assert self.line()[:4] in (b"* OK", b"220 "), self.held
        if self.upgrade:
            self.starttls()

    def tls(self):
        self.sock = context().wrap_socket(self.sock)

    def hello(self):
        return self.ask(b"LHLO x" if self.kind == "lmtp" else b"EHLO x")

    def starttls(self):
        if self.smtp:
            self.hello()
            said = self.ask(b"STARTTLS")[-1]
        else:
            said = self.ask(b"t STARTTLS")[-1]
        assert said[:4] in (b"t OK", b"220 "), said
        assert self.held == b"", self.held
        self.tls()

    # What is sent may go on when the server is gone already.
    def send(self, octets):
        try:
            self.sock.sendall(octets)
        except (OSError, ssl.SSLError):
            self.closed = True
        return not self.closed

    def fill(self):
        try:
            got = self.sock.recv(1 << 16)
        except socket.timeout:
            raise AssertionError("silence in %s after %r" % (
                self.kind, self.held[-200:]))
        except (OSError, ssl.SSLError):
            got = b""
        self.held += got
        return bool(got)

    def line(self):
        """The next line without its end; None when there is none."""
        while b"\n" not in self.held:
            if not self.fill():
                return None
        line, self.held = self.held.split(b"\n", 1)
        return line.rstrip(b"\r")

    def answer(self):
        """The lines of one answer: to the tag t, or of SMTP."""
        seen = []
        while True:
            seen.append(self.line())
            if seen[-1] is None:
                return seen
            if self.smtp and seen[-1][3:4] == b" ":
                return seen
            if not self.smtp and (seen[-1][:2] == b"t " or
                                  seen[-1][:1] == b"+"):
                return seen

    def ask(self, command):
        self.send(command + b"\r\n")
        return self.answer()

    def flood(self, octets, times, most=1 << 30):
        """Send it that often, reading what comes, until the server closes
        or all is sent.  How many octets went."""
        self.sock.setblocking(False)
        went, end = 0, time.monotonic() + WAIT
        piece, left = b"", times
        while left > 0 or piece:
            if not piece:
                n = min(left, max(1, (1 << 18) // len(octets)))
                piece, left = octets * n, left - n
            assert time.monotonic() < end, "stuck after %d" % went
            want_write = [self.sock]
            r, w, _ = select.select([self.sock], want_write, [], 1)
            try:
                if r:
                    got = self.sock.recv(1 << 16)
                    if not got:
                        self.closed = True
                        break
                    self.held = (self.held + got)[-(1 << 20):]
            except (BlockingIOError, ssl.SSLWantReadError,
                    ssl.SSLWantWriteError):
                pass
            except (OSError, ssl.SSLError):
                self.closed = True
                break
            try:
                if w:
                    n = self.sock.send(piece)
                    went += n
                    piece = piece[n:]
            except (BlockingIOError, ssl.SSLWantReadError,
                    ssl.SSLWantWriteError):
                pass
            except (OSError, ssl.SSLError):
                self.closed = True
                break
        self.sock.setblocking(True)
        self.sock.settimeout(WAIT)
        return went

    def drip(self, octets, every=0.1, most=30):
        """Send an octet now and then, all the time, until the server closes.
        Seconds that took; more than most if it does not."""
        began = time.monotonic()
        for i in range(int(most / every)):
            r, _, _ = select.select([self.sock], [], [], every)
            if r and not self.fill():
                break
            self.send(octets[i % len(octets):][:1])
        return time.monotonic() - began

    def drain(self):
        """All that comes until the end."""
        while self.fill():
            pass
        return self.held

    def private(self):
        """KiB of memory that the process wrote to."""
        text = open("/proc/%d/smaps_rollup" % self.proc.pid).read()
        return int(re.search(r"Private_Dirty:\s+(\d+) kB", text)[1])

    def unread(self):
        """How much of what was sent the server did not take yet."""
        n = fcntl.ioctl(self.sock, termios.TIOCOUTQ, b"\0" * 4)
        return struct.unpack("i", n)[0]

    def quiet(self):
        """Wait until the process has read all and waits for us; false when
        it is gone."""
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            r, _, _ = select.select([self.sock], [], [], 0.001)
            if r:
                if self.fill():
                    continue
                self.end()
                return False
            try:
                with open("/proc/%d/syscall" % self.proc.pid) as f:
                    # poll, ppoll
                    if f.read().split()[0] in ("7", "271", "73") and \
                            self.unread() == 0:
                        return True
            except (OSError, IndexError):
                return False
        raise AssertionError("%s is busy still" % self.kind)

    def end(self):
        self.sock.close()
        return self.proc.wait(WAIT)


def plain(user, password):
    return base64.b64encode(("\0%s\0%s" % (user, password)).encode())


def at_once(one, rows):
    """What one(*row) gives for each, all at the same time."""
    with concurrent.futures.ThreadPoolExecutor(len(rows)) as pool:
        return list(pool.map(lambda row: one(*row), rows))

# SPDX-License-Identifier: ISC
"""What the servers say to lemon-urlauth -s (lib/url/remote.h)."""

import socket


def string(s):
    s = s.encode() if isinstance(s, str) else s
    return b"%d:%s," % (len(s), s)


def request(caller, url, flags=""):
    return string(caller) + string(flags) + string(url)


class Remote:
    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(30)
        self.s.connect(path)
        self.f = self.s.makefile("rb")

    def send(self, octets):
        self.s.sendall(octets)

    def string(self):
        n = b""
        while not n.endswith(b":"):
            c = self.f.read(1)
            assert c, "closed"
            n += c
        s = self.f.read(int(n[:-1]))
        assert self.f.read(1) == b","
        return s

    def answer(self):
        """(octet, structure, octets); octet is b"" at the end."""
        a = self.f.read(1)
        structure = octets = None
        if a in (b"+", b"*", b"?") and a:
            structure = self.string()
        if a in (b"+", b"*") and a:
            octets = self.string()
        return a, structure, octets

    def ask(self, caller, url, flags=""):
        self.send(request(caller, url, flags))
        return self.answer()

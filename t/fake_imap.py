#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""An IMAP server that knows URLFETCH and little else.

usage: fake_imap.py [-t PEM] [-s] [-a USER:PASSWORD] [-w STAGE] [-r TEXT]
                    [-b N [-o]] DIR

Listens on a port of 127.0.0.1 that it prints, and of 127.0.0.2.  Writes what
clients say to DIR/log.  A URL's octets are those of DIR/body, NIL if there is none.

-t        offer STARTTLS with that certificate; with -s TLS from the first octet
-a        the login that is taken; the default is submit:secret
-w        say nothing more at greeting, login or urlfetch, or after half of
          the body (half)
-r        answer URLFETCH with that text instead of OK
-b        answer no URLFETCH before N of them have come, but for once; with -o
          the last one first
"""
import getopt
import os
import re
import shlex
import socket
import ssl
import sys
import threading

opts, args = getopt.getopt(sys.argv[1:], "t:sa:w:r:b:o")
opts = dict(opts)
DIR = args[0]
LOGIN = opts.get("-a", "submit:secret").split(":", 1)
WAIT = opts.get("-w")
lock = threading.Lock()


class Silent(Exception):
    pass


def tls(sock):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(opts["-t"])
    return ctx.wrap_socket(sock, server_side=True)


class Session:
    def __init__(self, sock):
        self.secure = "-s" in opts
        self.wanted, self.asked = int(opts.get("-b", 1)), []
        self.start(tls(sock) if self.secure else sock)

    def start(self, sock):
        self.sock, self.f = sock, sock.makefile("rb")

    def say(self, line):
        self.sock.sendall(line.encode("latin-1") + b"\r\n")

    def stage(self, name):
        if WAIT == name:
            raise Silent

    def line(self):
        got = self.f.readline()
        with lock, open(DIR + "/log", "ab") as f:
            f.write(got)
        return got.decode("latin-1").rstrip("\r\n")

    def literals(self, line):
        """The line with its literals as quoted strings."""
        while m := re.search(r"\{(\d+)(\+?)\}$", line):
            if not m[2]:
                self.say("+ go")
            text = self.f.read(int(m[1])).decode("latin-1")
            line = line[:m.start()] + '"%s"' % text + self.line()
        return line

    def urlfetch(self, urls):
        self.stage("urlfetch")
        if not os.path.exists(DIR + "/body"):
            self.say("* URLFETCH " + " ".join('"%s" NIL' % u for u in urls))
            return
        body = open(DIR + "/body", "rb").read()
        for u in urls:
            self.sock.sendall(b'* URLFETCH "%s" {%d}\r\n' % (u.encode(),
                              len(body)))
            if WAIT == "half":
                self.sock.sendall(body[:len(body) // 2])
                raise Silent
            self.sock.sendall(body + b"\r\n")

    def run(self):
        self.stage("greeting")
        caps = "IMAP4rev1 URLAUTH LITERAL+"
        if "-t" in opts and not self.secure:
            caps += " STARTTLS LOGINDISABLED"
        self.say("* OK [CAPABILITY %s] fake" % caps)
        while line := self.literals(self.line()):
            tag, verb, *words = shlex.split(line)
            answer = "OK done"
            verb = verb.upper()
            if verb == "STARTTLS":
                self.say(tag + " OK go")
                self.start(tls(self.sock))
                self.secure, answer = True, None
            elif verb == "CAPABILITY":
                self.say("* CAPABILITY IMAP4rev1 URLAUTH LITERAL+")
            elif verb == "LOGIN":
                self.stage("login")
                if words != LOGIN:
                    answer = "NO who"
            elif verb == "URLFETCH":
                self.asked.append((tag, words))
                answer = None
                if len(self.asked) >= self.wanted:
                    for tag, words in self.asked[::-1 if "-o" in opts else 1]:
                        self.urlfetch(words)
                        self.say(tag + " " + opts.get("-r", "OK done"))
                    opts["-b"], self.wanted, self.asked = "1", 1, []
            if answer:
                self.say("%s %s" % (tag, answer))


def serve(sock):
    try:
        Session(sock).run()
    except Silent:
        sock.settimeout(60)
        try:
            while sock.recv(4096):
                pass
        except OSError:
            pass
    except (OSError, ValueError):
        pass
    finally:
        sock.close()


def listen():
    """One port of both addresses."""
    for _ in range(50):
        one, two = socket.socket(), socket.socket()
        one.bind(("127.0.0.1", 0))
        try:
            two.bind(("127.0.0.2", one.getsockname()[1]))
        except OSError:
            one.close()
            continue
        for s in one, two:
            s.listen(20)
        return one, two
    sys.exit("no port is free")


def accept(listener):
    while True:
        s, _ = listener.accept()
        threading.Thread(target=serve, args=(s,), daemon=True).start()


os.makedirs(DIR, exist_ok=True)
listeners = listen()
threading.Thread(target=accept, args=listeners[1:], daemon=True).start()
print(listeners[0].getsockname()[1], flush=True)
accept(listeners[0])

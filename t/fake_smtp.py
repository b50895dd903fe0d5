#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A next hop that misbehaves to order.

usage: fake_smtp.py [-l] [-u SOCKET] [-n KEYWORD]... [-r STAGE=REPLY]...
                    [-d STAGE] [-t PEM] [-a USER:PASSWORD] DIR

Listens on a UNIX socket, or on a port of 127.0.0.1 that it prints; then "ready".
Writes DIR/log (what the client says), and for each message that it took
DIR/N.eml (dots unstuffed) and DIR/N.env (its MAIL and RCPT lines).

-l        speak LMTP
-n WORD   do not offer that keyword
-r        answer that at greeting, helo, auth, mail, rcpt, rcpt:ADDRESS, data,
          end, end:ADDRESS
-d        hang up at mail, rcpt, data, mid (in the message), end (before the
          answer), or at the second of them: mail2, data2; idle: after RCPT
-t        offer STARTTLS with that certificate
-a        offer AUTH and want it
"""
import base64
import getopt
import os
import socket
import ssl
import sys
import threading

opts, args = getopt.getopt(sys.argv[1:], "lu:n:r:d:t:a:")
DIR = args[0]
LMTP = ("-l", "") in opts
UNIX = [v for o, v in opts if o == "-u"]
MISSING = {v.upper() for o, v in opts if o == "-n"}
REPLY = dict(v.split("=", 1) for o, v in opts if o == "-r")
DIE = [v for o, v in opts if o == "-d"]
PEM = [v for o, v in opts if o == "-t"]
AUTH = [v for o, v in opts if o == "-a"]
KEYWORDS = ["PIPELINING", "SIZE 1000000", "8BITMIME", "ENHANCEDSTATUSCODES",
            "DSN", "SMTPUTF8"]
lock = threading.Lock()
count = 0
seen = {}


class Gone(Exception):
    pass


class Session:
    def __init__(self, sock):
        self.sock = sock
        self.f = sock.makefile("rb")
        self.secure = self.authed = False

    def log(self, line):
        with lock, open(DIR + "/log", "ab") as f:
            f.write(line)

    def say(self, text):
        try:
            self.sock.sendall(text.encode() + b"\r\n")
        except OSError:
            raise Gone

    def line(self):
        got = self.f.readline()
        if not got.endswith(b"\r\n"):
            raise Gone
        self.log(got)
        return got[:-2].decode("utf-8", "surrogateescape")

    def verdict(self, name, default, *more):
        """What to answer at that stage."""
        with lock:
            seen[name] = seen.get(name, 0) + 1
            n = seen[name]
        if name in DIE or "%s%d" % (name, n) in DIE:
            raise Gone
        text = default
        for key in (name,) + more:
            text = REPLY.get(key, text)
        return text

    def stage(self, name, default, *more):
        """Answer that stage; whether it was a success."""
        text = self.verdict(name, default, *more)
        self.say(text)
        return text[0] in "23"

    def hello(self, name):
        words = [k for k in KEYWORDS if k.split()[0] not in MISSING]
        if PEM and not self.secure:
            words.append("STARTTLS")
        if AUTH and not self.authed:
            words.append("AUTH PLAIN LOGIN")
        if "helo" in REPLY:
            return self.say(REPLY["helo"])
        lines = ["fake.example"] + words
        for i, w in enumerate(lines):
            self.say("250%s%s" % (" " if i + 1 == len(lines) else "-", w))

    def starttls(self):
        self.say("220 go")
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ctx.load_cert_chain(PEM[0])
        self.sock = ctx.wrap_socket(self.sock, server_side=True)
        self.f = self.sock.makefile("rb")
        self.secure = True

    def auth(self, words):
        user, password = AUTH[0].split(":", 1)
        if words[1].upper() == "PLAIN":
            got = base64.b64decode(words[2]).split(b"\0")
            good = got[1:] == [user.encode(), password.encode()]
        else:
            self.say("334 VXNlcm5hbWU6")
            u = base64.b64decode(self.line())
            self.say("334 UGFzc3dvcmQ6")
            good = [u, base64.b64decode(self.line())] == [
                user.encode(), password.encode()]
        self.authed = good
        self.say("235 2.7.0 ok" if good else "535 5.7.8 no")

    def data(self):
        global count
        if not self.rcpts:
            return self.say("503 5.5.1 no recipients")
        if not self.stage("data", "354 go"):
            return
        text = bytearray()
        while True:
            line = self.f.readline()
            if "mid" in DIE and len(text) > 20:
                raise Gone
            if not line:
                raise Gone
            if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
                self.log(b"BARE " + line)
            if line == b".\r\n":
                break
            text += line[1:] if line.startswith(b".") else line
        verdicts = []
        try:
            for a in self.rcpts if LMTP else [""]:
                verdicts.append(self.verdict("end", "250 2.0.0 stored" if LMTP
                                             else "250 2.0.0 queued",
                                             "end:" + a))
        except Gone:
            for v in verdicts:
                self.say(v)
            raise
        # Whoever hears of it may look at once.
        if any(v[0] in "23" for v in verdicts):
            with lock:
                count += 1
                n = count
            with open("%s/%d.env" % (DIR, n), "w",
                      errors="surrogateescape") as f:
                f.write("".join(e + "\n" for e in self.envelope))
            with open("%s/%d.tmp" % (DIR, n), "wb") as f:
                f.write(text)
            os.rename("%s/%d.tmp" % (DIR, n), "%s/%d.eml" % (DIR, n))
        for v in verdicts:
            self.say(v)
        self.rcpts = []

    def run(self):
        if not self.stage("greeting", "220 fake.example"):
            return
        self.rcpts, self.envelope = [], []
        while True:
            line = self.line()
            words = line.split()
            verb = words[0].upper() if words else ""
            if verb in ("EHLO", "HELO", "LHLO"):
                self.hello(words[1])
            elif verb == "STARTTLS" and PEM:
                self.starttls()
            elif verb == "AUTH" and AUTH:
                self.auth(words)
            elif verb == "MAIL" and AUTH and not self.authed:
                self.say("530 5.7.0 log in")
            elif verb == "MAIL":
                self.rcpts, self.envelope = [], [line]
                self.stage("mail", "250 2.1.0 ok")
            elif verb == "RCPT":
                a = line[line.index("<") + 1:line.index(">")]
                if self.stage("rcpt", "250 2.1.5 ok", "rcpt:" + a):
                    self.rcpts.append(a)
                    self.envelope.append(line)
                if "idle" in DIE:
                    DIE.remove("idle")
                    raise Gone
            elif verb == "DATA":
                self.data()
            elif verb == "RSET":
                self.rcpts = []
                self.say("250 2.0.0 ok")
            elif verb == "QUIT":
                return self.say("221 2.0.0 bye")
            else:
                self.say("500 5.5.2 what")


def serve(sock):
    try:
        Session(sock).run()
    except (Gone, OSError):
        pass
    finally:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        sock.close()


os.makedirs(DIR, exist_ok=True)
if UNIX:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(UNIX[0])
    os.chmod(UNIX[0], 0o777)
else:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
listener.listen(20)
print("ready" if UNIX else listener.getsockname()[1], flush=True)
while True:
    s, _ = listener.accept()
    threading.Thread(target=serve, args=(s,), daemon=True).start()

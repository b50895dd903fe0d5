#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""An IMAP and a submission server that do as they are told.

usage: fake_forward.py DIR

Listens on two ports of 127.0.0.1, which it prints, IMAP first.  Each
connection reads DIR/orders, a line each:

    lacks WORD      do not offer that capability or keyword
    VERB ANSWER     answer that to VERB (of either protocol), the tag before
                    the last line where it is IMAP's; "\\n" stands between
                    lines; without ANSWER: hang up
    VERB/N ANSWER   from the N-th time on

and adds to DIR/imap or DIR/smtp what it heard, with literals and chunks.
"""
import re
import socket
import sys
import threading

DIR = sys.argv[1]
SUBJECT = "Subject: photos\r\n\r\n"


class Session(threading.Thread):
    def __init__(self, sock, name):
        super().__init__(daemon=True)
        self.sock, self.name, self.count = sock, name, {}
        self.f = sock.makefile("rb")
        self.missing, self.orders, self.since = set(), {}, {}
        with open(DIR + "/orders") as f:
            for line in f.read().splitlines():
                verb, _, text = line.partition(" ")
                verb, _, n = verb.partition("/")
                if verb == "lacks":
                    self.missing.add(text)
                else:
                    self.orders[verb] = text.replace("\\n", "\r\n").replace(
                        "\\r", "\r")
                    self.since[verb] = int(n or 1)

    def say(self, text):
        try:
            self.sock.sendall(text.encode())
        except OSError:
            pass

    def log(self, octets):
        with open(DIR + "/" + self.name, "ab") as f:
            f.write(octets)

    def hear(self):
        line = self.f.readline()
        self.log(line)
        return line.decode("latin-1")

    def exactly(self, n):
        octets = self.f.read(n)
        self.log(octets)
        return octets.decode("latin-1")

    def told(self, verb):
        self.count[verb] = self.count.get(verb, 0) + 1
        if verb in self.orders and self.count[verb] >= self.since[verb]:
            return self.orders[verb]
        return None

    def run(self):
        try:
            self.serve()
        except (OSError, ValueError):
            pass
        self.f.close()
        self.sock.close()


class Imap(Session):
    def command(self):
        text = self.hear()
        while text:
            m = re.search(r"\{(\d+)(\+?)\}\r\n$", text)
            if not m:
                return text
            if not m.group(2):
                self.say("+ go on\r\n")
            text += self.exactly(int(m.group(1))) + self.hear()
        return text

    def answer(self, verb, text):
        opened = "* OK [UIDVALIDITY 7] v\r\n* OK [UIDNEXT 40] n\r\n"
        if verb in ("LOGIN", "AUTHENTICATE"):
            return "OK [CAPABILITY %s] in" % " ".join(
                w for w in ("IMAP4rev1", "LITERAL+", "UIDPLUS", "CATENATE",
                            "URLAUTH") if w not in self.missing)
        if verb == "SELECT":
            return opened + "OK [READ-WRITE] selected"
        if verb == "FETCH":
            if "HEADER.FIELDS" in text:
                return "* 3 FETCH (UID 5 BODY[HEADER.FIELDS (SUBJECT)] {%d}" \
                    "\r\n%s)\r\nOK" % (len(SUBJECT), SUBJECT)
            part = "photo of " + re.search(r"\[(.*)\]", text).group(1) + "\r\n"
            return "* 3 FETCH (FLAGS (\\Seen) UID 5 BODY[x] {%d}\r\n%s)\r\n" \
                "OK" % (len(part), part)
        if verb == "STATUS":
            return '* STATUS "Sent" (UIDNEXT 40)\r\nOK'
        if verb == "APPEND":
            return "OK [APPENDUID 7 40] there"
        if verb == "GENURLAUTH":
            return "* GENURLAUTH " + " ".join(
                '"%s:internal:%02x"' % (u, i) for i, u in enumerate(
                    re.findall('"?(imap:[^" ]*)"? INTERNAL', text))) + "\r\nOK"
        return "OK"

    def serve(self):
        self.say("* OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR AUTH=PLAIN] "
                 "hi\r\n")
        while True:
            text = self.command()
            if not text:
                return
            words = text.split()
            tag, verb = words[0], words[1].upper()
            if verb == "UID":
                verb = words[2].upper()
            said = self.told(verb)
            if said == "":
                return
            lines = (said or self.answer(verb, text)).split("\r\n")
            lines[-1] = tag + " " + lines[-1]
            self.say("\r\n".join(lines) + "\r\n")
            if verb == "LOGOUT":
                return


class Smtp(Session):
    def answer(self, verb):
        if verb == "EHLO":
            words = [w for w in ("PIPELINING", "8BITMIME", "CHUNKING", "BURL",
                                 "SIZE 99999", "AUTH PLAIN") if w not in self.missing]
            return "250-x\r\n" + "".join("250-%s\r\n" % w for w in words) + \
                "250 ENHANCEDSTATUSCODES"
        return {"AUTH": "235 2.7.0 in", "DATA": "354 go",
                "QUIT": "221 2.0.0 bye"}.get(verb, "250 2.0.0 ok")

    def serve(self):
        self.say("220 x\r\n")
        while True:
            line = self.hear()
            if not line:
                return
            words = line.split()
            verb = words[0].upper()
            if verb == "BDAT":
                self.exactly(int(words[1]))
            said = self.told(verb)
            if said == "":
                return
            self.say((said or self.answer(verb)) + "\r\n")
            if verb == "DATA" and said is None:
                while self.hear() not in (".\r\n", ""):
                    pass
                self.say((self.told("END") or "250 2.0.0 ok") + "\r\n")
            if verb == "QUIT":
                return


def listen(kind, name):
    s = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            kind(s.accept()[0], name).start()
    threading.Thread(target=accept, daemon=True).start()
    return s.getsockname()[1]


print(listen(Imap, "imap"), listen(Smtp, "smtp"), flush=True)
threading.Event().wait()

#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Says lines to a submission server and prints the replies.

usage: submit_say.py [-p] [-l USER:PASSWORD] PORT LINE...

Does EHLO, STARTTLS (not with -p), EHLO again and AUTH PLAIN (with -l).  Then
each LINE is sent with CRLF, and its reply printed; "=TEXT" sends TEXT with
its escapes and waits for nothing, "@FILE" a file, dots stuffed, and CRLF.CRLF;
"<" waits for a reply ("< <" for two), "!" for the end of the connection.
"""
import base64
import getopt
import socket
import ssl
import sys

opts, args = getopt.getopt(sys.argv[1:], "pl:")
opts = dict(opts)
sock = socket.create_connection(("127.0.0.1", int(args[0])), 30)
held = b""


def reply():
    global held
    lines = []
    while True:
        while b"\n" not in held:
            try:
                got = sock.recv(65536)
            except ConnectionResetError:
                got = b""
            if not got:
                print("(closed)")
                sys.exit(0)
            held += got
        line, held = held.split(b"\n", 1)
        lines.append(line.rstrip(b"\r").decode("utf-8", "replace"))
        if lines[-1][3:4] != "-":
            return lines


def ask(line):
    sock.sendall(line.encode("utf-8", "surrogateescape") + b"\r\n")
    return reply()


reply()
ask("EHLO client.example")
if "-p" not in opts:
    ask("STARTTLS")
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
    sock = ctx.wrap_socket(sock)
    ask("EHLO client.example")
if "-l" in opts:
    user, password = opts["-l"].split(":", 1)
    plain = "\0%s\0%s" % (user, password)
    got = ask("AUTH PLAIN " + base64.b64encode(plain.encode()).decode())
    if not got[0].startswith("235"):
        print("\n".join(got))
        sys.exit(1)
for a in args[1:]:
    if a.replace(" ", "").strip("<") == "":
        for _ in range(a.count("<")):
            print("\n".join(reply()))
    elif a == "!":
        while True:
            print("\n".join(reply()))
    elif a.startswith("="):
        sock.sendall(a[1:].encode("utf-8", "surrogateescape").decode(
            "unicode_escape").encode("latin-1"))
    elif a.startswith("@"):
        with open(a[1:], "rb") as f:
            for line in f.read().splitlines(keepends=True):
                if line.startswith(b"."):
                    line = b"." + line
                sock.sendall(line)
        print("\n".join(ask(".")))
    else:
        print("\n".join(ask(a)))

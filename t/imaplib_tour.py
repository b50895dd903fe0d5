#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A round through the server with Python's imaplib.

usage: imaplib_tour.py PORT USER PASSWORD
"""
import imaplib
import ssl
import sys
import time

port, user, password = sys.argv[1:]
ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE


def ok(reply):
    assert reply[0] == "OK", reply
    return reply[1]


m = imaplib.IMAP4("127.0.0.1", int(port), timeout=30)
assert "LOGINDISABLED" in m.capabilities, m.capabilities
ok(m.starttls(ctx))
assert "LOGINDISABLED" not in m.capabilities, m.capabilities
ok(m.login(user, password))
for want in ("IMAP4REV1", "UIDPLUS", "MOVE", "IDLE", "NAMESPACE"):
    assert want in [c.upper() for c in m.capability()[1][0].decode().split()]

ok(m.create("Tour/One"))
ok(m.create('"Tour/M&APw-ller"'))
ok(m.subscribe("Tour/One"))
names = b"\n".join(ok(m.list('""', '"Tour*"')))
assert b"Tour/One" in names and b"M&APw-ller" in names, names
assert b"\\HasChildren" in ok(m.list('""', "Tour"))[0]
assert b"Tour/One" in ok(m.lsub('""', '"*"'))[0]

TEXT = (b"From: a@example.org\r\nTo: b@example.org\r\n"
        b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= %d\r\n\r\nText %d.\r\n")
when = imaplib.Time2Internaldate(time.time() - 86400)
for i in range(1, 6):
    code, data = m.append("Tour/One", "(\\Flagged $Forwarded)", when,
                          TEXT % (i, i))
    assert code == "OK" and b"APPENDUID" in data[0], data
assert ok(m.select("Tour/One")) == [b"5"]
assert ok(m.search(None, "FLAGGED", "KEYWORD", "$Forwarded"))[0] == \
    b"1 2 3 4 5"
m.literal = "GRÜße".encode()
code, data = m.search("UTF-8", "SUBJECT")
assert (code, data) == ("OK", [b"1 2 3 4 5"]), (code, data)
ok(m.store("2:3", "+FLAGS.SILENT", "(\\Deleted Done)"))
got = ok(m.fetch("3", "(FLAGS RFC822.SIZE BODY.PEEK[TEXT])"))
assert b"Done" in got[0][0] + got[1] and got[0][1] == b"Text 3.\r\n", got
ok(m.copy("1:5", '"Tour/M&APw-ller"'))
assert sorted(ok(m.expunge())) == [b"2", b"3"]
assert ok(m.search(None, "ALL"))[0] == b"1 2 3"
uid = ok(m.fetch("3", "(UID)"))[0].split()[2].rstrip(b")").decode()
ok(m.uid("MOVE", uid, '"Tour/M&APw-ller"'))
assert b"MESSAGES 6" in ok(m.status('"Tour/M&APw-ller"', "(MESSAGES)"))[0]
ok(m.unselect())
code, data = m.select("Tour/Nowhere")
assert code == "NO" and b"[NONEXISTENT]" in data[0], data
ok(m.rename("Tour", "Turn"))
assert b"Turn/One" in b"\n".join(ok(m.list('""', '"*"')))
for name in ("Turn/One", '"Turn/M&APw-ller"', "Turn"):
    ok(m.delete(name))
assert ok(m.list('""', '"Turn*"')) == [None]
m.logout()

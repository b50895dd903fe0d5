# SPDX-License-Identifier: ISC
"""Have another server make a Maildir, and write down what its clients see.

usage: peers.py SEPARATOR PREFIX COMMAND...

COMMAND is an IMAP server on stdin and stdout that is already logged in, over
an empty Maildir.  What it shows in the end is printed: a line "box NAME
UIDVALIDITY UIDNEXT" for each mailbox, "msg UID (FLAGS) INTERNALDATE SIZE"
for each message, "sub NAME" for each subscription; names have "/" between
components.  t/data/dovecot/README and t/data/courier/README say how it was
called."""
import imaplib
import re
import shlex
import sys

separator, prefix, command = sys.argv[1], sys.argv[2], sys.argv[3:]
imap = imaplib.IMAP4_stream(shlex.join(command))


def ok(answer):
    if answer[0] != "OK":
        sys.exit("%s" % (answer,))
    return answer[1]


def wire(name):
    if name == "INBOX":
        return name
    return '"%s"' % (prefix + name.replace("/", separator))


def append(name, n, flags):
    text = ("From: a@example.org\r\nSubject: number %d\r\n"
            "Message-ID: <%d@example.org>\r\n\r\nhello %d\r\n" % (n, n, n))
    date = '"02-Nov-2026 10:00:%02d +0000"' % n
    ok(imap.append(wire(name), flags, date, text.encode()))


names = ["Lists", "Lists/C", "R&AOk-sum&AOk-", "Sent", "Work/2026/Q1",
         "a&-b", "perc%40", "tilde~x"]
for name in names:
    ok(imap.create(wire(name)))
for name in ["Lists/C", "R&AOk-sum&AOk-", "Work/2026/Q1", "a&-b", "INBOX"]:
    ok(imap.subscribe(wire(name)))
for n, flags in enumerate([
        "", r"(\Seen)", r"(\Seen $Forwarded)", r"(\Flagged work)",
        r"(\Answered)", r"(\Seen \Draft)", "(work $Forwarded later)"], 1):
    append("INBOX", n, flags)
for n, flags in enumerate([r"(\Seen urgent)", "", r"(\Deleted)"], 1):
    append("Lists/C", n, flags)
append("R&AOk-sum&AOk-", 9, r"(\Seen)")
append("a&-b", 10, "(work)")
ok(imap.select("INBOX"))
ok(imap.store("2,5", "+FLAGS", r"(\Deleted)"))
ok(imap.expunge())
ok(imap.copy("1:2", wire("Sent")))
ok(imap.uid("STORE", "4", "+FLAGS", "(todo)"))

for name in ["INBOX"] + names:
    line = ok(imap.status(wire(name), "(UIDVALIDITY UIDNEXT)"))[0].decode()
    print("box", name, re.search(r"UIDVALIDITY (\d+)", line)[1],
          re.search(r"UIDNEXT (\d+)", line)[1])
    if ok(imap.select(wire(name), True))[0] == b"0":
        continue
    for line in ok(imap.uid("FETCH", "1:*",
                            "(FLAGS INTERNALDATE RFC822.SIZE)")):
        line = line.decode()
        flags = re.search(r"FLAGS \(([^)]*)\)", line)[1].split()
        print("msg", re.search(r"UID (\d+)", line)[1], "(%s)" % " ".join(
            sorted(f for f in flags if f != r"\Recent")),
            re.search(r'INTERNALDATE "([^"]*)"', line)[1],
            re.search(r"RFC822.SIZE (\d+)", line)[1])
for line in sorted(ok(imap.lsub('""', "*"))):
    line = line.decode()
    if "Noselect" not in line:
        name = line.split('" ', 1)[1].strip('"')
        if name != "INBOX":
            name = name[len(prefix):]
        print("sub", name.replace(separator, "/"))
imap.logout()

# SPDX-License-Identifier: ISC
"""What a client does that forwards an attachment without having it: CATENATE,
URLAUTH and BURL, pipelined as far as an answer is not needed; and every octet
that crosses its line, and every wait for an answer, counted."""
import base64
import re
import socket

from servers import PASSWORD, Trouble

HEAD = (b"From: conn@localhost\r\nTo: reader@example.org\r\n"
        b"Subject: Fwd: a file\r\nDate: Sun, 1 Nov 2026 12:00:00 +0000\r\n"
        b"Message-ID: <f%d@localhost>\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=f\r\n\r\n"
        b"--f\r\n\r\nHere it is.\r\n--f\r\n")
TAIL = b"\r\n--f--\r\n"


class Line:
    """A connection, and what went over it."""

    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), 30)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.lines = self.sock.makefile("rb")
        self.octets = self.waits = 0

    def say(self, octets):
        """All at once; the answers to it are one wait."""
        self.sock.sendall(octets)
        self.octets += len(octets)
        self.waits += 1

    def hear(self, *wanted):
        """Read to a line that begins with the last of these; each begins one,
        in this order.  The last line."""
        for word in wanted:
            while True:
                line = self.lines.readline()
                self.octets += len(line)
                if line.startswith(word):
                    break
                if not line or re.match(rb"[45]\d\d |[a-z] (NO|BAD)", line):
                    raise Trouble("forward: %r" % line)
        return line


def forward(s, user, box, n):
    """Octets, and waits of the line that had more of them."""
    name, host = user.encode(), b"localhost"
    part = b"/%s/;UID=1/;SECTION=2" % box
    i, head = Line(s.imap), HEAD % n
    i.hear(b"* OK")
    i.say(b"a LOGIN %s %s\r\nb EXAMINE %s\r\n"
          b"c APPEND Sent (\\Seen) CATENATE (TEXT {%d+}\r\n%s"
          b" URL \"%s.MIME\" URL \"%s\" TEXT {%d+}\r\n%s)\r\n" % (
              name, PASSWORD.encode(), box, len(head), head, part, part,
              len(TAIL), TAIL))
    uid = re.search(rb"APPENDUID \d+ (\d+)",
                    i.hear(b"a OK", b"b OK", b"c OK"))[1]
    i.say(b"d GENURLAUTH \"imap://%s@%s/Sent/;UID=%s;URLAUTH=submit+%s\""
          b" INTERNAL\r\ne LOGOUT\r\n" % (name, host, uid, name))
    url = re.search(rb"imap:[^\" \r]*", i.hear(b"* GENURLAUTH"))[0]
    i.hear(b"d OK", b"e OK")
    m = Line(s.submission)
    m.hear(b"220 ")
    plain = base64.b64encode(b"\0%s\0%s" % (name, PASSWORD.encode()))
    m.say(b"EHLO c\r\n")
    m.hear(b"250 ")
    m.say(b"AUTH PLAIN %s\r\n" % plain)
    m.hear(b"235 ")
    m.say(b"MAIL FROM:<%s@localhost>\r\nRCPT TO:<reader@example.org>\r\n"
          b"BURL %s LAST\r\nQUIT\r\n" % (name, url))
    m.hear(b"250 ", b"250 ", b"250 ", b"221 ")
    return i.octets + m.octets, max(i.waits, m.waits)

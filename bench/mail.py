# SPDX-License-Identifier: ISC
"""The mail that the benchmarks are about: the same each run."""
import random

WORDS = ("mail lemon tree house letter river stone paper cloud window "
         "garden winter music market bridge coffee ticket summer").split()
R = random.Random(5550)
LINES = [" ".join(R.choice(WORDS) for _ in range(10)) + "\n"
         for _ in range(997)]
ENCODED = [bytes(R.choice(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstu"
                          b"vwxyz0123456789+/") for _ in range(76)).decode() +
           "\n" for _ in range(997)]


def some(lines, i, n):
    """n of these lines, other ones for another i."""
    return "".join(lines[(i * 31 + k * 7) % len(lines)] for k in range(n))


def head(i):
    return (
        "Return-Path: <%d@example.org>\n"
        "Received: from a.example.org by b.example.org with ESMTP id %d;\n"
        "\tSun, 1 Nov 2026 12:%02d:%02d +0000\n"
        "From: Sender %d <s%d@example.org>\n"
        "To: Reader <reader@example.org>, Other <o%d@example.org>\n"
        "Subject: %s %d\n"
        "Date: Sun, 1 Nov 2026 12:%02d:%02d +0000\n"
        "Message-ID: <%d@example.org>\n" % (
            i, i, i // 60 % 60, i % 60, i % 97, i % 97, i % 13,
            LINES[i % 997][:30].strip(), i, i // 60 % 60, i % 60, i))


def attached(i, n):
    """A letter with an attachment of n lines of base64."""
    return head(i) + (
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"b%d\"\n"
        "\n--b%d\nContent-Type: text/plain\n\n%s\n--b%d\n"
        "Content-Type: application/octet-stream; name=\"f%d.bin\"\n"
        "Content-Disposition: attachment; filename=\"f%d.bin\"\n"
        "Content-Transfer-Encoding: base64\n\n%s\n--b%d--\n" % (
            i, i, some(LINES, i, 10 + i * 7 % 50), i, i, i,
            some(ENCODED, i, n), i))


def small(i):
    """A letter of about 3.6 KiB, each fourth with an attachment."""
    if i % 4 == 0:
        return attached(i, 30).encode()
    return (head(i) + "MIME-Version: 1.0\nContent-Type: text/plain; "
            "charset=utf-8\n\n" + some(LINES, i, 10 + i * 7 % 50)).encode()


def big(i):
    """A letter of 20 to 120 KiB, 69 on average."""
    return attached(i, 220 + i * 37 % 1310).encode()


def flags(i):
    return "\\Seen" if i % 3 else ""


def name(i, m):
    """A file name as of another program's delivery and a reader's look."""
    return "%d.M%dP1Q%d.bench,S=%d,W=%d:2,%s" % (
        1700000000 + i, i, i, len(m), len(m) + m.count(b"\n"),
        "S" if i % 3 else "")

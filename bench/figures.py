# SPDX-License-Identifier: ISC
"""What is measured: a function for each workload, and the table of them.

A workload is called with a server and the scale, and gives a number for each
of its rows; None where that server cannot be asked.
"""
import os
import subprocess
import time
from collections import namedtuple

import mail
from forward import Line, forward
from servers import ACCOUNT, LOAD, PASSWORD, Trouble

# How much: the rounds, the messages of the mailboxes, connections and
# deliveries of a load, sessions held for their memory, the lines of a large
# attachment.
Scale = namedtuple("Scale",
                   "rounds thousand small large million big n held huge")
FULL = Scale(3, 1000, 10000, 100000, 1000000, 2900, 240, 60, 641000)
QUICK = Scale(1, 100, 400, 1000, 4000, 60, 16, 8, 6410)

# rounds: None for as many as the scale says.  pooled: Dovecot's
# high-performance mode is asked too.
Workload = namedtuple("Workload", "run rows rounds pooled",
                      defaults=(None, False))
# What is aimed at: so many times the peer (dovecot, cyrus or best), or a
# figure under a limit in its own unit.
Row = namedtuple("Row", "name unit peer ratio limit",
                 defaults=(None, None, None))


def quiet(s):
    """A directory changed less than two seconds ago is still dirty."""
    os.sync()
    time.sleep(3)


def ask(s, user, *commands, security="plain"):
    """Seconds of each command."""
    return [r[0] for r in s.session(user, *commands, security=security)]


# --- looking ---

def first(s, z, user="large"):
    """The first SELECT ever, and the first look at 10,000 of them."""
    if not s.forget(user):
        return None, None
    items = "FETCH 1:%d (ENVELOPE BODYSTRUCTURE)" % z.small
    select, fetch = ask(s, user, "SELECT INBOX", items)
    return select * 1e3, z.small / fetch


def opened(s, user, box, n=15):
    """Median milliseconds of SELECT, each in a session of its own."""
    return s.load("conn", s.imap, user, PASSWORD, box, n, 1,
                  "plain")[0][3] / 1e3


def settled(s, z):
    ask(s, "large", "SELECT INBOX")
    quiet(s)
    return (opened(s, "boxes", "thousand"), opened(s, "boxes", "small"),
            opened(s, "large", "INBOX"))


def after_delivery(s, z, user="large"):
    own, outside = [], []
    for i in range(5):
        s.load("lmtp", s.lmtp, user, 1, 1, 4096)
        own.append(ask(s, user, "SELECT INBOX")[0])
    for i in range(5):
        if s.outside(user, i):
            outside.append(ask(s, user, "SELECT INBOX")[0])
    return (sorted(own)[2] * 1e3,
            sorted(outside)[2] * 1e3 if outside else None)


def million(s, z):
    """The same of very many; the last may fail without the others."""
    if not s.forget("million"):
        return None, None, None, None
    select = ask(s, "million", "SELECT INBOX")[0] * 1e3
    quiet(s)
    again = opened(s, "million", "INBOX")
    try:
        return (select, again) + after_delivery(s, z, "million")
    except Trouble:
        return select, again, None, None


def fetch(s, z):
    best = []
    for items, times in (("FLAGS UID", 3), ("ENVELOPE BODYSTRUCTURE", 3),
                         ("BODY.PEEK[]", 2)):
        t = ask(s, "boxes", "SELECT small",
                *["FETCH 1:* (%s)" % items] * times)
        best.append(z.small / min(t[1:]))
    return best


def bulk(security):
    def run(s, z):
        rows = s.session("boxes", "SELECT big",
                         *["FETCH 1:* (BODY.PEEK[])"] * 3, security=security)
        return [max(octets / t for t, octets in rows[1:]) / 1e6]
    return run


# --- connections ---

def connections(security, clients):
    """Connections a second, and where the time goes."""
    def run(s, z):
        r = s.load("conn", s.port(security), "conn", PASSWORD, "INBOX",
                   z.n, clients, security)[0]
        return [r[0]] + [us / 1e3 for us in r[1:]]
    return run


def connecting(security, clients, ratio):
    name = "connect+login+select+logout, %s, %d client%s" % (
        {"starttls": "STARTTLS", "tls": "TLS",
         "resumed": "TLS resumed"}.get(security, security),
        clients, "s"[:clients - 1])
    rows = [Row(name, "/s", "dovecot", ratio)]
    if clients == 1:
        rows += [Row("    of that, to the greeting" if security == "plain"
                     else "    of that, to the greeting, with TLS", "ms"),
                 Row("    LOGIN", "ms"), Row("    SELECT", "ms"),
                 Row("    LOGOUT", "ms")]
    return Workload(connections(security, clients), rows, None, True)


# --- changing ---

def lmtp(clients):
    return lambda s, z: s.load("lmtp", s.lmtp, "post", z.n * 4, clients,
                               4096)[0]


def append(clients):
    return lambda s, z: s.load("append", s.imap, "post", PASSWORD, "INBOX",
                               z.n * 4, clients, 4096)[0]


def copy(s, z):
    t = ask(s, "boxes", "CREATE copied", "SELECT small", "COPY 1:* copied",
            "DELETE copied")
    return [z.small / t[2]]


def change(s, z):
    """Of files with a single link, long since written back."""
    name = "w%d" % time.monotonic_ns()
    s.fill("post", name, mail.small, z.small)
    ask(s, "post", "SELECT " + name)
    quiet(s)
    t = ask(s, "post", "SELECT " + name, "STORE 1:* +FLAGS (\\Flagged)",
            "CREATE to" + name, "MOVE 1:* to" + name, "SELECT to" + name,
            "DELETE " + name, "STORE 1:* +FLAGS.SILENT (\\Deleted)")
    os.sync()
    last = ask(s, "post", "SELECT to" + name, "EXPUNGE")
    ask(s, "post", "DELETE to" + name)
    return [z.small / x for x in (t[1], t[3], last[1])]


def catenate(s, z):
    """A new message of one large part of another."""
    box = "put%d" % time.monotonic_ns()
    put = "APPEND %s CATENATE (URL \"/huge/;UID=1/;SECTION=2.MIME\" " \
        "URL \"/huge/;UID=1/;SECTION=2\")" % box
    t = ask(s, "boxes", "SELECT huge", "CREATE " + box, put, put, put,
            "DELETE " + box)
    return [z.huge * 78 / 1e6 / sorted(t[2:5])[1]]


def catenating(s, z):
    """What a server that is started by hand takes more at its most, for a
    large part than for a small one."""
    if s.name != "lemon":
        return [None]
    home = os.path.dirname(s.maildir("boxes"))
    proc = subprocess.Popen(
        ["setpriv", "--reuid=" + ACCOUNT, "--clear-groups", "lemon-imapd",
         s.maildir("boxes")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, cwd=home, env=dict(os.environ, HOME=home))
    peaks = []
    proc.stdout.readline()
    for section in "1", "2":
        proc.stdin.write(b't APPEND INBOX CATENATE (URL "/huge/;UID=1/;'
                         b'SECTION=%s")\r\n' % section.encode())
        proc.stdin.flush()
        if not proc.stdout.readline().startswith(b"t OK"):
            raise Trouble("it does not catenate")
        with open("/proc/%d/status" % proc.pid) as f:
            peaks += [int(l.split()[1]) for l in f if l.startswith("VmHWM")]
    proc.communicate(b"t LOGOUT\r\n")
    return [peaks[1] - peaks[0]]


def signing(s, z):
    """Microseconds for a GENURLAUTH, and for a look at a good token that is
    somebody else's, so that no message is opened."""
    if s.name != "lemon":
        return None, None
    line, n, took = Line(s.imap), 300, [[], []]
    line.hear(b"* OK")
    line.say(b"a LOGIN boxes %s\r\n" % PASSWORD.encode())
    line.hear(b"a OK")
    rumps = b"".join(b" imap://boxes@localhost/INBOX/;UID=%d;URLAUTH=user+no "
                     b"INTERNAL" % i for i in range(1, n + 1))
    for i in range(20):
        at = time.perf_counter()
        line.say(b"b GENURLAUTH%s\r\n" % rumps)
        urls = line.hear(b"* GENURLAUTH").rstrip()[len(b"* GENURLAUTH"):]
        line.hear(b"b OK")
        took[0].append(time.perf_counter() - at)
        at = time.perf_counter()
        line.say(b"c URLFETCH%s\r\n" % urls)
        line.hear(b"* URLFETCH", b"c OK")
        took[1].append(time.perf_counter() - at)
    return [sorted(t)[10] / n * 1e6 for t in took]


# --- submitting ---

def submit(clients, each):
    def run(s, z):
        if s.name == "cyrus":
            return [None]
        n = z.n * (1 if each == "new" else 8)
        return s.load("submit", s.submission, "conn", PASSWORD,
                      "reader@example.org", n, clients, 4096, each)[0]
    return run


def forwarded(s, z):
    """Seconds, octets and waits to send on an attachment of 5 MB."""
    if s.name == "cyrus":
        return None, None, None
    n = time.monotonic_ns()
    start = time.monotonic()
    octets, waits = forward(s, "conn", b"forward", n)
    return (time.monotonic() - start) * 1e3, octets, waits


def submitting(clients, each, ratio):
    name = "submission of 4 KiB, %d client%s" % (clients, "s"[:clients > 1])
    if each == "new":
        name += ", new connections"
    return Workload(submit(clients, each), [Row(name, "/s", "dovecot",
                                                ratio)])


# --- waiting ---

def idle(s, z):
    return [us / 1e3 for us in s.load(
        "idle", s.imap, "conn", PASSWORD, s.lmtp, "conn", z.n // 2)[0]]


def memory(security, user, box):
    def run(s, z):
        ask(s, user, "SELECT " + box)
        time.sleep(3)
        before = s.private()
        held = subprocess.Popen(
            [LOAD, "hold", str(s.port(security)), user, PASSWORD, box,
             str(z.held), security],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if held.stdout.readline() != b"ready\n":
            raise Trouble("it does not take so many sessions")
        time.sleep(3)
        after = s.private()
        held.communicate()
        return [(after - before) / 1024 / z.held]
    return run


def prepare(s, z, with_million):
    """The mail that every server has the same of."""
    s.fill("conn", "INBOX", mail.small, 10)
    s.fill("large", "INBOX", mail.small, z.large)
    s.fill("boxes", "thousand", mail.small, z.thousand)
    s.fill("boxes", "small", mail.small, z.small)
    s.fill("boxes", "big", mail.big, z.big)
    s.fill("boxes", "huge",
           lambda i: mail.attached(i, z.huge).encode(), 1)
    s.fill("conn", "forward", lambda i: mail.attached(i, 68000).encode(),
           1)
    s.fill("conn", "Sent", mail.small, 1)
    if with_million and s.name != "cyrus":
        s.fill("million", "INBOX", mail.small, z.million)


def table(z, with_million):
    boxes = ["{:,}".format(n) for n in (z.thousand, z.small, z.large,
                                        z.million)]
    ours = [
        Workload(first, [
            Row("first SELECT of %s foreign files" % boxes[2], "ms"),
            Row("first ENVELOPE BODYSTRUCTURE of %s" % boxes[1], "/s",
                "dovecot", 4)]),
        Workload(settled, [
            Row("SELECT of %s, settled" % b, "ms", limit=0.4)
            for b in boxes[:3]]),
        Workload(after_delivery, [
            Row("SELECT of %s after a delivery" % boxes[2], "ms", limit=2),
            Row("SELECT of %s after another program's" % boxes[2], "ms",
                limit=2)]),
        Workload(fetch, [
            Row("FETCH FLAGS UID", "/s", "dovecot", 2),
            Row("FETCH ENVELOPE BODYSTRUCTURE", "/s", "cyrus", 2),
            Row("FETCH BODY.PEEK[] of small messages", "/s", "dovecot",
                1.3)]),
        Workload(bulk("plain"), [
            Row("FETCH BODY.PEEK[] of large messages, plain", "MB/s",
                "best", 1.2)]),
        Workload(bulk("tls"), [
            Row("FETCH BODY.PEEK[] of large messages, TLS", "MB/s", "best",
                1.2)]),
        connecting("plain", 1, 3),
        connecting("plain", 8, 3),
        connecting("starttls", 1, 2.5),
        connecting("starttls", 8, 2.5),
        connecting("tls", 1, 2.5),
        connecting("tls", 8, 2.5),
        connecting("resumed", 1, None),
        Workload(lmtp(1), [Row("LMTP of 4 KiB, 1 connection", "/s", "best",
                               2)]),
        Workload(lmtp(8), [Row("LMTP of 4 KiB, 8 connections", "/s", "best",
                               2)]),
        Workload(append(1), [Row("APPEND of 4 KiB, 1 connection", "/s",
                                 "best", 2)]),
        Workload(append(8), [Row("APPEND of 4 KiB, 8 connections", "/s",
                                 "best", 2)]),
        Workload(copy, [Row("COPY of %s" % boxes[1], "/s", "best", 1.5)]),
        Workload(change, [
            Row("STORE +FLAGS on %s" % boxes[1], "/s", "best", 1),
            Row("MOVE of %s" % boxes[1], "/s", "best", 1.5),
            Row("EXPUNGE of %s" % boxes[1], "/s", "best", 1.5)]),
        Workload(catenate, [
            Row("CATENATE of a part of 50 MB", "MB/s", "best")]),
        Workload(catenating, [
            Row("memory of such a CATENATE, above a small one", "KiB",
                limit=4096)], 1),
        Workload(forwarded, [
            Row("5 MB sent on by CATENATE, URLAUTH and BURL", "ms",
                "dovecot", 2),
            Row("    octets on the client's lines", "octets",
                limit=2401),
            Row("    waits for an answer on the longer line", "waits",
                limit=3.5)], 5),
        Workload(signing, [
            Row("GENURLAUTH, many in a session", "us", limit=50),
            Row("    a token is checked", "us", limit=50)]),
        submitting(1, "same", 1),
        submitting(8, "same", 1),
        submitting(1, "new", 3),
        submitting(8, "new", 3),
        Workload(idle, [
            Row("IDLE hears a delivery, median", "ms", limit=1),
            Row("IDLE hears a delivery, 99 of 100", "ms")]),
        Workload(memory("plain", "conn", "INBOX"), [
            Row("private memory of a session in IDLE, plain", "KiB",
                limit=512)], 1),
        Workload(memory("tls", "conn", "INBOX"), [
            Row("private memory of a session in IDLE, TLS", "KiB",
                limit=1536)], 1),
        Workload(memory("plain", "boxes", "small"), [
            Row("private memory, plain, in %s messages" % boxes[1], "KiB",
                limit=512)], 1),
    ]
    if with_million:
        ours.insert(3, Workload(million, [
            Row("first SELECT of %s foreign files" % boxes[3], "ms"),
            Row("SELECT of %s, settled" % boxes[3], "ms", limit=0.4),
            Row("SELECT of %s after a delivery" % boxes[3], "ms", limit=2),
            Row("SELECT of %s after another program's" % boxes[3], "ms",
                limit=2)], 1))
    return ours

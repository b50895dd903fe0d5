#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Figures of lemon beside Debian's Dovecot: the same mail, the same password
scheme (SCRAM-SHA-256 verifiers), the same machine, one run.

usage: bench/run.py [-q] [-n MESSAGES] [-d DIR]

  -q  quick: small numbers, to see that it runs
  -n  messages in the large mailbox (100000)
  -d  where the servers' files go (a fresh directory, removed afterwards);
      it should be on the disk whose fsync counts

Run as root: Dovecot needs it.  Ratios above 1 mean that lemon is faster.
"""
import argparse
import os
import pwd
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
LOAD = os.path.join(TOP, "build", "bench", "load")
ACCOUNT = "nobody"
PASSWORD = "secret"
WORDS = ("mail lemon tree house letter river stone paper cloud window "
         "garden winter music market bridge coffee ticket summer").split()


def message(i):
    """A letter of about 3.6 KiB, some with an attachment; the same each run."""
    r = random.Random(i)
    text = "".join(" ".join(r.choice(WORDS) for _ in range(10)) + "\n"
                   for _ in range(r.randint(10, 60)))
    head = ("Return-Path: <%d@example.org>\n"
            "Received: from a.example.org by b.example.org with ESMTP id %d;\n"
            "\tSun, 1 Nov 2026 12:%02d:%02d +0000\n"
            "From: Sender %d <s%d@example.org>\n"
            "To: Reader <reader@example.org>, Other <o%d@example.org>\n"
            "Subject: %s %d\n"
            "Date: Sun, 1 Nov 2026 12:%02d:%02d +0000\n"
            "Message-ID: <%d@example.org>\n" % (
                i, i, i // 60 % 60, i % 60, i % 97, i % 97, i % 13,
                " ".join(r.choice(WORDS) for _ in range(5)), i,
                i // 60 % 60, i % 60, i))
    if i % 4:
        return head + "MIME-Version: 1.0\nContent-Type: text/plain; " \
            "charset=utf-8\n\n" + text
    return head + (
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"b%d\"\n"
        "\n--b%d\nContent-Type: text/plain\n\n%s\n--b%d\n"
        "Content-Type: application/octet-stream; name=\"f%d.bin\"\n"
        "Content-Disposition: attachment; filename=\"f%d.bin\"\n"
        "Content-Transfer-Encoding: base64\n\n%s\n--b%d--\n" % (
            i, i, text, i, i, i, "QUJDRA==\n" * 40, i))


def fill(maildir, count):
    for d in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(maildir, d), exist_ok=True)
    for i in range(1, count + 1):
        m = message(i).encode()
        name = "%d.M%dP1Q%d.bench,S=%d,W=%d:2,%s" % (
            1700000000 + i, i, i, len(m), len(m) + m.count(b"\n"),
            "S" if i % 3 else "")
        with open(os.path.join(maildir, "cur", name), "wb") as f:
            f.write(m)


def own(path):
    e = pwd.getpwnam(ACCOUNT)
    for d, _, files in os.walk(path):
        os.chown(d, e.pw_uid, e.pw_gid)
        for f in files:
            os.chown(os.path.join(d, f), e.pw_uid, e.pw_gid)


class Server:
    """A running server: .imap, .imaps and .lmtp are its ports."""

    def stop(self):
        self.proc.send_signal(signal.SIGTERM)
        self.proc.wait(30)


class Lemon(Server):
    name = "lemon"

    def __init__(self, root, base):
        self.root = root
        self.users = os.path.join(root, "users")
        self.proc = subprocess.Popen(
            [os.path.join(TOP, "bin", "lemon-serve"), "-d", root,
             "-p", str(base), "-U", ACCOUNT, "-u", "u0:" + PASSWORD],
            stdout=subprocess.PIPE, stderr=open(root + ".log", "w"))
        line = self.proc.stdout.readline().decode()
        if not line.startswith("ready "):
            sys.exit("lemon-serve does not start: " +
                     open(root + ".log").read())
        with open(os.path.join(root, "control", "plaintext"), "w") as f:
            f.write("1\n")
        ports = dict(w.split("=", 1) for w in line.split()[1:])
        self.imap, self.imaps = ports["imap"], ports["imaps"]
        self.lmtp = ports["lmtp"]

    def maildir(self):
        return os.path.join(self.users, "u0", "Maildir")


class Dovecot(Server):
    name = "dovecot"

    def __init__(self, root, base):
        self.root = root
        self.imap, self.imaps, self.lmtp = (
            str(base + 1), str(base + 2), str(base + 3))
        os.makedirs(os.path.join(root, "users", "u0"))
        e = pwd.getpwnam(ACCOUNT)
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
             "/CN=localhost", "-keyout", root + "/key.pem", "-out",
             root + "/cert.pem"], check=True, stderr=subprocess.DEVNULL)
        word = subprocess.run(["doveadm", "-O", "pw", "-s", "SCRAM-SHA-256",
                               "-p", PASSWORD], check=True,
                              stdout=subprocess.PIPE).stdout.decode().strip()
        with open(root + "/passwd", "w") as f:
            f.write("u0:%s::::::\n" % word)
        with open(root + "/dovecot.conf", "w") as f:
            f.write(self.config() % {
                "root": root, "uid": e.pw_uid, "gid": e.pw_gid,
                "imap": self.imap, "imaps": self.imaps, "lmtp": self.lmtp})
        self.proc = subprocess.Popen(["dovecot", "-F", "-c",
                                      root + "/dovecot.conf"])
        self.wait()

    def config(self):
        return """base_dir = %(root)s/run
state_dir = %(root)s/state
log_path = %(root)s/log
protocols = imap lmtp
listen = 127.0.0.1
mail_location = maildir:~/Maildir
first_valid_uid = 1
ssl = yes
ssl_cert = <%(root)s/cert.pem
ssl_key = <%(root)s/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain
default_process_limit = 1200
default_client_limit = 4000
mail_max_userip_connections = 2000
passdb {
  driver = passwd-file
  args = %(root)s/passwd
}
userdb {
  driver = static
  args = uid=%(uid)d gid=%(gid)d home=%(root)s/users/%%n
}
namespace inbox {
  inbox = yes
  separator = /
}
service imap-login {
  inet_listener imap {
    port = %(imap)s
  }
  inet_listener imaps {
    port = %(imaps)s
    ssl = yes
  }
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = %(lmtp)s
  }
  user = root
}
service stats {
  client_limit = 4000
}
"""

    def wait(self):
        import socket
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", int(self.lmtp))).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit("dovecot does not start: see %s/log" % self.root)

    def maildir(self):
        return os.path.join(self.root, "users", "u0", "Maildir")


def load(*args):
    r = subprocess.run([LOAD] + [str(a) for a in args],
                       stdout=subprocess.PIPE, timeout=600)
    if r.returncode:
        return None
    return [[float(x) for x in l.split()]
            for l in r.stdout.decode().splitlines()]


def session(s, *commands):
    rows = load("imap", s.imap, "u0", PASSWORD, "--", *commands)
    return rows and [r[0] for r in rows]


def once(f):
    """f's seconds for the last of some commands, or None."""
    return f[-1] if f else None


def figures(count, small, n):
    """(name, unit, True if more is better, function of a server)"""
    def conn(port, par, *tls):
        def run(s):
            r = load("conn", getattr(s, port), "u0", PASSWORD, "INBOX",
                     n, par, *tls)
            return r and r[0][0]
        return run

    def select(name):
        return lambda s: once([min(x) for x in zip(*[
            session(s, "SELECT " + name) or [9e9] for _ in range(7)])])

    def fetch(items):
        def run(s):
            r = session(s, "SELECT small", "FETCH 1:* (%s)" % items,
                        "FETCH 1:* (%s)" % items,
                        "FETCH 1:* (%s)" % items)
            return r and small / min(r[1:])
        return run

    def lmtp(par):
        def run(s):
            r = load("lmtp", s.lmtp, "u0", n * 4, par, 4096)
            return r and r[0][0]
        return run

    def idle(s):
        r = load("idle", s.imap, "u0", PASSWORD, s.lmtp, "u0", max(n // 20, 5))
        return r and r[0][0] / 1e6

    def body(s):
        r = load("imap", s.imap, "u0", PASSWORD, "--", "SELECT small",
                 "FETCH 1:* (BODY.PEEK[])", "FETCH 1:* (BODY.PEEK[])")
        return r and r[-1][1] / r[-1][0] / 1e6

    return [
        ("first SELECT of %d" % count, "s", False,
         lambda s: once(session(s, "SELECT large"))),
        ("SELECT of %d, settled" % count, "s", False, select("large")),
        ("SELECT of %d, settled" % small, "s", False, select("small")),
        ("first FETCH ENVELOPE BODYSTRUCTURE of %d" % small, "/s", True,
         lambda s: (lambda r: r and small / r[-1])(session(
             s, "SELECT small", "FETCH 1:* (ENVELOPE BODYSTRUCTURE)"))),
        ("FETCH FLAGS of %d" % small, "/s", True, fetch("FLAGS UID")),
        ("FETCH ENVELOPE BODYSTRUCTURE of %d" % small, "/s", True,
         fetch("ENVELOPE BODYSTRUCTURE")),
        ("FETCH BODY.PEEK[] of %d" % small, "MB/s", True, body),
        ("connect+login+select+logout, 1 client", "/s", True,
         conn("imap", 1)),
        ("connect+login+select+logout, 8 clients", "/s", True,
         conn("imap", 8)),
        ("the same under TLS, 1 client", "/s", True,
         conn("imaps", 1, "tls")),
        ("LMTP of 4 KiB, 1 connection", "/s", True, lmtp(1)),
        ("LMTP of 4 KiB, 8 connections", "/s", True, lmtp(8)),
        ("IDLE hears a delivery after", "s", False, idle),
    ]


def show(v, unit):
    if v is None:
        return "failed"
    if unit == "s":
        return "%.3f ms" % (v * 1e3)
    return "%.0f%s" % (v, unit)


def main():
    p = argparse.ArgumentParser(add_help=True)
    p.add_argument("-q", action="store_true")
    p.add_argument("-n", type=int, default=100000)
    p.add_argument("-d")
    o = p.parse_args()
    count, small, n = (2000, 500, 40) if o.q else (o.n, 10000, 400)
    if os.getuid() != 0:
        sys.exit("bench: run as root, Dovecot needs it")
    root = tempfile.mkdtemp(prefix="bench.", dir=o.d)
    os.chmod(root, 0o755)
    servers = []
    try:
        base = 20000 + os.getpid() % 2000 * 10
        servers.append(Lemon(os.path.join(root, "lemon"), base % 40000))
        os.mkdir(os.path.join(root, "dovecot"))
        servers.append(Dovecot(os.path.join(root, "dovecot"), base + 5000))
        print("writing %d messages for each" % (count + small), flush=True)
        for s in servers:
            fill(s.maildir(), 10)
            fill(os.path.join(s.maildir(), ".large"), count)
            fill(os.path.join(s.maildir(), ".small"), small)
            own(os.path.dirname(s.maildir()))
        os.sync()
        time.sleep(3)       # a directory changed this second is still dirty
        print("%-48s %14s %14s %8s" % ("", "lemon", "dovecot", "ratio"))
        for name, unit, more, f in figures(count, small, n):
            v = [f(s) for s in servers]
            ratio = "-"
            if all(v):
                ratio = "%.2f" % (v[0] / v[1] if more else v[1] / v[0])
            print("%-48s %14s %14s %8s" % (
                name, show(v[0], unit), show(v[1], unit), ratio), flush=True)
    finally:
        for s in servers:
            s.stop()
        shutil.rmtree(root, ignore_errors=True)


main()

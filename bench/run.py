#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Figures of lemon beside Debian's Dovecot and Cyrus: the same mail, the same
disk and machine, one run; make bench says so with BENCH='-q' for options.

usage: bench/run.py [-q] [-n MESSAGES] [-m] [-d DIR] [-o WORD]

  -q  quick: small numbers, to see that it runs
  -n  messages in the large mailbox (100,000); the others are as much smaller
  -m  with mailboxes of a million messages too: 12 GB, and minutes
  -d  where the servers' files go (a fresh directory, removed afterwards);
      it should be on the disk whose fsync counts
  -o  only the workloads with a figure whose name has this word

Run as root: the peers need it.  Ratios above 1 mean that lemon is better.
bench/README has more.
"""
import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

import figures
from servers import (BUILD, LOAD, PASSWORD, Cyrus, Dovecot, DovecotPooled, Lemon,
                     Server, Trouble)

LINE = "%-50s %11s %11s %11s  %s"


def show(v, unit):
    if v is None:
        return "-"
    if isinstance(v, Trouble):
        return "failed"
    if unit == "ms":
        return "%.*f ms" % (3 if v < 10 else 1 if v < 1000 else 0, v)
    return "{:,.0f} {}".format(v, unit).replace(" /s", "/s")


def numbers(values, names):
    return [values[n] for n in names if isinstance(values.get(n), float)]


def times(row, ours, theirs):
    """How many times better ours is."""
    return ours / theirs if row.unit.endswith("/s") else theirs / ours


def verdict(row, values):
    """The ratio to the peer that counts, and what becomes of the target."""
    ours = numbers(values, ["lemon"])
    peer = row.peer or "dovecot"
    theirs = numbers(values, ["dovecot", "cyrus"] if peer == "best"
                     else [peer])
    words = []
    if ours and theirs:
        ratio = min(times(row, ours[0], t) for t in theirs)
        words.append("%.2f x %s" % (ratio, peer))
        if row.ratio:
            words.append("target %g x: %s" % (
                row.ratio, "met" if ratio >= row.ratio else "MISSED"))
    if row.limit:
        words.append("target under %g %s: %s" % (
            row.limit, row.unit,
            "met" if ours and ours[0] < row.limit else "MISSED"))
    return ", ".join(words)


def measure(workload, servers, z):
    """For each row the medians by the name of the server."""
    rounds = {s.name: [] for s in servers}
    trouble = {}
    for _ in range(workload.rounds or z.rounds):
        for s in servers:
            try:
                rounds[s.name].append(workload.run(s, z))
            except Trouble as e:
                trouble[s.name] = e
    rows = [dict(trouble) for _ in workload.rows]
    for name, found in rounds.items():
        for row, *values in zip(rows, *found):
            known = [float(v) for v in values if v is not None]
            if known:
                row[name] = statistics.median(known)
    return rows


def floors(root, z):
    """What no server can be faster than, here and now."""
    path = os.path.join(root, "floor")
    os.mkdir(path)
    print("what the machine can do")
    subprocess.run([BUILD + "/floor", path, BUILD + "/hello"], check=True)
    shutil.rmtree(path)
    with subprocess.Popen(
            ["tcpserver", "-1RHl0", "-c", "100", "-b", "128", "127.0.0.1",
             "0", BUILD + "/hello"], stdout=subprocess.PIPE) as proc:
        port = int(proc.stdout.readline())
        for clients in 1, 8:
            rate, us = Server.load(None, "greet", port, z.n * 4, clients)[0]
            print("%.0f connections to tcpserver with a static program, "
                  "%d at once, %.2f ms each" % (rate, clients, us / 1e3))
        proc.terminate()
    print(flush=True)


def sink():
    """A relay that takes all; its process and port."""
    proc = subprocess.Popen([LOAD, "sink"], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL)
    Server.relay = int(proc.stdout.readline())
    return proc


def start(root):
    base = 10000 + os.getpid() % 500 * 20
    servers = []
    for kind in Lemon, Dovecot, Cyrus, DovecotPooled:
        try:
            servers.append(kind(os.path.join(root, kind.__name__.lower()),
                                base))
            print("%s: %s" % (kind.name, kind.scheme))
        except Trouble as e:
            print("without %s: %s" % (kind.name, e))
            if kind is Lemon:
                sys.exit(1)
        base += 2500
    return servers


def report(servers, z, o):
    asked = [s for s in servers if s.name != DovecotPooled.name]
    for s in asked:
        print("mail for %s" % s.name, flush=True)
        figures.prepare(s, z, o.m)
    for s in servers:
        if s not in asked:
            s.fill("conn", "INBOX", figures.mail.small, 10)
    figures.quiet(None)
    print("\n" + LINE % ("", "lemon", "dovecot", "cyrus", "lemon's ratio"))
    for w in figures.table(z, o.m):
        if o.o and not any(o.o in r.name for r in w.rows):
            continue
        who = servers if w.pooled else asked
        for row, v in zip(w.rows, measure(w, who, z)):
            print(LINE % ((row.name,) + tuple(
                show(v.get(n), row.unit)
                for n in ("lemon", "dovecot", "cyrus")) + (verdict(row, v),)))
            pooled = v.get(DovecotPooled.name)
            if isinstance(pooled, float) and row.unit == "/s":
                print(LINE % ("    Dovecot's logins that stay (not default)",
                              "", show(pooled, row.unit), "",
                              "%.2f x" % (v["lemon"] / pooled)))
            sys.stdout.flush()


def main():
    p = argparse.ArgumentParser(
        description=__doc__, usage=argparse.SUPPRESS,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-q", action="store_true")
    p.add_argument("-n", type=int)
    p.add_argument("-m", action="store_true")
    p.add_argument("-d")
    p.add_argument("-o")
    o = p.parse_args()
    z = figures.QUICK if o.q else figures.FULL
    if o.n:
        z = z._replace(large=o.n, small=o.n // 10, thousand=o.n // 100,
                       big=z.big * o.n // z.large)
    if os.getuid() != 0:
        sys.exit("bench: run as root, the peers need it")
    for n in signal.SIGTERM, signal.SIGHUP:
        signal.signal(n, lambda *_: sys.exit(1))
    root = tempfile.mkdtemp(prefix="bench.", dir=o.d)
    os.chmod(root, 0o755)
    servers, relay = [], None
    try:
        floors(root, z)
        relay = sink()
        servers = start(root)
        report(servers, z, o)
    finally:
        for n in signal.SIGTERM, signal.SIGHUP, signal.SIGINT:
            signal.signal(n, signal.SIG_IGN)
        for s in servers:
            s.stop()
        if relay:
            relay.kill()
        shutil.rmtree(root, ignore_errors=True)


main()

# SPDX-License-Identifier: ISC
"""Places for the workers of a sweep, and the workers."""
import contextlib
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import disk
from imap_client import give
from run import STOP

# A sanitizer makes each point some five times as slow.
SLOW = os.environ.get("LEMON_BUILD", "").endswith("-asan")


def share_of(acts):
    """Those for a run that takes some seconds."""
    return list(acts)[1::4] if SLOW else list(acts)


def may_trace():
    return subprocess.run([STOP, "-o", os.devnull, "true"],
                          stderr=subprocess.DEVNULL).returncode == 0


def house(top):
    """An account whose mail LMTP can bring."""
    os.makedirs(top + "/control")
    os.environ["LEMON_CONTROL"] = top + "/control"
    for name, text in (("home", top + "/nowhere/%u"),
                       ("locals", "example.org")):
        with open(top + "/control/" + name, "w") as f:
            print(text, file=f)
    subprocess.run(["lemon-user", "add", "alice"], input=b"secret\n",
                   check=True, stderr=subprocess.DEVNULL)
    give(top + "/control")


def make(top, many):
    """Disks, or where there can be none, directories, and why."""
    why = disk.own_mounts() or disk.mount("tmpfs", top, b"tmpfs",
                                          b"mode=755")
    places = []
    for i in range(many):
        path = "%s/%d" % (top, i)
        if not why:
            try:
                places.append(disk.Disk(path))
                continue
            except (OSError, subprocess.SubprocessError) as e:
                why = str(e)
                shutil.rmtree(path, ignore_errors=True)
        places.append(disk.Plain(path))
    return places, why


@contextlib.contextmanager
def places(many):
    """So many, and why there is no loss of power in them, or None."""
    # Loop devices do not go by themselves.
    for s in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(s, lambda *_: sys.exit(1))
    # Memory is a good enough disk for a crash that is not the machine's.
    shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    top = tempfile.mkdtemp(prefix="lemon.", dir=shm)
    os.chmod(top, 0o755)
    made = []
    try:
        made, why = make(top, many)
        house(top)
        yield made, why
    finally:
        for place in made:
            place.close()
        disk.umount(top)
        shutil.rmtree(top)


def begin(queue, start, more):
    start(queue.get(), *more)


@contextlib.contextmanager
def spread(work, tasks, places, start, *more):
    """What work(task) gives for each, in their order; start(place, *more)
    is called once in each place's process."""
    queue = multiprocessing.Queue()
    for place in places:
        queue.put(place)
    with multiprocessing.Pool(len(places), begin,
                              [queue, start, more]) as pool:
        yield pool.imap(work, tasks)
        pool.close()
        pool.join()

# SPDX-License-Identifier: ISC
"""Where a store is made, crashed and looked at again: a directory, or a small
ext4 of its own whose power can be cut."""
import ctypes
import glob
import os
import shutil
import subprocess
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 0x40000
SIZE = "24M"


def mount(what, where, kind, options, flags=0):
    """None, or why not."""
    if LIBC.mount(what.encode(), where.encode(), kind, flags, options) == 0:
        return None
    return "mount: " + os.strerror(ctypes.get_errno())


def own_mounts():
    """What is mounted from here on nobody else sees, and it goes with us."""
    if os.geteuid() != 0:
        return "mounting needs root"
    if LIBC.unshare(CLONE_NEWNS) != 0:
        return "unshare: " + os.strerror(ctypes.get_errno())
    return mount("none", "/", None, None, MS_REC | MS_PRIVATE)


def umount(where):
    LIBC.umount2(where.encode(), 2)     # MNT_DETACH


class Plain:
    """A directory: the home of the user is home in it.  A copy has other
    inodes than the first, so its index is of no use."""
    modes = ("kill",)
    exact = False

    def __init__(self, path):
        self.path = path
        self.home = path + "/home"
        os.mkdir(path)
        os.mkdir(self.home)

    def empty(self):
        shutil.rmtree(self.home)
        os.mkdir(self.home)

    def keep(self, name):
        """Remember what there is now under that name."""
        subprocess.run(["cp", "-a", self.home, self.path + "/" + name],
                       check=True)

    def bring(self, name):
        """What was kept is there again."""
        shutil.rmtree(self.home)
        subprocess.run(["cp", "-a", self.path + "/" + name, self.home],
                       check=True)
        for index in glob.glob(self.home + "/*/Maildir/.lemon"):
            shutil.rmtree(index)

    def again(self):
        """After the power came back."""

    def close(self):
        pass


class Disk:
    """An ext4 in a file.  ext4's own guesses at what should be durable
    (auto_da_alloc) are off."""
    modes = ("kill", "cutlog", "cut")
    exact = True

    def __init__(self, path):
        self.path = path
        self.image = path + "/image"
        self.home = path + "/home"
        os.mkdir(path)
        os.mkdir(self.home)
        with open(self.image, "wb"):
            pass
        os.truncate(self.image, int(SIZE[:-1]) << 20)
        subprocess.run(["mkfs.ext4", "-q", "-N", "2048", "-E",
                        "lazy_itable_init=0,lazy_journal_init=0",
                        self.image], check=True)
        self.loop = subprocess.run(
            ["losetup", "-f", "--show", self.image], check=True,
            stdout=subprocess.PIPE).stdout.decode().strip()
        try:
            self.mount()
        except OSError:
            self.close()
            raise

    def mount(self):
        wrong = mount(self.loop, self.home, b"ext4", b"noauto_da_alloc")
        if wrong:
            raise OSError(wrong)

    def umount(self):
        until = time.monotonic() + 10
        while LIBC.umount2(self.home.encode(), 0) != 0:
            # Who was killed may not be quite gone.
            if time.monotonic() > until:
                raise OSError("umount: " +
                              os.strerror(ctypes.get_errno()))
            time.sleep(0.001)

    def empty(self):
        for name in os.listdir(self.home):
            if name != "lost+found":
                shutil.rmtree(self.home + "/" + name)

    def keep(self, name):
        self.umount()
        copy_sparse(self.image, self.path + "/" + name)
        self.mount()

    def bring(self, name):
        self.umount()
        copy_sparse(self.path + "/" + name, self.image)
        self.mount()

    def again(self):
        self.umount()
        self.mount()

    def close(self):
        umount(self.home)
        subprocess.run(["losetup", "-d", self.loop], check=False)


def copy_sparse(old, new):
    """The same octets in the same file; holes stay holes, or are made."""
    size = os.stat(old).st_size
    src = os.open(old, os.O_RDONLY)
    dst = os.open(new, os.O_WRONLY | os.O_CREAT, 0o600)
    os.truncate(dst, 0)
    os.truncate(dst, size)
    at = 0
    while at < size:
        try:
            begin = os.lseek(src, at, os.SEEK_DATA)
        except OSError:
            break
        at = os.lseek(src, begin, os.SEEK_HOLE)
        os.lseek(src, begin, os.SEEK_SET)
        os.lseek(dst, begin, os.SEEK_SET)
        while begin < at:
            begin += os.sendfile(dst, src, None, at - begin)
    os.close(src)
    os.close(dst)

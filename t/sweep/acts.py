# SPDX-License-Identifier: ISC
"""The acts in which a store crashes, and the store before them."""
import os
import shutil
import time

from imap_client import give
from model import Ledger, Msg, State, see, text
from steps import (Append, At, Catenate, Change, Command, Copy, Deliver,
                   Expunge, ExpungeMany, Move, RenameInbox, Sign, Store,
                   StoreMany, Transaction)


class Act:
    """about: a sentence on what is done; prepare(maildir, state) is done to
    the store by others before.  With died another act was killed: its name,
    and before which call, N and NAME, or with -a after it; by_index: what it left
    is known as such only by the index."""

    def __init__(self, about, *steps, prepare=None, died=None,
                 by_index=False):
        self.about = about
        self.steps = steps
        self.prepare = prepare
        self.died = died
        self.by_index = by_index


def select(box):
    return Command(b"SELECT " + box.encode())


LIST = Command(b'LIST "" *')
READ_ALL = Command(b"UID FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE)")


# --- folders ---

def made(*names):
    def stage(state):
        for name in names:
            state.boxes.setdefault(name, {})
    return stage


def renamed(*pairs):
    def stage(state):
        for old, new in pairs:
            state.boxes[new] = state.boxes.pop(old)
            state.validity[new] = state.validity.pop(old)
    return stage


def gone(name):
    def stage(state):
        del state.boxes[name]
        del state.validity[name]
    return stage


def subscribed(name, on=True):
    def stage(state):
        (state.subscribed.add if on else state.subscribed.remove)(name)
    return stage


def revoked(box=""):
    def stage(state):
        state.urls = {u for u in state.urls if "/%s" % box not in u}
    return stage


# --- what others do to a Maildir ---

def write(path, octets):
    with open(path, "wb") as f:
        f.write(octets)


def put(maildir, state, box, where, name, uid=None, flags=frozenset()):
    disk = maildir if box == "INBOX" else maildir + "/." + box
    write("%s/%s" % (disk, where), text(name).replace(b"\r\n", b"\n"))
    state.boxes.setdefault(box, {})[name] = Msg(uid, frozenset(flags))


def rest(maildir, *folders):
    """Directories that nobody touched for some time."""
    long_ago = time.time() - 60
    for d in folders:
        os.utime(maildir + "/" + d, (long_ago, long_ago))


def at_work(maildir, state):
    """A shell and another server delivered, marked and removed."""
    put(maildir, state, "INBOX", "new/1600000000.1.other", "shell1")
    put(maildir, state, "INBOX", "new/1600000000.2.other", "shell2")
    put(maildir, state, "INBOX", "cur/1600000000.3.other:2,FS", "shell3",
        flags=("\\Flagged", "\\Seen"))
    for f in os.listdir(maildir + "/cur"):
        with open(maildir + "/cur/" + f, "rb") as text_of:
            name = text_of.readline()[9:].strip().decode()
        if name == "old3":
            os.rename(maildir + "/cur/" + f, "%s/cur/%s:2,RS" % (
                maildir, f.split(":")[0]))
            state.boxes["INBOX"][name] = state.boxes["INBOX"][name]._replace(
                flags=frozenset({"\\Answered", "\\Seen"}))
        elif name == "old2":
            os.unlink(maildir + "/cur/" + f)
            del state.boxes["INBOX"][name]
    rest(maildir, "cur", "new")


def moved_in(maildir, state):
    """A folder of Dovecot's, with UIDs and keywords."""
    for d in ("", "/cur", "/new", "/tmp"):
        os.mkdir(maildir + "/.Dovecot" + d)
    put(maildir, state, "Dovecot", "cur/1600000000.1.other:2,Sa", "moved1", 7,
        ("\\Seen", "$Work"))
    put(maildir, state, "Dovecot", "cur/1600000000.2.other:2,", "moved2", 9)
    put(maildir, state, "Dovecot", "new/1600000000.3.other", "moved3", 12)
    write(maildir + "/.Dovecot/dovecot-uidlist",
          b"3 V1234 N20 G0123456789abcdef0123456789abcdef\n"
          b"7 :1600000000.1.other\n9 :1600000000.2.other\n"
          b"12 :1600000000.3.other\n")
    write(maildir + "/.Dovecot/dovecot-keywords", b"0 $Work\n")
    rest(maildir, ".Dovecot/cur", ".Dovecot/new")
    state.validity["Dovecot"] = 1234


def no_index(maildir, state):
    shutil.rmtree(maildir + "/.lemon")


def nothing_yet(maildir, state):
    shutil.rmtree(maildir)
    state.__init__(boxes={"INBOX": {}})


MANY = ["many%d" % i for i in range(1, 41)]


def many(maildir, state):
    """A folder with more messages than STORE renames at once."""
    for d in ("", "/cur", "/new", "/tmp"):
        os.mkdir(maildir + "/.Many" + d)
    listed = "3 V1234 N41 G0123456789abcdef0123456789abcdef\n"
    for i, name in enumerate(MANY, 1):
        put(maildir, state, "Many", "cur/16000000%02d.1.other:2," % i, name, i)
        listed += "%d :16000000%02d.1.other\n" % (i, i)
    write(maildir + "/.Many/dovecot-uidlist", listed.encode())
    state.validity["Many"] = 1234
    rest(maildir, ".Many/cur", ".Many/new")


def too_many(maildir, state):
    """So much is to be expunged that lemon-uidlist is written anew."""
    step = Append("Other", ["dead%d" % i for i in range(1, 701)],
                  ["\\Deleted"])
    with At(maildir) as at:
        step.run(at, state)
        after = next(iter(step.outcomes(state, at.told, True)))
        step.learn(state, after, at.told, Ledger())
    state.boxes = after.boxes


ACTS = {
    "lmtp": Act(
        "mail that comes over LMTP",
        Transaction("new1", ["INBOX"]),
        Transaction("new2", ["INBOX", "There"])),
    "lmtp-root": Act(
        "mail that comes over LMTP to root's server",
        Transaction("new1", ["INBOX"], as_root=True),
        Transaction("new2", ["INBOX", "There"], as_root=True)),
    "pipe": Act(
        "mail that comes from a pipe", Deliver("new1")),
    "first": Act(
        "the first mail that ever comes", Deliver("new1"),
        prepare=nothing_yet),
    "append": Act(
        "an APPEND",
        Append("INBOX", ["new1"], ("\\Seen", "$New")),
        Append("Other", ["new2"])),
    "multiappend": Act(
        "a MULTIAPPEND",
        Append("INBOX", ["new1", "new2", "new3"], ("\\Flagged", "$New"))),
    "catenate": Act(
        "a CATENATE",
        Catenate("INBOX", ["new1", "new2"], ("\\Flagged", "$New"),
                 [("INBOX", "old2"), ("There", "there1")]),
        Catenate("Other", ["new3"], (), [("Other", "other1")])),
    "store": Act(
        "a STORE of system flags", select("INBOX"),
        Store("INBOX", ["old1", "old2", "old3"], "+", ["\\Flagged"]),
        Store("INBOX", ["old3"], "-", ["\\Seen"])),
    "store-many": Act(
        "a STORE of many messages", select("Many"),
        StoreMany("Many", MANY, "+", ["\\Flagged"]),
        StoreMany("Many", MANY[:-1], "-", ["\\Flagged"]), prepare=many),
    "store-late": Act(
        "a STORE of many messages that renames their files", select("Many"),
        StoreMany("Many", MANY, "+", ["\\Seen"]), prepare=many),
    "keywords": Act(
        "a STORE of keywords", select("INBOX"),
        Store("INBOX", ["old1", "old2", "old3"], "+", ["$New", "$Junk"]),
        Store("INBOX", ["old1", "old2"], "-", ["$Junk"])),
    "flags": Act(
        "a STORE of all flags", select("INBOX"),
        Store("INBOX", ["old1", "old3"], "", ["\\Draft", "$New"])),
    "copy": Act(
        "a COPY", select("INBOX"),
        Copy("INBOX", ["old1", "old2", "old3"], "Other")),
    "copy-one": Act(
        "a COPY of one message", select("INBOX"),
        Copy("INBOX", ["old3"], "Other"),
        Copy("INBOX", ["old2"], "Other"),
        Copy("INBOX", ["old1"], "Other")),
    "move": Act(
        "a MOVE", select("INBOX"),
        Move("INBOX", ["old1", "old2", "old3"], "Other")),
    "expunge": Act(
        "an EXPUNGE", select("INBOX"), Expunge("INBOX")),
    "compact": Act(
        "an EXPUNGE that has lemon-uidlist written anew", select("Other"),
        ExpungeMany("Other"), prepare=too_many),
    "close": Act(
        "a CLOSE", select("INBOX"), Expunge("INBOX", b"CLOSE")),
    "create": Act(
        "a CREATE",
        Change(b"CREATE Made", made("Made")),
        Change(b"CREATE Over/Below", made("Over"), made("Over/Below"))),
    "rename": Act(
        "a RENAME",
        Change(b"RENAME There Then", renamed(
            ("There", "Then"), ("There/Sub", "Then/Sub")))),
    "rename-inbox": Act(
        "a RENAME of INBOX",
        RenameInbox(["old1", "old2", "old3"], "Then")),
    "delete": Act(
        "a DELETE",
        Change(b"DELETE Other", gone("Other")),
        Change(b"DELETE There", gone("There"))),
    "subscribe": Act(
        "a SUBSCRIBE",
        Change(b"SUBSCRIBE Other", subscribed("Other")),
        Change(b"UNSUBSCRIBE There", subscribed("There", False))),
    "resetkey": Act(
        "a GENURLAUTH and a RESETKEY",
        Sign("INBOX", 3), Sign("Other", 1),
        Change(b"RESETKEY INBOX", revoked("INBOX")), Sign("INBOX", 3),
        Change(b"RESETKEY", revoked())),
    "adopt": Act(
        "a session that finds what others did", select("INBOX"), READ_ALL,
        prepare=at_work),
    "move-in": Act(
        "a session that finds another server's folder", select("Dovecot"),
        READ_ALL, prepare=moved_in),
    "rebuild": Act(
        "a session that makes the index anew", select("INBOX"), READ_ALL,
        prepare=no_index),
    "undo-multiappend": Act(
        "a session that undoes a MULTIAPPEND", select("INBOX"), READ_ALL,
        died=("multiappend", 2, "renameat2"), by_index=True),
    "undo-copy": Act(
        "a session that undoes a COPY", select("Other"), READ_ALL,
        died=("copy", 3, "linkat"), by_index=True),
    "undo-move": Act(
        "a session that undoes a MOVE", select("INBOX"),
        died=("move", 2, "write"), by_index=True),
    "take-move": Act(
        "a session that takes in a MOVE all but committed", select("INBOX"),
        died=("move", 2, "write", "-a"), by_index=True),
    "take-move-to": Act(
        "a session that takes it in where it went", select("Other"),
        died=("move", 2, "write", "-a"), by_index=True),
    "finish-move": Act(
        "a session that finishes a MOVE", select("INBOX"),
        died=("move", 2, "unlinkat")),
    "finish-expunge": Act(
        "a session that finishes an EXPUNGE", select("INBOX"),
        died=("expunge", 1, "unlinkat")),
    "finish-store": Act(
        "a session that finishes a STORE of many messages", select("Many"),
        prepare=many, died=("store-late", 20, "renameat2")),
    "finish-rename": Act(
        "a session that finishes a RENAME", LIST,
        died=("rename", 2, "renameat2")),
    "undo-rename-inbox": Act(
        "a session that undoes a RENAME of INBOX", LIST, select("INBOX"),
        died=("rename-inbox", 2, "linkat"), by_index=True),
    "finish-delete": Act(
        "a session that finishes a DELETE", LIST,
        died=("delete", 1, "pwrite64")),
}

# How the store is made in which all of them are done.
BEFORE = [
    Append("INBOX", ["old1"], ("\\Deleted", "$Junk")),
    Append("INBOX", ["old2"], ("\\Deleted",)),
    Append("INBOX", ["old3"], ("\\Seen",)),
    Change(b"CREATE There/Sub"),
    Change(b"CREATE Other"),
    Append("There", ["there1"], ("\\Seen", "$Work")),
    Append("Other", ["other1"]),
    Change(b"SUBSCRIBE There"),
]

# What is done to the store after a crash: all of it must be acknowledged.
GO_ON = [
    select("INBOX"),
    Append("INBOX", ["on1"], ("\\Seen", "$Work")),
    Change(b"CREATE On", made("On")),
    Copy("INBOX", ["on1"], "On"),
    Store("INBOX", ["on1"], "+", ("\\Deleted", "$More")),
    Expunge("INBOX"),
    Deliver("on2"),
]


def begin(maildir):
    """The store before each act."""
    with At(maildir) as at:
        for step in BEFORE:
            if not step.run(at, State()):
                raise OSError("cannot prepare: %s" % at.told)
    give(os.path.dirname(maildir))
    see(maildir)
    # As in an index that has been used for long, no block of it is new: a
    # commit then takes nothing else along to the disk.
    with open(maildir + "/.lemon/index/data.mdb", "r+b") as f:
        octets = f.read()
        f.seek(0)
        f.write(octets)

# SPDX-License-Identifier: ISC
"""The servers that are compared, each started in a directory of its own."""
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time

import mail

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(os.environ.get("LEMON_BUILD", os.path.join(
    os.path.dirname(HERE), "build")), "bench")
LOAD = os.path.join(BUILD, "load")
PEERS = os.path.join(os.path.dirname(HERE), "build", "peers")
ACCOUNT = "nobody"
PASSWORD = "secret"
USERS = ("conn", "large", "boxes", "post", "million")


class Trouble(Exception):
    """A server that does not start, or does not do what it is asked."""


def run(*args, **more):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **more).stdout.decode()


def certificate(root):
    """The same kind for all: ECDSA P-256."""
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
        "/CN=localhost", "-keyout", root + "/key.pem",
        "-out", root + "/cert.pem")


def listening(port):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)
    raise Trouble("nothing listens on port %d" % port)


def descendants(pid):
    """The processes that pid started, and theirs."""
    parents = {}
    for stat in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(stat) as f:
                text = f.read()
        except OSError:
            continue
        fields = text[text.rindex(")") + 2:].split()
        parents.setdefault(int(fields[1]), []).append(
            int(text.split(" ", 1)[0]))
    found, todo = [], [pid]
    while todo:
        found += (more := parents.get(todo.pop(), []))
        todo += more
    return found


class Server:
    """imap, imaps, lmtp and submission (perhaps) are ports; proc is what was
    started, and relay the port to which it submits."""
    relay = 0

    scheme = "SCRAM-SHA-256"

    def __init__(self, root, base):
        self.root = root
        self.imap, self.imaps, self.lmtp = base + 143, base + 993, base + 24
        self.submission = base + 587
        os.mkdir(root)
        os.chmod(root, 0o755)
        self.start(base)

    def port(self, security):
        return self.imap if security in ("plain", "starttls") else self.imaps

    def load(self, what, *args, **more):
        """The numbers that a load prints, a list for each line."""
        try:
            r = subprocess.run([LOAD, what] + [str(a) for a in args],
                               stdout=subprocess.PIPE, timeout=900, **more)
        except subprocess.TimeoutExpired:
            raise Trouble("it takes too long")
        if r.returncode:
            raise Trouble("it says no")
        return [[float(x) for x in l.split()]
                for l in r.stdout.decode().splitlines()]

    def session(self, user, *commands, security="plain"):
        """Seconds and octets of each command."""
        return self.load("imap", self.port(security), user, PASSWORD,
                         security, *commands)

    def private(self):
        """Bytes of memory that nobody shares, of all its processes."""
        total = 0
        for pid in descendants(self.proc.pid):
            try:
                with open("/proc/%d/smaps_rollup" % pid) as f:
                    total += sum(int(l.split()[1]) for l in f
                                 if l.startswith("Private_"))
            except OSError:
                continue
        return total * 1024

    def maildir(self, user, box="INBOX"):
        top = os.path.join(self.root, "users", user, "Maildir")
        return top if box == "INBOX" else os.path.join(top, "." + box)

    def fill(self, user, box, message, count):
        """Have the first count messages in a mailbox; where the server lets
        us, as files that it has never seen."""
        path = self.maildir(user, box)
        for d in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(path, d), exist_ok=True)
        for i in range(1, count + 1):
            m = message(i)
            with open(os.path.join(path, "cur", mail.name(i, m)), "wb") as f:
                f.write(m)
        self.own(user)

    def own(self, user):
        run("chown", "-R", ACCOUNT + ":", os.path.join(
            self.root, "users", user))

    def outside(self, user, i):
        """Another program delivers."""
        path = self.maildir(user)
        m = mail.small(i)
        name = mail.name(i + int(time.time()), m).split(":")[0]
        with open(os.path.join(path, "tmp", name), "wb") as f:
            f.write(m)
        e = pwd.getpwnam(ACCOUNT)
        os.chown(f.name, e.pw_uid, e.pw_gid)
        os.rename(f.name, os.path.join(path, "new", name))
        return True

    def forget(self, user):
        """Take away what it knows of a user's INBOX."""
        for name in self.knows:
            for path in glob.glob(os.path.join(self.maildir(user), name)):
                shutil.rmtree(path, ignore_errors=True)
                if os.path.exists(path):
                    os.unlink(path)
        return True

    def stop(self):
        """End it, and what it leaves running."""
        left = descendants(self.proc.pid)
        self.proc.send_signal(signal.SIGTERM)
        try:
            self.proc.wait(30)
        except subprocess.TimeoutExpired:
            self.proc.kill()
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


class Lemon(Server):
    name = "lemon"
    knows = (".lemon", "lemon-uidlist")

    def start(self, base):
        users = [a for u in USERS for a in ("-u", u + ":" + PASSWORD)]
        with open(self.root + ".log", "w") as log:
            self.proc = subprocess.Popen(
                ["lemon-serve", "-d", self.root, "-p", str(base),
                 "-U", ACCOUNT] + users, stdout=subprocess.PIPE, stderr=log)
        if not self.proc.stdout.readline().startswith(b"ready "):
            with open(self.root + ".log") as log:
                raise Trouble(log.read())
        with open(os.path.join(self.root, "control", "plaintext"), "w") as f:
            f.write("1\n")
        for name, line in (("relay", "127.0.0.1:%d none" % self.relay),
                           ("submitters", "conn")):
            with open(os.path.join(self.root, "control", name), "w") as f:
                f.write(line + "\n")


class Dovecot(Server):
    name = "dovecot"
    knows = ("dovecot*",)
    login = ""
    config = """base_dir = %(root)s/run
state_dir = %(root)s/state
log_path = %(root)s/log
protocols = imap lmtp submission
listen = 127.0.0.1
mail_location = maildir:~/Maildir
mail_attribute_dict = file:%%h/dovecot-attributes
imap_urlauth_host = localhost
hostname = localhost
submission_relay_host = 127.0.0.1
submission_relay_port = %(relay)s
submission_relay_trusted = yes
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
  %(login)s
  inet_listener imap {
    port = %(imap)s
  }
  inet_listener imaps {
    port = %(imaps)s
    ssl = yes
  }
}
service submission-login {
  %(login)s
  inet_listener submission {
    port = %(submission)s
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

    def start(self, base):
        root, e = self.root, pwd.getpwnam(ACCOUNT)
        certificate(root)
        with open(root + "/passwd", "w") as f:
            for u in USERS:
                os.makedirs(os.path.join(root, "users", u))
                f.write("%s:%s::::::\n" % (u, run(
                    "doveadm", "-O", "pw", "-s", self.scheme,
                    "-p", PASSWORD).strip()))
                self.own(u)
        with open(root + "/dovecot.conf", "w") as f:
            f.write(self.config % {
                "root": root, "uid": e.pw_uid, "gid": e.pw_gid,
                "login": self.login, "imap": self.imap,
                "imaps": self.imaps, "lmtp": self.lmtp,
                "submission": self.submission, "relay": self.relay})
        self.proc = subprocess.Popen(["dovecot", "-F", "-c",
                                      root + "/dovecot.conf"])
        listening(self.imap)
        listening(self.lmtp)


class DovecotPooled(Dovecot):
    """Its high-performance mode: login processes that stay."""
    name = "dovecot, pooled"
    login = "service_count = 0\n  client_limit = 200\n" \
        "  process_min_avail = 2"


class Cyrus(Server):
    """Debian's cyrus-imapd conflicts with dovecot-imapd as a package: it is
    unpacked beside, and uses what cyrus-common brings."""
    name = "cyrus"
    scheme = "a comparison of passwords in the clear, sasldb has no verifiers"
    lib = "/usr/lib/cyrus/bin"
    settings = """configdirectory: %(root)s/conf
partition-default: %(root)s/spool
defaultpartition: default
proc_path: %(root)s/run/proc
mboxname_lockpath: %(root)s/run/lock
lmtpsocket: %(root)s/run/socket/lmtp
idlesocket: %(root)s/run/socket/idle
notifysocket: %(root)s/run/socket/notify
sievedir: %(root)s/sieve
altnamespace: yes
unixhierarchysep: yes
virtdomains: off
admins: cyrus
allowplaintext: yes
sasl_mech_list: PLAIN
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: %(root)s/sasldb2
autocreate_users: anyone
autocreate_quota: 0
autocreate_post: yes
servername: localhost
defaultdomain: localhost
tls_server_cert: %(root)s/cert.pem
tls_server_key: %(root)s/key.pem
"""
    services = """START {
  recover cmd="%(lib)s/ctl_cyrusdb -C %(conf)s -r"
}
SERVICES {
  imap cmd="%(imapd)s/imapd -U 30 -C %(conf)s" listen="127.0.0.1:%(imap)d" prefork=0 maxchild=1000
  imaps cmd="%(imapd)s/imapd -s -U 30 -C %(conf)s" listen="127.0.0.1:%(imaps)d" prefork=0 maxchild=1000
  lmtp cmd="%(lib)s/lmtpd -a -C %(conf)s" listen="127.0.0.1:%(lmtp)d" prefork=0 maxchild=20
}
DAEMON {
  idled cmd="%(imapd)s/idled -C %(conf)s"
}
EVENTS {
}
"""

    def unpack(self):
        """Where imapd and idled are."""
        if os.path.exists(self.lib + "/imapd"):
            return self.lib
        to = self.root + "/package"
        found = glob.glob(PEERS + "/cyrus-imapd_*.deb")
        if not found:
            raise Trouble("no cyrus-imapd: .ci/install bench fetches it")
        run("dpkg", "-x", found[0], to)
        return to + self.lib

    def start(self, base):
        root = self.root
        if not os.path.exists(self.lib + "/master"):
            raise Trouble("cyrus-common is not installed")
        v = {"root": root, "lib": self.lib, "conf": root + "/imapd.conf",
             "imapd": self.unpack(), "imap": self.imap, "imaps": self.imaps,
             "lmtp": self.lmtp}
        for d in ("conf/socket", "spool", "run/proc", "run/lock",
                  "run/socket", "sieve"):
            os.makedirs(os.path.join(root, d))
        certificate(root)
        with open(v["conf"], "w") as f:
            f.write(self.settings % v)
        with open(root + "/cyrus.conf", "w") as f:
            f.write(self.services % v)
        for u in USERS:
            run("saslpasswd2", "-p", "-c", "-f", root + "/sasldb2", "-u",
                "localhost", u, input=PASSWORD.encode())
        run("chown", "-R", "cyrus:mail", root)
        self.proc = subprocess.Popen(
            [self.lib + "/master", "-D", "-C", v["conf"],
             "-M", root + "/cyrus.conf", "-p", root + "/master.pid"])
        listening(self.lmtp)
        listening(self.imap)

    def fill(self, user, box, message, count):
        if box != "INBOX":
            self.session(user, "CREATE " + box)
        feed = subprocess.Popen(
            [LOAD, "fill", str(self.imap), user, PASSWORD, box],
            stdin=subprocess.PIPE)
        for i in range(1, count + 1):
            m = message(i).replace(b"\n", b"\r\n")
            feed.stdin.write(b"%d (%s)\n" % (len(m), mail.flags(i).encode()))
            feed.stdin.write(m)
        feed.stdin.close()
        if feed.wait():
            raise Trouble("it does not take mail")

    def outside(self, user, i):
        return False

    def forget(self, user):
        return False

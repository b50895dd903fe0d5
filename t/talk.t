#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Runs the transcripts in t/talk; t/talk/README tells their form.

usage: t/talk.t [FILE.talk ...]
"""
import base64
import os
import re
import select
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
WAIT = 20           # seconds for one answer; a sanitizer build is slow
DEFAULT = {
    "imapd": "lemon-imapd $T/Maildir",
    "submit": "lemon-submit",
    "lmtp": "lemon-deliver -l",
}


class Mismatch(Exception):
    pass


def unescape(s):
    def one(m):
        e = m.group(1)
        return {"r": "\r", "n": "\n", "0": "\0", "\\": "\\"}.get(
            e) or chr(int(e[1:], 16))
    s = re.sub(r"\\(r|n|0|\\|x[0-9a-fA-F]{2})", one, s)
    return s.encode("utf-8") if not re.search("[\x80-\xff]", s) \
        else s.encode("latin-1", "surrogatepass")


class Connection:
    """One server process and our end of the socket pair."""

    def __init__(self, argv, env, cwd):
        ours, theirs = socket.socketpair()
        self.err = tempfile.TemporaryFile()
        self.proc = subprocess.Popen(argv, stdin=theirs, stdout=theirs,
                                     stderr=self.err, env=env, cwd=cwd)
        theirs.close()
        ours.settimeout(WAIT)
        self.sock, self.held = ours, b""

    def send(self, octets):
        try:
            self.sock.sendall(octets)
        except (BrokenPipeError, ConnectionResetError):
            pass        # what the server says then is what is tested

    def line(self):
        end = time.monotonic() + WAIT
        while b"\n" not in self.held:
            self.sock.settimeout(max(0.01, end - time.monotonic()))
            try:
                got = self.sock.recv(65536)
            except socket.timeout:
                raise Mismatch("no answer in %d s" % WAIT)
            except (ConnectionResetError, ssl.SSLError):
                got = b""
            if not got:
                return None
            self.held += got
        line, self.held = self.held.split(b"\n", 1)
        if not line.endswith(b"\r"):
            raise Mismatch("a line without CR: %r" % line)
        return line[:-1].decode("utf-8", "surrogateescape")

    def tls(self):
        if self.held:
            raise Mismatch("octets before the handshake: %r" % self.held)
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
        self.sock.settimeout(WAIT)
        self.sock = ctx.wrap_socket(self.sock)

    def end(self):
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        try:
            code = self.proc.wait(WAIT)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
            code = "still running"
        self.sock.close()
        return code

    def stderr(self):
        self.err.seek(0)
        return self.err.read().decode("utf-8", "replace")


class Talk:
    def __init__(self, path):
        self.path = path
        self.dir = tempfile.mkdtemp(prefix="talk.")
        self.env = dict(os.environ, T=self.dir, HOME=self.dir,
                        LEMON_CONTROL=self.dir + "/control")
        for k in list(self.env):
            if k.startswith(("TCP", "PROTO", "SSL")) and k != "SSL_CERT_FILE":
                del self.env[k]
        self.run_line = DEFAULT.get(
            os.path.basename(os.path.dirname(path)), "")
        self.run_lines = {}
        self.var, self.conn, self.log = {}, {}, []
        self.mails = 0
        os.mkdir(self.dir + "/control")
        for d in ("cur", "new", "tmp"):
            os.makedirs(self.dir + "/Maildir/" + d)

    def shell(self, command):
        r = subprocess.run(["sh", "-ec", command], cwd=self.dir,
                           env=self.env, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if r.returncode:
            raise Mismatch("sh: %s: exit %d\n%s" % (
                command, r.returncode, r.stdout.decode("utf-8", "replace")))

    def give_away(self):
        """Mail is never served as root, so root makes nobody's mail."""
        if os.geteuid() == 0:
            os.chmod(self.dir, 0o755)
            os.makedirs(self.dir + "/users", exist_ok=True)
            for d, _, files in os.walk(self.dir + "/users"):
                for f in [d] + [os.path.join(d, f) for f in files]:
                    os.chown(f, 65534, 65534)

    def mail(self, folder, name):
        base, flags = self.dir + "/Maildir", None
        if ":" in folder:
            folder, flags = folder.split(":", 1)
        if "/" in folder:
            user, folder = folder.split("/", 1)
            base = self.dir + "/users/" + user + "/Maildir"
        if folder != "INBOX":
            base += "/." + folder
        for d in ("cur", "new", "tmp"):
            os.makedirs(base + "/" + d, exist_ok=True)
        self.mails += 1
        to = "%s/%s/%d.M%dP1Q1.test" % (
            base, "new" if flags is None else "cur",
            1000000000 + self.mails, self.mails)
        if flags is not None:
            to += ":2," + flags
        shutil.copyfile(os.path.join(HERE, "data", name), to)
        os.utime(to, (1000000000 + self.mails,) * 2)
        self.give_away()

    def directive(self, key, rest):
        rest = rest.replace("$T", self.dir)
        if key == "run":
            self.run_line = rest
        elif key.startswith("run"):
            self.run_lines[key[3:]] = rest
        elif key == "env":
            k, v = rest.split("=", 1)
            self.env[k] = v
        elif key == "user":
            name, password = rest.split(" ", 1)
            os.makedirs(self.dir + "/control/users", exist_ok=True)
            self.give_away()
            r = subprocess.run(
                ["lemon-user", "-c", self.dir + "/control", "add", name],
                input=password.encode() + b"\n", env=self.env,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if r.returncode:
                raise Mismatch("lemon-user: %r" % r.stdout)
        elif key == "file":
            name, text = (rest.split(" ", 1) + [""])[:2]
            path = os.path.join(self.dir, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(text.replace("\\n", "\n").encode() + b"\n")
        elif key == "mail":
            self.mail(*rest.split(" ", 1))
        elif key == "sh":
            self.shell(rest)
        else:
            raise Mismatch("no such directive: " + key)

    def get(self, n):
        if n not in self.conn:
            argv = [a.replace("$T", self.dir) for a in
                    self.run_lines.get(n, self.run_line).split()]
            self.conn[n] = Connection(argv, self.env, self.dir)
        return self.conn[n]

    def fill(self, s):
        return re.sub(r"\$(\$|[a-zA-Z][a-zA-Z0-9_]*)", lambda m: "$"
                      if m.group(1) == "$" else
                      self.var.get(m.group(1), m.group(0)), s)

    def match(self, want, got):
        """Whether the line matches; learns the new $names if it does."""
        pattern, new, pos = "", [], 0
        for m in re.finditer(r"\$(\$|\*|[a-zA-Z][a-zA-Z0-9_]*)", want):
            pattern += re.escape(want[pos:m.start()])
            pos, name = m.end(), m.group(1)
            if name == "$":
                pattern += re.escape("$")
            elif name == "*":
                pattern += ".*"
            elif name in self.var:
                pattern += re.escape(self.var[name])
            elif name in new:
                pattern += "(?P=%s)" % name
            else:
                new.append(name)
                pattern += r"(?P<%s>[^ \r)\]]+)" % name
        pattern += re.escape(want[pos:])
        m = re.fullmatch(pattern, got, re.S)
        if m is None:
            return False
        self.var.update(m.groupdict())
        return True

    def read(self, n):
        line = self.get(n).line()
        self.log.append("S%s %s" % (n, "(closed)" if line is None else line))
        return line

    def expect(self, n, kind, want):
        while True:
            got = self.read(n)
            if got is None:
                raise Mismatch("closed, instead of: " + want)
            if self.match(want, got):
                return
            if kind != "~":
                raise Mismatch("want: %s\n got: %s" % (want, got))

    def any_order(self, n, wants):
        while wants:
            got = self.read(n)
            hit = next((w for w in wants if got is not None
                        and self.match(w, got)), None)
            if hit is None:
                raise Mismatch("got: %s\nwant one of: %s" % (got, wants))
            wants.remove(hit)

    def act(self, n, what):
        c = self.get(n)
        if what == "close":
            c.sock.shutdown(socket.SHUT_WR)
        elif what == "tls":
            c.tls()
        elif what.startswith("plainauth "):
            u, p = self.fill(what[10:]).split(" ", 1)
            c.send(base64.b64encode(("\0%s\0%s" % (u, p)).encode()) + b"\r\n")
        else:
            raise Mismatch("C. %s?" % what)

    def step(self, line, lines):
        m = re.match(r"([CS])(\d?)([:~.{*-]) ?(.*)", line)
        if m is None:
            m = re.match(r"(exit|sh): (.*)", line)
            if m is None:
                raise Mismatch("not a line of a transcript: " + line)
            if m.group(1) == "sh":
                self.shell(self.fill(m.group(2)))
                return
            code = self.get("").end()
            if str(code) != m.group(2):
                raise Mismatch("exit %s, not %s" % (code, m.group(2)))
            return
        who, n, kind, text = m.groups()
        if who == "C":
            self.log.append(line)
            if kind == ":":
                self.get(n).send(self.fill(text).encode() + b"\r\n")
            elif kind == "-":
                self.get(n).send(unescape(self.fill(text)))
            elif kind == "*":
                count, text = text.split(" ", 1)
                self.get(n).send(unescape(text) * int(count))
            elif kind == ".":
                self.act(n, text)
        elif kind == "{":
            wants = []
            for inner in lines:
                if re.match(r"S\d?}", inner):
                    break
                wants.append(re.match(r"S\d?: ?(.*)", inner).group(1))
            self.any_order(n, wants)
        elif kind == ".":
            if self.read(n) is not None:
                raise Mismatch("the connection is still open")
        else:
            self.expect(n, kind, text)

    def run(self):
        with open(self.path, encoding="utf-8") as f:
            lines = iter([l.rstrip("\n") for l in f
                          if l.strip() and not l.startswith("#")])
        talking = False
        for line in lines:
            m = re.match(r"(run\d?|env|user|file|mail|sh): (.*)", line)
            if m and not talking:
                self.directive(m.group(1), m.group(2))
            else:
                talking = True
                self.step(line, lines)

    def finish(self):
        errors = ""
        for n, c in self.conn.items():
            c.end()
            errors += c.stderr()
            c.err.close()
        shutil.rmtree(self.dir, ignore_errors=True)
        return errors


def find(args):
    if args:
        return args
    return sorted(os.path.join(d, f) for d, _, files in
                  os.walk(os.path.join(HERE, "talk")) for f in files
                  if f.endswith(".talk"))


def main(args):
    paths, bad = find(args), 0
    print("1..%d" % len(paths), flush=True)
    for i, path in enumerate(paths, 1):
        talk = Talk(os.path.abspath(path))
        problem = None
        try:
            talk.run()
        except (Mismatch, OSError, ValueError) as e:
            problem = str(e) or repr(e)
        errors = talk.finish()
        if "Sanitizer" in errors or "runtime error" in errors:
            problem = (problem or "") + "\nsanitizer"
        name = os.path.relpath(path, HERE).replace("#", "")
        print("%sok %d - %s" % ("not " if problem else "", i, name),
              flush=True)
        if problem:
            bad += 1
            for l in talk.log[-30:] + problem.split("\n") + \
                    errors.split("\n")[-30:]:
                print("# " + l.encode("ascii", "backslashreplace").decode())
    return bad != 0


sys.exit(main(sys.argv[1:]))

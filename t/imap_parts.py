#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Fetch every part of many messages from a running server.

Usage: imap_parts.py PROGRAM DIRECTORY

PROGRAM is the unit test of the parser, which prints where the parts of the
files it is given are; t/mime.bats compares those with another parser's.
Every message is put into a Maildir, and for each of its parts the server's
BODY[n], BODY[n.MIME], BODY[n.HEADER] and BODY[n.TEXT], whole and in pieces,
must be exactly these octets of the file, its LFs as CRLF.
"""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

PIECE = 1000


class Server:
    def __init__(self, maildir):
        ours, theirs = socket.socketpair()
        self.proc = subprocess.Popen(['lemon-imapd', maildir],
                                     stdin=theirs, stdout=theirs)
        theirs.close()
        ours.settimeout(60)
        self.file = ours.makefile('rwb')
        self.file.readline()

    def say(self, command):
        """Untagged responses as lists of lines and literals, and the tagged."""
        self.file.write(b't ' + command.encode() + b'\r\n')
        self.file.flush()
        out = []
        while True:
            line = self.file.readline()
            if line.startswith(b't '):
                return out, line
            one = [line]
            while m := re.search(rb'\{(\d+)\}\r\n$', one[-1]):
                one += [self.file.read(int(m[1])), self.file.readline()]
            out.append(one)

    def ask(self, command):
        """The same of what cannot fail."""
        out, tagged = self.say(command)
        assert tagged.startswith(b't OK'), (command, tagged)
        return out

    def sections(self, uid, names):
        """What it says of each section: octets, or None for NIL."""
        got = {}
        for i in range(0, len(names), 100):
            asked = ' '.join('BODY.PEEK[%s]' % n for n in names[i:i + 100])
            one, = self.ask('UID FETCH %d (%s)' % (uid, asked))
            text, literals = one[0], one[1::2]
            for line in one[2::2]:
                text += line
            tokens = re.findall(
                rb'BODY\[([^]]*)\](?:<\d+>)? (NIL|""|\{\d+\})', text)
            assert len(tokens) == len(names[i:i + 100]), one
            for name, value in tokens:
                got[name.decode()] = None if value == b'NIL' else \
                    b'' if value == b'""' else literals.pop(0)
        return got

    def pieces(self, uid, name, size):
        out = b''
        while len(out) < size:
            one, = self.ask('UID FETCH %d BODY.PEEK[%s]<%d.%d>' % (
                uid, name, len(out), PIECE))
            if len(one) < 2:
                break
            out += one[1]
        return out


class Part:
    def __init__(self, line):
        self.kind, _, *at = line.rsplit(' ', 4)
        self.header, self.body, self.end = map(int, at)
        self.children = []


def trees(program, files):
    """{path: the message as a Part}, from where the parser says they are."""
    text = subprocess.run([program] + files, check=True, capture_output=True)
    out = {}
    for line in text.stdout.decode('utf-8', 'replace').splitlines():
        if line.startswith('file '):
            path, stack = line[5:], []
            continue
        part = Part(line)
        while stack and (part.header < stack[-1].body or
                         part.end > stack[-1].end):
            stack.pop()
        if stack:
            stack[-1].children.append(part)
        else:
            out[path] = part
        if part.kind != 'leaf':
            stack.append(part)
    return out


def sections(part, name, out, own=None):
    """RFC 3501 6.4.5: {section: (from, to)} of a part of that number; own:
    the message whose only part it is, and so without a MIME header."""
    out[name] = part.body, part.end
    if own is None:
        out[name + '.MIME'] = part.header, part.body
    if part.kind == 'multipart':
        for i, child in enumerate(part.children, 1):
            sections(child, '%s.%d' % (name, i), out)
    elif part.kind == 'message':
        message(part.children[0], name + '.', out)


def message(m, prefix, out):
    """The same of a message, whose parts' numbers begin so."""
    out[prefix + 'HEADER'] = m.header, m.body
    out[prefix + 'TEXT'] = m.body, m.end
    if m.kind == 'multipart':
        for i, child in enumerate(m.children, 1):
            sections(child, prefix + str(i), out)
    else:
        sections(m, prefix + '1', out, own=m)


def wire(octets):
    """As IMAP shows them; NUL is what no literal can hold."""
    return re.sub(rb'(?<!\r)\n', b'\r\n', octets).replace(b'\0', b'\x80')


def open_mail(top):
    """A server with all messages below top in INBOX, and their files, whose
    UIDs are 1 and so on."""
    files = sorted(os.path.join(d, f) for d, _, names in os.walk(top)
                   for f in names if f not in ('SOURCE', 'README'))
    maildir = os.path.join(tempfile.mkdtemp(dir=os.environ.get('T')), 'M')
    for d in 'cur', 'new', 'tmp':
        os.makedirs(os.path.join(maildir, d))
    for i, path in enumerate(files, 1):
        shutil.copyfile(path, '%s/new/%d.M1P1Q1.test' % (
            maildir, 1000000000 + i))
    server = Server(maildir)
    server.ask('SELECT INBOX')
    return server, files


def main():
    program, top = sys.argv[1:]
    server, files = open_mail(top)
    bad = count = 0
    for uid, (path, root) in enumerate(
            sorted(trees(program, files).items()), 1):
        data = open(path, 'rb').read()
        want = {'': (0, len(data))}
        message(root, '', want)
        size, = server.ask('UID FETCH %d RFC822.SIZE' % uid)
        if b'RFC822.SIZE %d)' % len(wire(data)) not in size[0]:
            bad += 1
            print(path, size)
        got = server.sections(uid, list(want))
        for name, (start, end) in want.items():
            octets = wire(data[start:end])
            count += 1
            if got.get(name) != octets:
                bad += 1
                print('%s: BODY[%s]' % (path, name), got.get(name), octets,
                      sep='\n# ')
        for name in list(want)[-3:]:
            octets = wire(data[slice(*want[name])])[:20 * PIECE]
            if server.pieces(uid, name, len(octets))[:20 * PIECE] != octets:
                bad += 1
                print('%s: BODY[%s]<…>' % (path, name))
    print(f'{len(files)} files, {count} sections, {bad} bad')
    return bad != 0 or not files


if __name__ == '__main__':
    sys.exit(main())

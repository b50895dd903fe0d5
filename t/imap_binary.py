#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Fetch every part of many messages decoded, and compare with Python's email.

Usage: imap_binary.py DIRECTORY

The server's own BODY[n.MIME] and BODY[n] (t/imap_parts.py compares those with
the files) go through another decoder; BINARY[n], whole and in pieces, must be
the same octets, BINARY.SIZE[n] their number, and a literal8 what has a NUL.
Where the other finds base64 malformed the server may say so, too.
"""
import email
import email._encoded_words
import quopri
import re
import sys

from imap_parts import open_mail

PIECE = 777
MANY = 40       # parts of one message that are looked at


def ask(server, command):
    """What it says; a literal8 is what has a NUL, but for BODY."""
    out, tagged = server.say(command)
    for one in out:
        for line, literal in zip(one[::2], one[1::2]):
            literal8 = re.search(rb'~\{\d+\}\r\n$', line) is not None
            assert literal8 == (b'\0' in literal) or b'BODY[' in one[0], one
    return out, tagged


def octets(server, uid, item):
    """What it answers for one item: octets, None for NIL, or the code."""
    said, tagged = ask(server, 'UID FETCH %d %s' % (uid, item))
    if not tagged.startswith(b't OK'):
        return tagged.split()[2].decode()
    one, = said
    if len(one) > 1:
        return one[1]
    value = one[0].split()[-1].rstrip(b')')
    return {b'NIL': None, b'""': b''}.get(value, value)


def numbers(server, uid):
    """The parts' numbers, as the server numbers them."""
    level = ['']
    while level:
        deeper = []
        for prefix in level:
            for i in range(1, MANY):
                n = '%s%d' % (prefix, i)
                if octets(server, uid, 'BODY.PEEK[%s]<0.1>' % n) is None:
                    break
                yield n
                deeper.append(n + '.')
        level = deeper


def quoted(body):
    """Line by line, so that what "=0A" stands for is not taken for one."""
    out = b''
    for line in re.split(rb'(?<=\n)', body):
        text = line.rstrip(b' \t\r\n')
        soft = text.endswith(b'=')
        end = re.search(rb'\r?\n?$', line)[0]
        out += quopri.decodestring(text[:-1] if soft else text)
        out += b'' if soft else end
    return out


def decode(header, body):
    """What another decoder makes of it, and whether it was content."""
    m = email.message_from_bytes(header)
    encoding = m.get('Content-Transfer-Encoding', '7bit')
    encoding = re.sub(r'\(.*?\)', '', encoding).split(';')[0].strip().lower()
    if m.get_content_maintype() == 'multipart' or \
            encoding in ('7bit', '8bit', 'binary', ''):
        return body, True
    if encoding == 'base64':
        plain, defects = email._encoded_words.decode_b(
            b''.join(body.splitlines()))
        return plain, not defects
    if encoding == 'quoted-printable':
        return quoted(body), True
    return 'UNKNOWN-CTE', True


def look(server, uid, n):
    header = octets(server, uid, 'BODY.PEEK[%s.MIME]' % n) or b''
    body = octets(server, uid, 'BODY.PEEK[%s]' % n)
    want, good = decode(header, body)
    got = octets(server, uid, 'BINARY.PEEK[%s]' % n)
    size = octets(server, uid, 'BINARY.SIZE[%s]' % n)
    if not good and got == size == '[PARSE]':
        return 'malformed'
    if want == 'UNKNOWN-CTE':
        return got == size == '[UNKNOWN-CTE]' and 'unknown'
    if want == body:
        want = got.replace(b'\0', b'\x80') == body and got
    if got != want or size != b'%d' % len(want):
        return False
    pieces = b''
    for at in range(0, min(len(want), 20 * PIECE), PIECE):
        pieces += octets(server, uid, 'BINARY.PEEK[%s]<%d.%d>' % (
            n, at, PIECE))
    return pieces == want[:20 * PIECE] and (
        'as it is' if want.replace(b'\0', b'\x80') == body else 'decoded')


def main():
    server, files = open_mail(sys.argv[1])
    bad, count = 0, {}
    for uid, path in enumerate(files, 1):
        for n in numbers(server, uid):
            how = look(server, uid, n)
            count[how] = count.get(how, 0) + 1
            if not how:
                bad += 1
                print('%s: BINARY[%s]' % (path, n))
    print(len(files), 'files', count)
    return bad != 0 or count.get('decoded', 0) < 100


if __name__ == '__main__':
    sys.exit(main())

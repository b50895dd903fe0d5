#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Compare a running server's BODYSTRUCTURE with Python's email.

Usage: imap_structure.py DIRECTORY

Of every message there the leaves must have the types that Python sees (but
for those that mime_parts.py lists), BODY must say the same as BODYSTRUCTURE,
and every size must be that of the octets that BODY[n] then gives.
"""
import email.parser
import email.policy
import os
import re
import sys

from imap_parts import open_mail
from mime_parts import DIFFERENT, python_leaves


def tokens(one):
    """Of a response: lines and literals in turn."""
    for i, octets in enumerate(one):
        if i % 2:
            yield 's', octets
            continue
        octets = re.sub(rb'\{\d+\}\r\n$', b'', octets)
        for m in re.finditer(rb'\(|\)|"((?:[^"\\]|\\.)*)"|[^\s()"]+', octets):
            quoted = m[1] is not None
            yield ('s', re.sub(rb'\\(.)', rb'\1', m[1])) if quoted else \
                ('a', m[0])


def tree(one):
    stack = [[]]
    for kind, octets in tokens(one):
        if (kind, octets) == ('a', b'('):
            stack.append([])
        elif (kind, octets) == ('a', b')'):
            stack[-2].append(stack.pop())
        else:
            stack[-1].append(octets)
    assert len(stack) == 1
    return stack[0]


def leaves(part, name, types, sizes):
    """RFC 3501 7.4.2, body-type-mpart and body-type-1part."""
    if isinstance(part[0], list):
        n = 0
        while isinstance(part[n], list):
            n += 1
            leaves(part[n - 1], '%s.%d' % (name, n) if name else str(n),
                   types, sizes)
        assert len(part) in (n + 1, n + 5), part
        return
    kind = (part[0] + b'/' + part[1]).decode('latin-1').lower()
    name = name or '1'
    sizes[name] = int(part[6])
    if kind == 'message/rfc822':
        assert len(part) in (10, 14) and len(part[7]) == 10, part
        inner = part[8]
        multipart = isinstance(inner[0], list)
        leaves(inner, name if multipart else name + '.1', types, sizes)
        return
    text = kind.startswith('text/')
    assert len(part) in ((8, 12) if text else (7, 11)), part
    types.append(kind)


def main():
    top, = sys.argv[1:]
    parser = email.parser.BytesParser(policy=email.policy.compat32)
    server, files = open_mail(top)
    bad = 0
    for uid, path in enumerate(files, 1):
        one, = server.ask('UID FETCH %d (BODYSTRUCTURE BODY)' % uid)
        items = tree(one)[-1]
        got = dict(zip(items[::2], items[1::2]))
        types, sizes, again, theirs = [], {}, [], []
        leaves(got[b'BODYSTRUCTURE'], '', types, sizes)
        leaves(got[b'BODY'], '', again, {})
        python_leaves(parser.parsebytes(open(path, 'rb').read()), theirs)
        octets = server.sections(uid, list(sizes))
        if types != again or sizes != {
                n: len(octets[n] or b'') for n in sizes} or (
                types != [kind.lower() for kind, _ in theirs] and
                os.path.relpath(path, top) not in DIFFERENT):
            bad += 1
            print(path, types, again, sizes, theirs, sep='\n# ')
    print(f'{len(files)} files, {bad} bad')
    return bad != 0 or not files


if __name__ == '__main__':
    sys.exit(main())

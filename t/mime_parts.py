#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Compare the parts that the parser finds with those of Python's email.

Usage: mime_parts.py PROGRAM DIRECTORY

PROGRAM is the unit test of the parser, which prints the parts of the files it
is given.  The leaves must have the same types and the very same octets, in the
same order.  Files where the two read a broken message differently are listed
below with the reason; they must still differ, so that the list stays true.
"""
import email.parser
import email.policy
import os
import subprocess
import sys

GARBAGE = 'a line in the header that is no field ends it for Python'
FOLDED = 'a boundary in a folded quoted string is unknown to Python'
SAME = 'inner and outer boundary are the same: Python takes the outer'
DIFFERENT = {
    'enmime/low-quality__bad-header-wrap.raw': GARBAGE,
    'mime4j/basic-plain-with-bad-header-separator.msg': GARBAGE,
    'mime4j/malformedHeader-nocrlfcrlf.msg': GARBAGE,
    'mime4j/obsolete.msg': 'blanks before the colon (RFC 5322 4.5)',
    'mimekit/messages__feedback-report.txt': 'begins with a BOM',
    'mimekit/messages__issue358.txt': GARBAGE,
    'stalwart-mail-parser/malformed__019.eml': GARBAGE,
    'imaptest/fetch-binary-mime-base64.mbox': FOLDED,
    'imaptest/fetch-binary-mime-qp.mbox': FOLDED,
    'imaptest/fetch-bodystructure.mbox': FOLDED,
    'imaptest/urlauth-binary.mbox': FOLDED,
    'stalwart-mail-parser/thirdparty__012.eml': FOLDED,
    'stalwart-mail-parser/malformed__003.eml': SAME,
    'stalwart-mail-parser/malformed__013.eml': SAME,
    'mimekit/mbox__simple.mbox.txt': SAME,
    'flanker/mailformed-headers.eml': 'closed without a part: all is text',
    'mime4j/ending-boundaries.msg': 'closed without a part: all is text',
    'mime4j/missing-inner-start-boundary.msg':
        'closed without a part: all is text',
    'mime4j/multipartnopart.msg': 'closed without a part: all is text',
    'mime4j/multipartemptypart.msg': 'Python takes the epilogue for a part',
    'mimekit/messages__empty-multipart.txt':
        'the line end before a boundary is of the boundary',
    'stalwart-mail-parser/malformed__000.eml': 'Python loses an empty part',
    'stalwart-mail-parser/malformed__005.eml': 'a boundary that ends in --',
    'stalwart-mail-parser/malformed__017.eml': 'a semicolon is missing',
    'zbateson/m0021.txt': FOLDED,
}


def python_leaves(part, out):
    kind = part.get_content_type()
    if shallow(kind):
        out.append((kind, None))
    elif part.is_multipart():
        for sub in part.get_payload():
            python_leaves(sub, out)
    else:
        if kind.startswith('multipart/'):
            kind = 'text/plain'         # one without parts
        text = part._payload or ''      # get_payload() would decode
        out.append((kind.split()[0],
                    text.encode('ascii', 'surrogateescape')))


def shallow(kind):
    """Python looks into every message/..., we into message/rfc822 alone."""
    return kind.startswith('message/') and kind != 'message/rfc822'


def unclosed(leaves):
    """Python drops the line end before the boundary that never came."""
    return leaves[:-1] + [(k, b and b.rstrip(b'\r\n'))
                          for k, b in leaves[-1:]]


def our_leaves(program, files):
    """What the parser says of all files: {path: [(type, octets)]}."""
    text = subprocess.run([program] + files, check=True, capture_output=True)
    out = {}
    for line in text.stdout.decode('utf-8', 'replace').splitlines():
        if line.startswith('file '):
            path = line[5:]
            data = open(path, 'rb').read()
            out[path] = []
            continue
        kind, mime, header, body, end = line.rsplit(' ', 4)
        if kind == 'leaf':
            octets = None if shallow(mime) else data[int(body):int(end)]
            out[path].append((mime, octets))
    return out


def main():
    program, top = sys.argv[1:]
    parser = email.parser.BytesParser(policy=email.policy.compat32)
    files = sorted(os.path.join(d, f) for d, _, names in os.walk(top)
                   for f in names if f not in ('SOURCE', 'README'))
    bad = 0
    all_ours = our_leaves(program, files)
    for path in files:
        data = open(path, 'rb').read()
        theirs = []
        python_leaves(parser.parsebytes(data), theirs)
        ours = all_ours[path]
        name = os.path.relpath(path, top)
        same = ours == theirs or unclosed(ours) == unclosed(theirs)
        if same == (name in DIFFERENT):
            bad += 1
            print('not as expected:', name)
            for who, leaves in ('ours', ours), ('theirs', theirs):
                for kind, octets in leaves:
                    print(f'# {who}: {kind} {len(octets or b"")}',
                          (octets or b'')[:30], (octets or b'')[-20:])
    print(f'{len(files)} files, {len(DIFFERENT)} read differently, {bad} bad')
    return bad != 0 or not files


if __name__ == '__main__':
    sys.exit(main())

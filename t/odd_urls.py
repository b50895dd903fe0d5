# SPDX-License-Identifier: ISC
"""Two hundred URLs that try to lead whoever follows them elsewhere, a line
each."""

hosts = ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "017700000001",
    "0", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]", "[fe80::1%25lo]",
    "localhost", "localhost.", "mail.example.org.", "MAIL.EXAMPLE.ORG",
    "mail.example.org:25", "mail.example.org:143", "127.0.0.1:25",
    "127.0.0.1:0", "127.0.0.1:65536", "a@b", "a:b@127.0.0.1",
    "alice@127.0.0.1", "alice%40mail.example.org@127.0.0.1",
    "alice;AUTH=*@127.0.0.1", ";AUTH=ANONYMOUS@127.0.0.1", "%00",
    "mail.example.org%00.evil.test", "mail.example.org%2F@evil.test",
    "evil.test%23@mail.example.org", "xn--mxam8a.test",
    "mail.example.org%0D%0AHELO", "..", "-", "*", "", "[]", "[::", "_x",
    "169.254.169.254", "metadata.google.internal", "\xc3\xa9.test"]
tails = ["/INBOX/;UID=1", "/INBOX/;UID=1;URLAUTH=anonymous",
    "/INBOX/;UID=1;URLAUTH=anonymous:internal:01" + "0" * 64, "/",
    "//evil.test/INBOX/;UID=1"]
for h in hosts:
    for t in tails:
        print("imap://" + h + t)
for s in ("imaps", "http", "file", "IMAP", "pop", ""):
    print(s + "://evil.test/INBOX/;UID=1")

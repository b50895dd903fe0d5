#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Messages in chunks (RFC 3030) and from IMAP (RFC 4468): what is assembled,
# what each hop gets of it, and all that must not be sent.

load submission

# chunk TEXT [LAST]: an argument for say, BDAT with these octets (escapes).
chunk() {
	python3 -c 'import sys
t = sys.argv[1].encode().decode("unicode_escape").encode("latin-1")
print("=BDAT %d%s\\r\\n%s" % (len(t), "".join(" " + a for a in sys.argv[2:]),
    sys.argv[1]))' "$@"
}

# leaves FILE: the contents of each leaf of a message, decoded, as Python's
# email package reads it.
leaves() {
	python3 -c 'import email, sys
for p in email.message_from_binary_file(open(sys.argv[1], "rb")).walk():
    if not p.is_multipart():
        print(p.get_content_type(), p.get_payload(decode=True))' "$1"
}

BINARY='From: alice@example.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: binary\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9fe aus sehr weiter Ferne\r\n--b\r\nContent-Type: application/x-any\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\r.\r\n.\r\n\xff\n\r\n--b--\r\n'
LEAVES=$'text/plain b\'Gr\\xc3\\xbc\\xc3\\x9fe aus sehr weiter Ferne\'\napplication/x-any b\'\\x00\\r.\\r\\n.\\r\\n\\xff\\n\''

@test "binary parts become base64 for hops of 8 bits, and text what it can be for 7" {
	lmtp
	relay -n 8BITMIME
	submission
	say "=$FROM BODY=BINARYMIME\r\n$BOB\r\n$CAROL\r\n" "< < <" \
	    "$(chunk "$BINARY" LAST)" "<"
	[[ ${lines[3]} == "250 2.0.0 "* ]]
	grep -qx 'MAIL FROM:<alice@example.org>.* BODY=8BITMIME' lmtp/1.env
	! grep -q BODY= relay/1.env
	for m in lmtp relay; do
		! LC_ALL=C grep -q BARE $m/log
		[ "$(leaves $m/1.eml)" = "$LEAVES" ]
		! grep -qi 'Transfer-Encoding: binary' $m/1.eml
	done
	LC_ALL=C grep -q $'Gr\303\274' lmtp/1.eml
	! LC_ALL=C grep -q $'[\200-\377]' relay/1.eml
	tr -d '\r' <relay/1.eml | grep -qx 'Content-Transfer-Encoding: quoted-printable'
	tr -d '\r' <relay/1.eml | grep -qx 'Content-Transfer-Encoding: 7bit'
}

@test "8-bit text by DATA is converted for a hop of 7 bits, and only for that" {
	lmtp
	relay -n 8BITMIME
	submission
	printf 'From: alice@example.org\r\n\r\n.caf\303\251, caf\303\251\r\n.\r\n' >m
	say "$FROM" "$BOB" "$CAROL" DATA @m
	[[ ${lines[4]} == "250 2.0.0 "* ]]
	tail -c 20 lmtp/1.eml | cmp - <(tail -c 20 m)
	grep -q '^Content-Type: text/plain; charset=unknown-8bit' relay/1.eml
	[ "$(leaves relay/1.eml)" = "text/plain b'.caf\\xc3\\xa9, caf\\xc3\\xa9\\r\\n.\\r\\n'" ]
}

@test "what is signed is refused rather than changed" {
	lmtp
	relay -n 8BITMIME
	submission
	{
		printf '%s\r\n' 'From: alice@example.org' \
		    'Content-Type: multipart/signed; boundary=s' '' --s '' \
		    'Grüße' --s 'Content-Type: application/pgp-signature' '' \
		    x --s--
	} >m
	say "$FROM" "$CAROL" DATA @m "$FROM" "$BOB" DATA @m
	[[ ${lines[3]} == "554 5.6.3 "* ]]
	[[ ${lines[7]} == "250 2.0.0 "* ]]
	[ "$(count relay)" = 0 ]
	tail -c 60 lmtp/1.eml | cmp - <(tail -c 60 m)
}

@test "a bare line end in a header is refused, whatever the chunks" {
	lmtp
	submission
	say "=$FROM BODY=BINARYMIME\r\n$BOB\r\n" "< <" \
	    "$(chunk 'From: alice@example.org\r\nX: y\n.\r\n\r\nx' LAST)" "<" \
	    "$FROM" "$BOB" "$(chunk 'From: alice@example.org\r\nX: y\r')" "<" \
	    "$(chunk '\n\r\nx\r\n' LAST)" "<"
	[[ ${lines[2]} == "554 5.6.0 "* ]]
	[[ ${lines[6]} == "250 2.0.0 "* ]]
	[ "$(count lmtp)" = 1 ]
}

@test "a big message in chunks of any sizes arrives whole, without DATA's dots" {
	lmtp
	submission
	python3 - >big <<'X'
import random
random.seed(4)
m = b"From: alice@example.org\r\n\r\n" + b"".join(
    b"." * random.randrange(4) + b"x" * random.randrange(70) + b"\r\n"
    for i in range(8000))
while m:
    n = random.choice([1, 2, 50, 1000, 70000])
    print("=BDAT %d%s\\r\\n%s" % (len(m[:n]), " LAST" if len(m) <= n else "",
        repr(m[:n])[2:-1]), end="\0")
    m = m[n:]
X
	mapfile -d '' -t chunks <big
	say "$FROM" "$BOB" "${chunks[@]}" "$(printf '< %.0s' "${chunks[@]}")"
	[ "${#lines[@]}" = $((${#chunks[@]} + 2)) ]
	! grep -v '^250 ' <<<"$output"
	python3 - >sent <<'X'
import random, sys
random.seed(4)
sys.stdout.buffer.write(b"".join(
    b"." * random.randrange(4) + b"x" * random.randrange(70) + b"\r\n"
    for i in range(8000)))
X
	tail -c "$(stat -c %s sent)" lmtp/1.eml | cmp - sent
	[ -z "$(ls -A spool)" ]
}

@test "a chunk over the limit, and half of one, deliver nothing" {
	lmtp
	echo 1000 >control/databytes
	submission
	say "$FROM SIZE=10" "$BOB" "$(chunk "From: alice@example.org\r\n\r\n")" "<" \
	    "$(chunk "$(printf 'x%.0s' {1..980})" LAST)" "<" "=BDAT 0 LAST\r\n" "<" \
	    "$FROM" RSET "$FROM" "$BOB" "=BDAT 18446744073709551616 LAST\r\n" "!"
	[[ ${lines[3]} == "552 5.3.4 "* ]]
	[[ ${lines[4]} == "503 5.5.1 "* ]]
	[[ ${lines[5]} == "503 5.5.1 "* ]]
	[[ ${lines[9]} == "501 5.5.4 "* ]]
	[ "${lines[10]}" = "(closed)" ]
	say "$FROM" "$BOB" "=BDAT 500 LAST\r\nFrom: alice@example.org\r\n"
	[ "$(count lmtp)" = 0 ]
	[ -z "$(ls -A spool)" ]
}

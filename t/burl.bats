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

# ended N HOW: so many sessions have ended so, or will soon.
ended() {
	timeout 20 tail -n+1 -f submit.log | grep -m"$1" "bye user=alice .*$2" |
	    sed -n "$1p" | grep .
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
	! grep -q BODY= relay/1.env || false
	for m in lmtp relay; do
		! LC_ALL=C grep -q BARE $m/log || false
		[ "$(leaves $m/1.eml)" = "$LEAVES" ]
		! grep -qi 'Transfer-Encoding: binary' $m/1.eml || false
	done
	LC_ALL=C grep -q $'Gr\303\274' lmtp/1.eml
	! LC_ALL=C grep -q $'[\200-\377]' relay/1.eml || false
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
	! grep -v '^250 ' <<<"$output" || false
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
	# Nothing is no message.
	say "$FROM" "$BOB" "BDAT 0 LAST" "$FROM" "$BOB" "BDAT 0" "BDAT 0 LAST"
	[[ ${lines[2]} == "554 5.6.0 "* && ${lines[6]} == "554 5.6.0 "* ]]
	[ "$(count lmtp)" = 0 ]
	[ -z "$(ls -A spool)" ]
}

@test "TLS that ends inside a chunk ends the message, whatever follows in the clear" {
	lmtp
	submission -s
	cat >cut.py <<'X'
import os, socket, ssl, sys
HEAD = b"From: alice@example.org\r\n\r\n"
ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
ctx.check_hostname, ctx.verify_mode = False, ssl.CERT_NONE
for cut in 0, 1, 50, len(HEAD) + 99:
    s = ctx.wrap_socket(socket.create_connection(("127.0.0.1",
                                                  int(sys.argv[1])), 20))
    s.sendall(b"EHLO x\r\nAUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n"
              b"MAIL FROM:<alice@example.org>\r\nRCPT TO:<bob@example.org>\r\n")
    got = b""
    while b"250 2.1.5" not in got:
        got += s.recv(4096)
    body = HEAD + b"x" * 100
    s.sendall(b"BDAT %d LAST\r\n" % len(body) + body[:cut])
    for act in s.unwrap, lambda: os.write(s.fileno(), body[cut:]):
        try:
            act()
        except (OSError, ValueError):
            pass
    s.close()
X
	python3 cut.py "$SUBMIT"
	ended 4 messages=0
	! grep 'messages=1' submit.log || false
	[ "$(count lmtp)" = 0 ]
}

# --- BURL ---

# notes: messages of alice's and of bob's in homes of this test's own.
notes() {
	cp -R "$BATS_FILE_TMPDIR/home" .
	echo "$PWD/home/%u" >control/home
	local u
	for u in alice bob; do
		mkdir -p home/$u/Maildir/cur home/$u/Maildir/new \
		    home/$u/Maildir/tmp
		printf '%s\r\n' "From: $u@example.org" 'Subject: a note' '' \
		    "Hello from $u." '.' >home/$u/Maildir/new/1.note
	done
}

# imap COMMAND…: a session of alice's.
imap() {
	printf 'a %s\r\n' "$@" LOGOUT |
	    USER=alice LOGNAME=alice lemon-imapd home/alice/Maildir 2>imapd.err
}

# mint RUMP: the URL with its token.
mint() {
	imap "GENURLAUTH \"$1\" INTERNAL" |
	    sed -n 's/^\* GENURLAUTH "\(.*\)"\r$/\1/p' | grep .
}

ALICE='imap://alice@example.org/INBOX/;UID=1'
SUBMIT_ALICE=';URLAUTH=submit+alice'
HEAD='From: alice@example.org\r\n\r\n'

# body FILE: what follows the header of a delivered message.
body() {
	sed '1,/^\r*$/d' "$1"
}

@test "a message of one's own is sent by its URL, alone and among chunks" {
	lmtp
	notes
	submission
	whole=$(mint "$ALICE$SUBMIT_ALICE")
	text=$(mint "$ALICE/;SECTION=TEXT$SUBMIT_ALICE")
	say "$FROM" "$BOB" "BURL $whole LAST" \
	    "=$FROM\r\n$BOB\r\n$(chunk "$HEAD" | cut -c2-)BURL $text\r\n$(chunk '\0\n' | cut -c2-)burl $text last\r\nNOOP\r\n" \
	    "< < < < < < <"
	[[ ${lines[2]} == "250 2.0.0 "* ]]
	[[ ${lines[5]} == "250 2.0.0 "* ]]
	[[ ${lines[6]} == "250 2.5.0 "* ]]
	[[ ${lines[7]} == "250 2.0.0 "* ]]
	[[ ${lines[8]} == "250 2.0.0 "* ]]
	[[ ${lines[9]} == "250 2.0.0 "* ]]
	body lmtp/1.eml | cmp - <(printf 'Hello from alice.\r\n.\r\n')
	[ "$(leaves lmtp/2.eml)" = "text/plain b'Hello from alice.\\r\\n.\\r\\n\\x00\\nHello from alice.\\r\\n.\\r\\n'" ]
	[ "$(grep -c ' burl user=alice rip=127.0.0.1 octets=' submit.log)" = 3 ]
	# RFC 4468 3.4: all of it at once, the login too
	run python3 "$BATS_TEST_DIRNAME/submit_say.py" "$SUBMIT" \
	    "=AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n$FROM\r\n$BOB\r\nBURL $whole LAST\r\n" \
	    "< < < <"
	[[ ${lines[0]} == "235 2.7.0 "* && ${lines[3]} == "250 2.0.0 "* ]]
	cmp <(body lmtp/1.eml) <(body lmtp/3.eml)
	! grep -qF "${whole##*:}" submit.log || false
	[ -z "$(ls -A spool)" ]
}

@test "no URL gives what its token does not, and what failed is not sent" {
	lmtp
	notes
	submission
	good=$(mint "$ALICE$SUBMIT_ALICE")
	expired=$(mint "$ALICE;EXPIRE=2099-01-01T00:00:00Z$SUBMIT_ALICE")
	# Signed in its time, as the key says.
	past=$(python3 - "$ALICE;EXPIRE=2001-01-01T00:00:00Z$SUBMIT_ALICE" <<'X'
import hashlib, hmac, re, sys
key = bytes.fromhex(re.search(" ([0-9a-f]{64}) ", open(
    "home/alice/Maildir/lemon-metadata").read())[1])
print(sys.argv[1] + ":internal:01" + hmac.new(
    b"\1" + key, sys.argv[1].encode(), hashlib.sha256).hexdigest())
X
	)
	USER=alice run lemon-urlauth explain -c submit+alice \
	    ./home/alice/Maildir "$past"
	[ "${lines[-1]}" = "not good: expired" ]
	cases=("554 5.7.0 ${good%?}$((1 - (0x${good: -1} > 0)))"
	    "554 5.7.0 ${good/UID=1/UID=2}"
	    "554 5.7.0 ${good/INBOX/inbox}" "554 5.7.0 ${expired/2099/2001}"
	    "554 5.7.0 $past"
	    "554 5.7.0 ${good/submit+alice/submit+bob}"
	    "554 5.7.0 $(mint "$ALICE;URLAUTH=submit+bob")"
	    "554 5.7.0 $(mint "$ALICE;URLAUTH=user+bob")"
	    "554 5.7.0 ${good/INBOX/Nowhere}"
	    "554 5.6.6 $(mint "imap://alice@example.org/INBOX/;UID=7$SUBMIT_ALICE")"
	    "554 5.6.6 $(mint "$ALICE/;SECTION=3$SUBMIT_ALICE")"
	    "554 5.7.14 $ALICE" "554 5.7.14 $ALICE$SUBMIT_ALICE"
	    "554 5.6.6 imap://alice@example.org/INBOX"
	    "554 5.6.6 /INBOX/;UID=1" "501 5.5.4 http://example.org/"
	    "501 5.5.4 imap:" "501 5.5.4 imap://a@example.org/INBOX/;UID=x"
	    "554 5.7.0 ${good}00")
	head=$(chunk "$HEAD" | cut -c2-)
	talk=()
	for c in "${cases[@]}"; do
		talk+=("=RSET\r\n$FROM\r\n$BOB\r\n$head"
		    "< < < <" "BURL ${c#* * }" "=BDAT 1 LAST\r\nx" "<"
		    "BURL $good LAST" "$FROM")
	done
	say "${talk[@]}"
	for i in "${!cases[@]}"; do
		c=${cases[i]}
		[[ ${lines[8 * i + 4]} == "${c% *} "* ]] ||
		    { echo "$c: ${lines[8 * i + 4]}"; false; }
		for k in 5 6 7; do
			[[ ${lines[8 * i + k]} == "503 "* ]]
		done
	done
	[ "$(count lmtp)" = 0 ]
	# The log tells what the client is not told.
	for why in expired 'revoked, or never valid' 'wrong access' 'no such message or part'; do
		sed 's/\\x20/ /g' submit.log |
		    grep -q ": burl user=alice .*why=$why url="
	done
	talk=()
	for a in authuser anonymous user+alice submit+alice%40example.org; do
		talk+=("$FROM" "$BOB" "BURL $(mint "$ALICE;URLAUTH=$a") LAST")
	done
	say "${talk[@]}"
	[ "$(grep -c '^250 2.0.0 ' <<<"$output")" = 4 ]
	[ "$(count lmtp)" = 4 ]
	imap 'RESETKEY INBOX'
	say "$FROM" "$BOB" "BURL $good LAST"
	[[ ${lines[2]} == "554 5.7.0 "* ]]
	[ "$(count lmtp)" = 4 ]
}

@test "what URLs and chunks make is completed and converted like what DATA brings" {
	lmtp
	relay -n 8BITMIME
	notes
	printf '%s\r\n' 'Return-Path: <old@example.org>' \
	    'From: alice@example.org' 'bcc: secret@example.net,' \
	    ' secret@example.com' 'Subject: sent' '' 'Bcc: in the text' \
	    'Grüße, and all the rest is ASCII.' >home/alice/Maildir/new/2.sent
	printf '%s\r\n' 'Subject: x' '' 'cc: secret@example.net,' \
	    ' secret@example.com' 'Subject: in pieces' '' \
	    'Grün, and so on and on.' >home/alice/Maildir/new/3.rest
	submission
	sent=$(mint "${ALICE/UID=1/UID=2}$SUBMIT_ALICE")
	rest=$(mint "${ALICE/UID=1/UID=3}/;SECTION=TEXT$SUBMIT_ALICE")
	say "$FROM" "$BOB" "$CAROL" "BURL $sent LAST" \
	    "$FROM" "$BOB" "$CAROL" \
	    "$(chunk 'From: alice@example.org\r\nB')" "<" "BURL $rest LAST"
	[[ ${lines[3]} == "250 2.0.0 "* && ${lines[8]} == "250 2.0.0 "* ]]
	[ "$(count lmtp)$(count relay)" = 22 ]
	for m in {lmtp,relay}/{1,2}.eml; do
		! grep -q 'secret\|Return-Path' $m || false
		[ "$(sed -n '1s/ .*//p' $m)" = Received: ]
		for f in Received Date Message-ID From Subject; do
			[ "$(grep -c "^$f: " $m)" = 1 ]
		done
	done
	body lmtp/1.eml | grep -qx $'Bcc: in the text\r'
	for i in 1 2; do
		grep -q 'Grü' lmtp/$i.eml
		! LC_ALL=C grep -q $'[\200-\377]' relay/$i.eml || false
		grep -qx $'Content-Transfer-Encoding: quoted-printable\r' \
		    relay/$i.eml
		[ "$(leaves relay/$i.eml)" = "$(leaves lmtp/$i.eml)" ]
	done
}

@test "a mailbox that is deleted and made again in between has nothing to send" {
	lmtp
	notes
	imap 'CREATE Old' 'SELECT INBOX' 'COPY 1 Old'
	submission
	url=$(mint "imap://alice@example.org/Old/;UID=1$SUBMIT_ALICE")
	say "$FROM" "$BOB" "BURL $url LAST"
	[[ ${lines[2]} == "250 2.0.0 "* ]]
	imap 'DELETE Old'
	say "$FROM" "$BOB" "BURL $url LAST"
	[[ ${lines[2]} == "554 5.7.0 "* ]]
	imap 'CREATE Old' 'SELECT INBOX' 'COPY 1 Old'
	say "$FROM" "$BOB" "BURL $url LAST"
	[[ ${lines[2]} == "554 5.7.0 "* ]]
	[ "$(count lmtp)" = 1 ]
}

@test "all that URLs bring counts, whatever SIZE= said" {
	lmtp
	notes
	echo 150 >control/databytes
	submission
	url=$(mint "$ALICE$SUBMIT_ALICE")
	say "$FROM SIZE=1" "$BOB" "BURL $url" "BURL $url" "BURL $url" "BURL $url LAST" "$FROM"
	[[ ${lines[3]} == "250 "* ]]
	[[ ${lines[4]} == "552 5.3.4 "* ]]
	[[ ${lines[5]} == "503 "* ]]
	[[ ${lines[6]} == "503 "* ]]
	[ "$(count lmtp)" = 0 ]
}

@test "BURL is for who has logged in, and its word comes after that" {
	notes
	submission
	run python3 "$BATS_TEST_DIRNAME/submit_say.py" "$SUBMIT" \
	    "EHLO x" "BURL $ALICE LAST"
	grep -qx '250 BURL' <<<"$output"
	[[ ${lines[-1]} == "530 5.7.0 "* ]]
	say "EHLO x" "BURL $ALICE LAST"
	grep -qx '250 BURL imap' <<<"$output"
	[[ ${lines[-1]} == "503 5.5.1 "* ]]
}

# trust LINE…: the lines of burlhosts.
trust() {
	rm -f control/burlhosts
	(umask 077; printf '%s\n' "$@" >control/burlhosts)
}

# elsewhere WHAT…: a fake IMAP server in imap/, trusted as this says.
elsewhere() {
	fake_imap "${@:2}"
	trust "localhost:$IMAP ${1:+$1 }submit:secret"
	echo "$BATS_FILE_TMPDIR/cert" >control/burl-ca
	echo 2 >control/burltimeout
	URL="imap://carol@localhost:$IMAP/x/;UID=1;URLAUTH=submit+alice:internal:91354a473744909de610943775f92038"
}

fake_imap() {
	mkdir imap
	mkfifo imap.fifo
	python3 "$BATS_TEST_DIRNAME/fake_imap.py" "$@" imap >imap.fifo \
	    2>imap.err 3>&- &
	PIDS="$PIDS $!"
	read -r IMAP <imap.fifo
	printf '%s\r\n' 'From: alice@example.org' '' 'from afar' >imap/body
}

@test "a trusted server's URLs are fetched under TLS that fits" {
	lmtp
	elsewhere '' -t "$BATS_FILE_TMPDIR/tls.pem"
	submission
	say "$FROM" "$BOB" "BURL $URL" "BURL ${URL/UID=1/UID=2} LAST"
	[[ ${lines[2]} == "250 2.5.0 "* ]]
	[[ ${lines[3]} == "250 2.0.0 "* ]]
	[ "$(grep -c 'from afar' lmtp/1.eml)" = 2 ]
	[ "$(grep -c STARTTLS imap/log)" = 1 ]
	[ "$(grep -ci 'LOGIN .*submit.* .*secret' imap/log)" = 1 ]
	rm imap/body
	say "$FROM" "$BOB" "BURL $URL LAST"
	[[ ${lines[2]} == "554 5.6.6 "* ]]
	[ "$(count lmtp)" = 1 ]
}

@test "the URLs that a client pipelines are asked for at once, and used in order" {
	lmtp
	elsewhere none -b 3
	printf 'afar\r\n' >imap/body
	submission
	say "$FROM" "$BOB" "=$(chunk "$HEAD" | cut -c2-)BURL $URL\r\n$(chunk '1' | cut -c2-)BURL ${URL/UID=1/UID=2}\r\nBURL ${URL/UID=1/UID=3}\r\nBDAT 1 LAST\r\n2" "< < < < < <"
	[[ ${lines[7]} == "250 2.0.0 "* ]]
	body lmtp/1.eml | cmp - <(printf 'afar\r\n1afar\r\nafar\r\n2\r\n')
	grep -o 'UID=[0-9]' imap/log | tr '\n' ' ' | grep -qx 'UID=1 UID=2 UID=3 '
	say "$FROM" "$BOB" "=BURL ${URL/+alice/+bob}\r\nBURL ${URL/UID=1/UID=4} LAST\r\n$FROM\r\n" "< < <"
	[[ ${lines[2]} == "554 5.7.0 "* ]]
	! grep -q UID=4 imap/log || false
}

@test "lemon-imapd elsewhere gives what was signed for our user, and only to submitters" {
	lmtp
	notes
	submission
	# Another system, with an address, accounts and a name of its own.
	mkdir there
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" . there || :
	cp -R control there/control
	cp -R home there
	mkdir there/home/submit
	there() {
		LEMON_CONTROL=$PWD/there/control "$@"
	}
	echo "$PWD/there/home/%u" >there/control/home
	echo far.example.org >there/control/me
	echo "$PWD/there/urls.sock" >there/control/urlfetch-socket
	echo submit >there/control/submitters
	echo secret | there lemon-user add submit
	[ "$(id -u)" != 0 ] || chown -R nobody:nogroup there/home/*
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -keyout key -out request -subj /CN=x \
	    -addext subjectAltName=IP:127.0.0.2 2>/dev/null
	openssl x509 -req -in request -CA "$BATS_FILE_TMPDIR/cert" \
	    -CAkey "$BATS_FILE_TMPDIR/ca" -set_serial 9 \
	    -copy_extensions copy -days 2 -out leaf 2>/dev/null
	cat leaf key >there/control/tls.pem
	LEMON_CONTROL=$PWD/there/control unixserver -p 666 -- "$PWD/there/urls.sock" \
	    lemon-urlauth -s 2>there/urls.log 3>&- &
	PIDS="$PIDS $!"
	until [ -S there/urls.sock ]; do kill -0 "${PIDS##* }"; done
	mkfifo there/fifo
	LEMON_CONTROL=$PWD/there/control tcpserver -HRl0 -1 127.0.0.2 0 \
	    lemon-imapd >there/fifo 2>there/log 3>&- &
	PIDS="$PIDS $!"
	read -r IMAP <there/fifo
	trust "127.0.0.2:$IMAP submit:secret"
	echo "$BATS_FILE_TMPDIR/cert" >control/burl-ca
	url=$(there lemon-urlauth mint -n "127.0.0.2:$IMAP" -u 1 \
	    -a submit+alice alice)
	text=$(there lemon-urlauth mint -n "127.0.0.2:$IMAP" -u 1 -p TEXT \
	    -a submit+alice bob)
	say "$FROM" "$BOB" "=BURL $url\r\nBURL $text\r\nBDAT 2 LAST\r\n\r\n" \
	    "< < <" "$FROM" "$BOB" "BURL ${url/UID=1/UID=2} LAST" RSET \
	    "$FROM" "$BOB" "BURL $(there lemon-urlauth mint \
	    -n "127.0.0.2:$IMAP" -u 1 -a submit+bob alice) LAST"
	[[ ${lines[2]} == "250 2.5.0 "* && ${lines[3]} == "250 2.5.0 "* ]]
	[[ ${lines[4]} == "250 2.0.0 "* ]]
	[[ ${lines[7]} == "554 5.6.6 "* ]]
	[[ ${lines[11]} == "554 5.7.0 "* ]]
	[ "$(count lmtp)" = 1 ]
	body lmtp/1.eml | cmp - <(printf '%s\r\n' 'Hello from alice.' . \
	    'Hello from bob.' . '')
	grep -q 'login user=submit rip=127.0.0.1 .*tls=TLSv1.3' there/log
	echo alice >there/control/submitters
	say "$FROM" "$BOB" "BURL $url LAST"
	[[ ${lines[2]} == "554 5.6.6 "* ]]
	[ "$(count lmtp)" = 1 ]
}

@test "a trusted server may answer in another order" {
	lmtp
	elsewhere none -b 9 -o
	printf 'afar\r\n' >imap/body
	submission
	urls=
	for i in {1..12}; do
		urls+="BURL ${URL/UID=1/UID=$i}\r\n"
	done
	say "$FROM" "$BOB" "=$(chunk "$HEAD" | cut -c2-)${urls}BDAT 0 LAST\r\n" \
	    "< < < < < < < < < < < < < <"
	[[ ${lines[15]} == "250 2.0.0 "* ]]
	[ "$(grep -c afar lmtp/1.eml)" = 12 ]
}

@test "what our account on a trusted server may read is not for its users" {
	lmtp
	elsewhere none
	submission
	for access in user+submit user+alice submit+bob; do
		say "$FROM" "$BOB" "BURL ${URL/submit+alice/$access} LAST"
		[[ ${lines[2]} == "554 5.7.0 "* ]]
	done
	! grep -q URLFETCH imap/log || false
	[ "$(count lmtp)" = 0 ]
}

@test "implicit TLS is trusted, too, and no certificate of somebody else" {
	lmtp
	elsewhere implicit -s -t "$BATS_FILE_TMPDIR/tls.pem"
	submission
	say "$FROM" "$BOB" "BURL $URL LAST"
	[[ ${lines[2]} == "250 2.0.0 "* ]]
	: >imap/log
	trust "127.0.0.2:$IMAP implicit submit:secret"
	say "$FROM" "$BOB" "BURL ${URL/localhost/127.0.0.2} LAST"
	[[ ${lines[2]} == "451 4.4.1 "* ]]
	grep -q "warning: burlhosts 127.0.0.2:$IMAP: .*mismatch" submit.log
	rm control/burl-ca
	trust "localhost:$IMAP implicit submit:secret"
	say "$FROM" "$BOB" "BURL $URL LAST"
	[[ ${lines[2]} == "451 4.4.1 "* ]]
	! grep -q secret imap/log || false
	[ "$(count lmtp)" = 1 ]
}

@test "a server that is down, refuses us or falls silent is 451 in good time" {
	lmtp
	submission
	for w in greeting login urlfetch half; do
		rm -rf imap imap.fifo
		elsewhere none -w $w
		echo 1 >control/burltimeout
		say "$FROM" "$BOB" "BURL $URL" "BDAT 0 LAST"
		[[ ${lines[2]} == "451 4.4.1 "* ]]
		[[ ${lines[3]} == "503 5.5.1 "* ]]
	done
	rm -rf imap imap.fifo
	elsewhere none -a other:secret
	say "$FROM" "$BOB" "BURL $URL LAST"
	[[ ${lines[2]} == "451 4.4.1 "* ]]
	kill "${PIDS##* }"
	wait "${PIDS##* }" || :
	say "$FROM" "$BOB" "BURL $URL LAST"
	[[ ${lines[2]} == "451 4.4.1 "* ]]
	[ "$(count lmtp)" = 0 ]
	[ -z "$(ls -A spool)" ]
}

@test "a server that says NO or sends too much gets nothing delivered" {
	lmtp
	submission
	elsewhere none -r 'NO [UNAVAILABLE] not now'
	rm imap/body
	say "$FROM" "$BOB" "BURL $URL LAST"
	[[ ${lines[2]} == "451 4.4.1 "* ]]
	rm -rf imap imap.fifo
	elsewhere none -r 'NO no'
	rm imap/body
	echo 1000 >control/databytes
	say "$FROM" "$BOB" "BURL $URL LAST"
	[[ ${lines[2]} == "554 5.6.6 "* ]]
	head -c 5000000 /dev/zero >imap/body
	say "$FROM" "$BOB" "BURL $URL" "BDAT 0 LAST"
	[[ ${lines[2]} == "552 5.3.4 "* ]]
	[[ ${lines[3]} == "503 "* ]]
	[ "$(count lmtp)" = 0 ]
}

@test "of a trusted server, too, only what was signed for oneself is fetched" {
	elsewhere none
	relay
	submission
	say "$FROM" "$CAROL" "BURL ${URL/submit+alice/submit+bob} LAST" RSET \
	    "$FROM" "$CAROL" "BURL ${URL%;URLAUTH*} LAST"
	[[ ${lines[2]} == "554 5.7.0 "* ]]
	[[ ${lines[6]} == "554 5.7.14 "* ]]
	[ ! -s imap/log ]
}

@test "a client that vanishes leaves nothing behind" {
	lmtp
	notes
	submission
	for end in "<" "=BDAT 0 LAS"; do
		say "$FROM" "$BOB" "$(chunk "$HEAD")" "<" \
		    "=BURL $(mint "$ALICE$SUBMIT_ALICE")\r\n" "$end"
		[[ ${lines[2]} == "250 "* ]]
	done
	ended 2 why=lost
	[ "$(count lmtp)" = 0 ]
	[ -z "$(ls -A spool)" ]
	elsewhere none -w urlfetch
	say "$FROM" "$BOB" "=BDAT 3\r\nX:yBURL $URL\r\nBDAT 0 LAST\r\n"
	ended 3 why=lost
	[ "$(count lmtp)" = 0 ]
	[ -z "$(ls -A spool)" ]
}

@test "no other host is looked up or sent a packet" {
	[ -n "$(command -v strace)" ] || skip "no strace here"
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace"
	lmtp
	elsewhere none
	python3 "$BATS_TEST_DIRNAME/odd_urls.py" >odd
	[ "$(wc -l <odd)" -ge 200 ]
	python3 - >urls <<'X'
token = ";URLAUTH=submit+alice:internal:" + "0" * 66
hosts = """127.0.0.1:25 127.0.0.1 localhost:25 localhost:99999 localhost.
    LOCALHOST:1 local%68ost:25 localhost%00 [::1]:25 [::1] 127.1 2130706433
    0x7f.1 0177.0.0.1 [::ffff:127.0.0.1] 0 example.net example.org.evil.net
    example.org%2eevil.net evil.net%2f@example.net xn--lcalhost-wxa
    127.0.0.1%0d%0aRSET %5b::1%5d:143 imap.example.net:143 *""".split()
for h in hosts:
    for user in "alice@", "alice;AUTH=*@", "":
        print("imap://" + user + h + "/INBOX/;UID=1" + token)
X
	n=$(cat urls odd | wc -l)
	# Some in each session, which does not take so many in vain.
	cat urls odd | split -l 90 - part.
	for p in part.*; do
		{
			printf '%s\r\n' "EHLO x" "AUTH PLAIN AGFsaWNlAHNlY3JldA=="
			while IFS= read -r u; do
				printf '%s\r\n' "$FROM" "$BOB" "BURL $u LAST" RSET
			done <$p
			printf 'QUIT\r\n'
		} >talk
		ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 strace -f -A -o net \
		    -e trace=socket,connect,sendto,sendmsg,bind lemon-submit -t \
		    <talk >>said 2>>err
	done
	[ "$(grep -c '^250 2.0.0 Ok' said)" = $n ]
	[ "$(grep -cE '^(554 5.7.14|501 5.5.4|554 5.6.6) ' said)" = $n ]
	grep -q 'lmtp.sock' net
	! grep -E 'AF_INET|AF_NETLINK|nscd|resolv' net || false
	[ ! -s imap/log ]
}

# by_socket PYTHON: answers at urlfetch-socket; q is the request's three strings,
# f writes.
by_socket() {
	cat >fetchd.py <<X
import os, socket, sys
def read(r):
    n = b""
    while (c := r.read(1)) not in (b":", b""):
        n += c
    t = r.read(int(n or 0))
    r.read(1)
    return t
l = socket.socket(socket.AF_UNIX)
l.bind("fetch.sock")
l.listen(5)
print("ready", flush=True)
while True:
    s, _ = l.accept()
    r, f = s.makefile("rb"), s.makefile("wb")
    while (q := [read(r) for i in range(3)])[2]:
        open("asked", "ab").write(repr(q).encode() + b"\n")
        $1
        f.flush()
X
	rm -f fetch.sock fetchd.fifo
	mkfifo fetchd.fifo
	python3 fetchd.py >fetchd.fifo 2>fetchd.err 3>&- &
	PIDS="$PIDS $!"
	read -r _ <fetchd.fifo
	echo "$PWD/fetch.sock" >control/urlfetch-socket
	echo 2 >control/burltimeout
}

@test "another owner's URL is asked for at the socket, in the user's name" {
	lmtp
	submission
	url='imap://bob@example.org/INBOX/;UID=1;URLAUTH=submit+alice:internal:91354a473744909de610943775f92038'
	say "$FROM" "$BOB" "BURL $url LAST"
	[[ ${lines[2]} == "554 5.7.14 "* ]]
	echo "$PWD/nothing.sock" >control/urlfetch-socket
	say "$FROM" "$BOB" "BURL $url LAST"
	[[ ${lines[2]} == "451 4.4.1 "* ]]
	by_socket 'f.write(b"+0:,30:From: alice@example.org\r\n\r\nx\r\n,")'
	say "$FROM" "$BOB" "BURL $url" "BURL $url LAST" \
	    "$FROM" "$BOB" "BURL ${url/submit+alice/submit+bob} LAST"
	[[ ${lines[2]} == "250 2.5.0 "* ]]
	[[ ${lines[3]} == "250 2.0.0 "* ]]
	[[ ${lines[6]} == "554 5.7.0 "* ]]
	[ "$(grep -cFx "[b'alice', b's', b'$url']" asked)" = 2 ]
	[ "$(wc -l <asked)" = 2 ]
	for a in '-:554 5.6.6' '~:451 4.4.1' '+0:,9999999999:x:552 5.3.4' \
	    '+0:,9:x:451 4.4.1' 'junk:451 4.4.1' ':451 4.4.1'; do
		by_socket "f.write(b'${a%:*}')"
		say "$FROM" "$BOB" "BURL $url" "BDAT 0 LAST"
		[[ ${lines[2]} == "${a##*:} "* ]]
		[[ ${lines[3]} == "503 "* ]]
	done
	[ "$(count lmtp)" = 1 ]
}

@test "lemon-urlauth gives what one user signed for another, and what root may not open" {
	lmtp
	notes
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" . || :
	[ "$(id -u)" != 0 ] || chown -R nobody:nogroup home/*
	unixserver -p 600 -- "$PWD/urls.sock" lemon-urlauth -s 2>urls.log 3>&- &
	PIDS="$PIDS $!"
	until [ -S urls.sock ]; do kill -0 "${PIDS##* }"; done
	echo "$PWD/urls.sock" >control/urlfetch-socket
	submission
	bob='imap://bob@example.org/INBOX/;UID=1'
	theirs=$(lemon-urlauth mint bob "$bob$SUBMIT_ALICE")
	mine=$(lemon-urlauth mint alice "$ALICE$SUBMIT_ALICE")
	say "$FROM" "$BOB" "=$(chunk "$HEAD" | cut -c2-)" "<" "BURL $theirs" \
	    "BURL $mine LAST" "$FROM" "$BOB" "BURL ${theirs/UID=1/UID=2} LAST" \
	    RSET "$FROM" "$BOB" \
	    "BURL $(lemon-urlauth mint bob "$bob;URLAUTH=user+bob") LAST"
	[[ ${lines[3]} == "250 2.5.0 "* ]]
	[[ ${lines[4]} == "250 2.0.0 "* ]]
	[[ ${lines[7]} == "554 5.6.6 "* ]]
	[[ ${lines[11]} == "554 5.6.6 "* ]]
	[ "$(count lmtp)" = 1 ]
	grep -q 'Hello from bob' lmtp/1.eml
	grep -q 'Hello from alice' lmtp/1.eml
}

@test "burlhosts has comments, many hosts, and passwords with anything in them" {
	lmtp
	elsewhere none -a 'submit:pass: w "ord'
	trust '# ours' '' 'imap.example.net verify a:b' \
	    "  LOCALHOST:$IMAP  NONE submit:pass: w \"ord  " '[::1]:1 must c:d'
	submission
	say "$FROM" "$BOB" "BURL $URL LAST" "$FROM" "$BOB" \
	    "BURL ${URL/:$IMAP/} LAST" "$FROM" "$BOB" \
	    "BURL ${URL/:$IMAP/:1} LAST"
	[[ ${lines[2]} == "250 2.0.0 "* ]]
	[[ ${lines[5]} == "250 2.0.0 "* ]]
	[[ ${lines[8]} == "554 5.7.14 "* ]]
	for bad in 'localhost' 'localhost none' 'localhost:x none a:b' \
	    'localhost often a:b' '/socket none a:b'; do
		trust "localhost:$IMAP none submit:secret" "$bad"
		say "$FROM" "$BOB" "BURL $URL LAST"
		[[ ${lines[2]} == "451 4.3.5 burlhosts has a line "* ]] || { echo "$bad"; false; }
	done
}

@test "a login at a trusted host that is refused is told from a host that is down" {
	lmtp
	elsewhere none
	trust "localhost:$IMAP none submit:wrong"
	submission
	say "$FROM" "$BOB" "BURL $URL LAST"
	[[ ${lines[2]} == "451 4.4.1 IMAP server unavailable: the account in burlhosts was refused: "* ]]
	grep -q "warning: burlhosts localhost:$IMAP: the account in burlhosts was refused: " submit.log
}

@test "burlhosts that others can read, or nobody, is trusted in nothing, for now" {
	elsewhere none
	relay
	chmod 644 control/burlhosts
	submission
	say "$FROM" "$CAROL" "BURL $URL LAST"
	[[ ${lines[2]} == "451 4.3.5 burlhosts can be read by others: chmod 600" ]]
	grep -q 'burlhosts can be read by others' submit.log
	rm control/burlhosts
	mkdir control/burlhosts
	say "$FROM" "$CAROL" "BURL $URL LAST"
	[[ ${lines[2]} == "451 4.3.5 burlhosts cannot be read" ]]
	[ ! -s imap/log ]
}
